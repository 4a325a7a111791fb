//! Inputs that differ a little from given ones: in the program, the choices, or how many threads there are.

use super::{Input, MAX_CHOICES, MOST_THREADS};
use crate::program::generate::{Decisions, Seeded};
use crate::program::{self, DEFAULT_SIZE};
use crate::strategy::bytes::{LONGEST_TURN, number, parts};

/// Edits of one mutation: at most.
const MAX_EDITS: u32 = 4;
/// Calls on leases that a fresh input about files gets: at most.
const MAX_CALLS: u32 = 8;
/// Choices that one edit adds: at most.
const MAX_ADDED: u32 = 8;
/// Points by which a switch moves: at most, mostly.
const NEAR: u32 = 8;
/// Points of a turn that is added: at most, mostly.
const SHORT: u32 = 64;

/// What inputs are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    All,
    /// Leases, which live in files, and what can go wrong with files.
    Files,
}

/// The bytes of an input that differs a little from the one in `bytes`, or of a fresh one if they hold none; at most
/// `most` bytes, or else what it was. The seed decides how.
#[must_use]
pub fn mutate(bytes: &[u8], seed: u32, most: usize, theme: Theme) -> Vec<u8> {
    let mut random = Seeded::new(seed.into());
    let Ok(mut input) = Input::decode(bytes) else {
        let mut input = Input::fresh(seed.into(), DEFAULT_SIZE);
        if theme == Theme::Files {
            for _ in 0..random.between(2, MAX_CALLS) {
                program::mutate_files(&mut input.program, &mut random);
            }
        }
        return bounded(input, bytes, most);
    };
    for _ in 0..random.between(1, MAX_EDITS) {
        match random.weighted(&[8, 8, 1, 1]) {
            0 if theme == Theme::Files && random.chance(1, 2) => {
                program::mutate_files(&mut input.program, &mut random);
            }
            0 => input.program = program::mutate(&input.program, &mut random),
            1 => edit_choices(&mut input.choices, &mut random),
            2 => input.threads = random.between(1, MOST_THREADS) as u16,
            _ => input.seed = random.below(u32::MAX).into(),
        }
    }
    bounded(input, bytes, most)
}

/// The bytes of an input made of two: of both programs, or of the program of one and choices of both.
#[must_use]
pub fn splice(left: &[u8], right: &[u8], seed: u32, most: usize) -> Vec<u8> {
    let mut random = Seeded::new(seed.into());
    let mut input = Input::read_or_fresh(left, seed.into());
    let other = Input::read_or_fresh(right, seed.into());
    if random.chance(1, 2) {
        program::graft(&mut input.program, other.program, &mut random);
    }
    let kept = random.below(input.choices.len() as u32 + 1) as usize;
    let from = random.below(other.choices.len() as u32 + 1) as usize;
    input.choices.truncate(kept);
    input.choices.extend(&other.choices[from..]);
    input.choices.truncate(MAX_CHOICES);
    bounded(input, left, most)
}

/// The input's bytes if they fit, else those that were there.
fn bounded(input: Input, before: &[u8], most: usize) -> Vec<u8> {
    let encoded = input.encode();
    if encoded.len() <= most { encoded } else { before[..before.len().min(most)].to_vec() }
}

fn edit_choices(choices: &mut Vec<u16>, random: &mut impl Decisions) {
    let place = random.below(choices.len() as u32 + 1) as usize;
    let is_one = place < choices.len();
    match random.below(7) {
        0 if is_one => drop(choices.remove(place)),
        1 if is_one => choices[place] = any(random),
        2 if is_one => {
            let (_, points) = parts(choices[place]);
            choices[place] = number(random.below(32) as u16, points);
        }
        // Moves the switch between two turns, so that what comes later stays where it is.
        3 if place + 1 < choices.len() => {
            let ((first, before), (second, after)) = (parts(choices[place]), parts(choices[place + 1]));
            let most = (before + after - 1).min(LONGEST_TURN);
            let moved = if random.chance(1, 4) {
                random.between(1, most.into()) as u16
            } else {
                let by = random.below(2 * NEAR + 1) as u16;
                (before + by).saturating_sub(NEAR as u16).clamp(1, most)
            };
            choices[place] = number(first, moved);
            choices[place + 1] = number(second, before + after - moved);
        }
        4 if place + 1 < choices.len() => choices.swap(place, place + 1),
        5 => choices.truncate(place),
        _ => {
            let added: Vec<u16> = (0..random.between(1, MAX_ADDED)).map(|_| any(random)).collect();
            choices.splice(place..place, added);
            choices.truncate(MAX_CHOICES);
        }
    }
}

fn any(random: &mut impl Decisions) -> u16 {
    let most = if random.chance(7, 8) { SHORT } else { LONGEST_TURN.into() };
    number(random.below(32) as u16, random.between(1, most) as u16)
}
