//! Explains a finding in a program under check: its steps, with the lines of the source, the names of its variables and what
//! they held.

mod debug_info;
mod objects;
mod stacks;

pub use stacks::{Account, Call};

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::{env, fs};

use super::symbols::Symbols;
use crate::evidence::interleaving;
use crate::model::execution::{Step, Value};
use crate::model::op::OpKind;
use crate::oracle::sanitizer;
use objects::Objects;

/// Values from here on, of the size of an address, are taken for addresses, which differ from one process to another.
const FIRST_ADDRESS: u64 = 1 << 32;

/// The steps of an execution of the program in the shared object at `object`, for people; empty if there are none.
/// `report` says what became of it: first the failure in a line, then what a sanitizer printed.
#[must_use]
pub fn interleaving(steps: &[Step], object: &Path, symbols: &mut Symbols, report: &str) -> String {
    let shown = shown(steps, object, symbols, report);
    if shown.is_empty() {
        return String::new();
    }
    interleaving::text(&shown, &ending(&shown, report), interleaving::MAX_LINES)
}

/// The same as data: each step in words.
#[must_use]
pub fn shown(steps: &[Step], object: &Path, symbols: &mut Symbols, report: &str) -> Vec<interleaving::Step> {
    if steps.is_empty() {
        return Vec::new();
    }
    let module = object.to_string_lossy();
    let offsets: BTreeSet<u64> = steps.iter().flat_map(|step| step.frames.iter().copied()).collect();
    symbols.learn(&module, &offsets);
    let here = env::current_dir().map(|path| format!("{}/", path.display())).unwrap_or_default();
    let bytes = fs::read(object).unwrap_or_default();
    let objects = Objects::of(&bytes, steps, |step| line_of(step, &module, symbols));
    let names: Vec<String> = steps.iter().enumerate().map(|(number, step)| objects.name(number, step)).collect();
    let addresses: HashMap<u64, &str> = steps
        .iter()
        .zip(&names)
        .filter_map(|(step, name)| match step.object {
            crate::model::execution::Object::Memory(address) => Some((address, name.as_str())),
            _ => None,
        })
        .collect();
    let mut shown: Vec<interleaving::Step> = steps
        .iter()
        .zip(&names)
        .map(|(step, name)| interleaving::Step {
            thread: step.thread,
            kind: step.kind,
            object: name.clone(),
            place: place(step, &module, symbols, &here),
            note: note_of(step, &addresses),
            mark: None,
        })
        .collect();
    mark_race(&mut shown, report);
    shown
}

/// What an operation read and wrote, and of which store, if that was not the newest.
fn note_of(step: &Step, addresses: &HashMap<u64, &str>) -> Option<String> {
    let values = step.value.and_then(|value| note(step.kind, value, addresses));
    let older = match step.older {
        0 => return values,
        1 => "an older store".to_owned(),
        by => format!("older by {by} stores"),
    };
    Some(values.map_or_else(|| older.clone(), |values| format!("{values}, {older}")))
}

/// What an operation read and wrote.
fn note(kind: OpKind, value: Value, addresses: &HashMap<u64, &str>) -> Option<String> {
    let shown = |number: u64| number_of(number, value.size, addresses);
    let changed = || Some(format!("{} → {}", shown(value.before)?, shown(value.after)?));
    match kind {
        OpKind::Load | OpKind::PlainLoad => shown(value.before),
        OpKind::Store | OpKind::PlainStore | OpKind::Exchange | OpKind::ReadModifyWrite => changed(),
        OpKind::CompareExchange if value.before == value.after => Some(format!("stays {}", shown(value.before)?)),
        OpKind::CompareExchange => Some(format!("succeeds: {}", changed()?)),
        _ => None,
    }
}

/// A number as a signed one, which most are; an address by the name of what is there, if that has one.
fn number_of(number: u64, size: u8, addresses: &HashMap<u64, &str>) -> Option<String> {
    let unused = 64 - 8 * u32::from(size.clamp(1, 8));
    if size == 8 && (FIRST_ADDRESS..=u64::MAX >> 16).contains(&number) {
        let name = addresses.get(&number).filter(|name| !name.starts_with("0x"));
        return Some(name.map_or_else(|| "an address".to_owned(), |name| format!("&{name}")));
    }
    Some((((number << unused) as i64) >> unused).to_string())
}

/// Marks the two accesses of a race: the last two steps at their lines, of different threads.
fn mark_race(shown: &mut [interleaving::Step], report: &str) {
    let places = sanitizer::accesses_of_race(report);
    let is_access = |step: &interleaving::Step| !step.object.is_empty() && step.kind.accesses();
    let mut later: Option<(usize, usize)> = None;
    for index in (0..shown.len()).rev().filter(|index| is_access(&shown[*index])).collect::<Vec<_>>() {
        let at = |place: &String| shown[index].place.split(' ').next().is_some_and(|line| same_line(line, place));
        let Some(which) = places.iter().position(at) else { continue };
        match later {
            None => later = Some((index, which)),
            Some((second, other))
                if shown[second].thread != shown[index].thread
                    && shown[second].object == shown[index].object
                    && (which != other || places.iter().all(|place| *place == places[which])) =>
            {
                shown[index].mark = Some("one access of the race".to_owned());
                shown[second].mark = Some("the other access of the race".to_owned());
                return;
            }
            Some(_) => {}
        }
    }
}

/// Whether both are the same line of a file; paths of which one is a part of the other are one file's.
fn same_line(one: &str, other: &str) -> bool {
    let line = |place: &str| {
        let mut parts = place.split(':');
        (parts.next().unwrap_or_default().to_owned(), parts.next().unwrap_or_default().to_owned())
    };
    let ((file, number), (other_file, other_number)) = (line(one), line(other));
    number == other_number && !file.is_empty() && (file.ends_with(&other_file) || other_file.ends_with(&file))
}

/// How it ended, and what the thread did last that ended it.
fn ending(shown: &[interleaving::Step], report: &str) -> String {
    let first = report.lines().next().unwrap_or_default();
    let verdict = first.split(':').next().unwrap_or_default();
    let by_one_thread = ["failed-assertion", "uncaught-exception", "abort", "crash", "exit-status", "memory-error"];
    match shown.iter().rev().find(|step| step.thread == shown[shown.len() - 1].thread && !step.place.is_empty()) {
        Some(last) if by_one_thread.contains(&verdict) => {
            format!("{first}\nin thread {}, after {}", last.thread, last.place)
        }
        _ => first.to_owned(),
    }
}

/// The file and line of a step, of those that are no library's.
fn line_of(step: &Step, module: &str, symbols: &Symbols) -> Option<(String, u32)> {
    let mut calls = step.frames.iter().flat_map(|offset| symbols.at(module, *offset));
    let call = calls.find(|call| !is_of_the_system(&call.place))?;
    let mut parts = call.place.split(':');
    Some((parts.next()?.to_owned(), parts.next()?.parse().ok()?))
}

/// The innermost call in the program's own sources, or if there is none, in any.
fn place(step: &Step, module: &str, symbols: &Symbols, here: &str) -> String {
    let calls = || step.frames.iter().flat_map(|offset| symbols.at(module, *offset));
    let call = calls().find(|call| !is_of_the_system(&call.place)).or_else(|| calls().next());
    call.map_or_else(String::new, |call| {
        let (line, function) = (call.place.strip_prefix(here).unwrap_or(&call.place), name_of(&call.function));
        // Of prebuilt code nobody knows the lines.
        if line.starts_with('<') { function.to_owned() } else { format!("{line} {function}") }
    })
}

/// The place of each of some steps in the shared object at `object`: file and line, then the function.
#[must_use]
pub fn places<'a>(steps: impl Iterator<Item = &'a Step> + Clone, object: &Path, symbols: &mut Symbols) -> Vec<String> {
    let module = object.to_string_lossy();
    symbols.learn(&module, &steps.clone().flat_map(|step| step.frames.iter().copied()).collect());
    steps.map(|step| place(step, &module, symbols, "")).collect()
}

/// A function without its parameters.
fn name_of(function: &str) -> &str {
    const UNNAMED: &str = "(anonymous namespace)";
    let start = function.rfind(UNNAMED).map_or(0, |at| at + UNNAMED.len());
    let name = function[start..].find('(').map_or(function, |at| &function[..start + at]);
    name.strip_prefix("(anonymous namespace)::").unwrap_or(name)
}

fn is_of_the_system(place: &str) -> bool {
    place.starts_with("/usr/") || place.starts_with('<')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_named_without_parameters() {
        let names = ["main", "(anonymous namespace)::look(int)", "app::(anonymous namespace)::f()::g(char)", "a::b(c)"];
        assert_eq!(names.map(name_of), ["main", "look", "app::(anonymous namespace)::f", "a::b"]);
    }

    #[test]
    fn values_are_signed_and_addresses_are_named() {
        let addresses = HashMap::from([(0x7f00_0000_1000, "head"), (0x7f00_0000_2000, "0x7f0000002000")]);
        let number = |number, size| number_of(number, size, &addresses).expect("a number");
        assert_eq!([number(0xffff_ffff, 4), number(7, 8), number(0xff, 2)], ["-1", "7", "255"]);
        assert_eq!([number(0x7f00_0000_1000, 8), number(0x7f00_0000_2000, 8)], ["&head", "an address"]);
        let value = |before, after| Value { size: 4, before, after };
        let note = |kind, before, after| note(kind, value(before, after), &addresses).expect("a note");
        assert_eq!(note(OpKind::PlainStore, 0, 1), "0 → 1");
        assert_eq!(note(OpKind::CompareExchange, 1, 1), "stays 1");
        assert_eq!(note(OpKind::CompareExchange, 1, 2), "succeeds: 1 → 2");
    }

    #[test]
    fn the_two_accesses_of_a_race_are_marked_with_their_threads() {
        let report = "data-race: x\n\nWARNING: ThreadSanitizer: data race (pid=1)\n  Write of size 4 at 0x1 by thread T2:\n    \
                      #0 add /s/a.c:6:10 (a+0x1)\n\n  Previous read of size 4 at 0x1 by thread T1:\n    #0 look /s/a.c:9:3 (a+0x2)\n";
        let step = |thread, place: &str, kind| interleaving::Step {
            thread,
            kind,
            object: "count".to_owned(),
            place: place.to_owned(),
            note: None,
            mark: None,
        };
        let mut steps = [
            step(1, "a.c:9 look", OpKind::PlainLoad),
            step(1, "a.c:10 look", OpKind::Unlock),
            step(2, "a.c:6 add", OpKind::PlainLoad),
            step(2, "a.c:6 add", OpKind::PlainStore),
        ];
        mark_race(&mut steps, report);
        let marked: Vec<bool> = steps.iter().map(|step| step.mark.is_some()).collect();
        assert_eq!(marked, [true, false, false, true]);
    }
}
