//! Inputs that differ a little from given ones: in the task graph, the choices, or how many threads there are.

use super::{Input, MAX_CHOICES, MOST_THREADS};
use crate::model::schedule::Injection;
use crate::strategy::bytes::{LONGEST_TURN, number, parts};
use crate::task_graph::generate::{Decisions, Seeded};
use crate::task_graph::{self, DEFAULT_SIZE, Shape};

/// One mutation in so many makes a fresh input.
const FRESH_ODDS: u32 = 2;
/// Inputs that may crash or run out of memory are executed in processes of their own, each of which takes as long as a
/// hundred other executions: one in so many stays so.
const SPENDING_ODDS: u32 = 8;
/// One mutation in so many changes the number of threads, where that varies.
const THREADS_ODDS: u32 = 16;
/// Edits of one mutation: at most.
const MAX_EDITS: u32 = 4;
/// Calls on leases that a fresh input about files gets: at most.
const MAX_CALLS: u32 = 8;
/// Choices that one edit adds: at most.
const MAX_ADDED: u32 = 8;
/// Scheduling points by which a switch moves: at most, mostly.
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

/// Makes inputs of inputs. Seeds decide how.
#[derive(Clone, Copy, Debug)]
pub struct Mutator {
    theme: Theme,
    /// Of fresh task graphs; no mutated one uses systems that it leaves out.
    shape: Shape,
    /// The number that every input has, if it does not vary.
    threads: Option<u16>,
}

impl Mutator {
    /// For the fuzz targets: any number of threads, task graphs of the usual size.
    #[must_use]
    pub fn of(theme: Theme) -> Self {
        Self { theme, shape: Shape::of_size(DEFAULT_SIZE), threads: None }
    }

    /// For campaigns: so many threads, and fresh task graphs of that shape.
    #[must_use]
    pub fn new(threads: u16, shape: Shape) -> Self {
        Self { theme: Theme::All, shape, threads: Some(threads) }
    }

    /// A generated task graph with no choices yet.
    #[must_use]
    pub fn fresh(&self, seed: u64) -> Input {
        let mut random = Seeded::new(seed);
        let threads = random.between(1, MOST_THREADS) as u16;
        let mut graph = task_graph::generate::generate(&mut random, self.shape);
        if self.theme == Theme::Files {
            for _ in 0..random.between(2, MAX_CALLS) {
                task_graph::mutate_files(&mut graph, &mut random);
            }
            task_graph::narrow(&mut graph, &self.shape.offers);
        }
        let seed = random.below(u32::MAX).into();
        Input { threads: self.threads.unwrap_or(threads), seed, graph, choices: vec![] }
    }

    /// The bytes of an input that differs a little from the one in `bytes`, or as often of a fresh one, as always if
    /// they hold none; at most `most` bytes, or else what it was.
    #[must_use]
    pub fn mutate(&self, bytes: &[u8], seed: u32, most: usize) -> Vec<u8> {
        let mut random = Seeded::new(seed.into());
        let known = Input::decode(bytes).ok().filter(|_| !random.chance(1, FRESH_ODDS));
        // What the generator makes has fewer calls that meet than what is edited a little.
        let (mut input, edits) = match known {
            Some(input) => (input, random.below(MAX_EDITS)),
            None => (self.fresh(random.below(u32::MAX).into()), random.below(MAX_EDITS + 1)),
        };
        for _ in 0..edits {
            self.edit_task_graph(&mut input, &mut random);
        }
        vary_schedule(&mut input, &mut random);
        if random.chance(1, THREADS_ODDS) {
            input.threads = random.between(1, MOST_THREADS) as u16;
        }
        bounded(self.settled(input, &mut random), bytes, most)
    }

    fn edit_task_graph(&self, input: &mut Input, random: &mut impl Decisions) {
        if self.theme == Theme::Files && random.chance(1, 2) {
            task_graph::mutate_files(&mut input.graph, random);
            return task_graph::narrow(&mut input.graph, &self.shape.offers);
        }
        let mut edited = task_graph::mutate(&input.graph, random);
        task_graph::narrow(&mut edited, &self.shape.offers);
        if self.shape.allows(&edited) {
            input.graph = edited;
        }
    }

    /// With the number of threads that does not vary, and mostly without what uses a process up.
    fn settled(&self, mut input: Input, random: &mut impl Decisions) -> Input {
        input.threads = self.threads.unwrap_or(input.threads);
        if self.theme == Theme::All && !random.chance(1, SPENDING_ODDS) {
            input.graph.injections.set(Injection::Crash, false);
            input.graph.injections.failing_allocation = None;
        }
        input
    }
}

/// The input's bytes if they fit, else those that were there.
fn bounded(input: Input, before: &[u8], most: usize) -> Vec<u8> {
    let encoded = input.encode();
    if encoded.len() <= most { encoded } else { before[..before.len().min(most)].to_vec() }
}

/// Mostly another schedule altogether: one near a schedule that was right is mostly right as well.
fn vary_schedule(input: &mut Input, random: &mut impl Decisions) {
    match random.weighted(&[10, 2, 3]) {
        0 => {
            input.choices.clear();
            input.seed = random.below(u32::MAX).into();
        }
        // The same up to some place.
        1 => {
            let kept = random.below(input.choices.len() as u32 + 1) as usize;
            input.choices.truncate(kept);
            input.seed = random.below(u32::MAX).into();
        }
        _ => (0..random.between(1, MAX_EDITS)).for_each(|_| edit_choices(&mut input.choices, random)),
    }
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
