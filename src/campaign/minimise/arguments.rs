//! Makes what the arguments of a program repeat small: each number among them, as long as the same failure is found with it.

use std::time::Instant;

use anyhow::Result;

use crate::campaign::findings;
use crate::campaign::interrupt;
use crate::campaign::job::{Executed, Program, Slice, Work};
use crate::campaign::laboratory::Laboratory;
use crate::case::{Case, Workload};
use crate::check::Check;

/// What became of the arguments.
pub struct Shortened {
    /// The case that was given, or one with smaller arguments that was found anew.
    pub case: Case,
    /// Each number that became smaller: the argument before and after.
    pub changed: Vec<(String, String)>,
}

/// Tries smaller numbers in the arguments of a case of a program, each for `attempts` schedules, since one that was recorded with
/// other arguments means nothing. Arguments by which a framework runs one test stay. Calls `observe` with what is tried.
///
/// # Errors
/// The workers cannot do what they are asked.
pub fn shorten(
    laboratory: &mut Laboratory,
    given: &Case,
    attempts: u64,
    deadline: Instant,
    mut observe: impl FnMut(&str),
) -> Result<Shortened> {
    let mut case = given.clone();
    let Workload::Check(check) = &given.workload else { return Ok(Shortened { case, changed: Vec::new() }) };
    let mut best = check.clone();
    loop {
        let mut is_smaller = false;
        for index in 0..own_arguments(check) {
            let Some((before, value, after)) = number_in(&best.arguments[index]).map(owned) else { continue };
            let smallest = smallest_failing(value, |tried| {
                let argument = format!("{before}{tried}{after}");
                observe(&argument);
                let mut smaller = best.clone();
                smaller.arguments[index] = argument;
                let found = search(laboratory, &case, smaller, attempts, deadline)?;
                Ok(found.map(|found| case = found).is_some())
            })?;
            if smallest < value {
                best.arguments[index] = format!("{before}{smallest}{after}");
                is_smaller = true;
            }
        }
        // Smaller numbers may let others become smaller.
        if !is_smaller || interrupt::requested() || Instant::now() >= deadline {
            break;
        }
    }
    let pairs = check.arguments.iter().zip(&best.arguments).filter(|(before, after)| before != after);
    let changed = pairs.map(|(before, after)| (before.clone(), after.clone())).collect();
    Ok(Shortened { case, changed })
}

/// Those that come before the ones that run a test.
fn own_arguments(check: &Check) -> usize {
    let of_test = check.test.as_ref().map_or(0, |test| test.framework.run_arguments(&test.name).len());
    check.arguments.len().saturating_sub(of_test)
}

/// The number that an argument ends with, and what stands before it: `1000`, `--rounds=1000`, `-n1000`. Of other words, such as
/// `sha256`, the number is a part of a name.
fn number_in(argument: &str) -> Option<(&str, u64, &str)> {
    let digits = argument.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (before, number) = argument.split_at(argument.len() - digits);
    let letters = before.strip_prefix('-');
    let is_short_option = letters.is_some_and(|letters| letters.len() == 1 && !letters.starts_with('-'));
    let is_number = before.is_empty() || before.ends_with('=') || is_short_option;
    is_number.then_some(())?;
    Some((before, number.parse().ok()?, ""))
}

fn owned((before, value, after): (&str, u64, &str)) -> (String, u64, String) {
    (before.to_owned(), value, after.to_owned())
}

/// The smallest number below `value` that fails, or `value`: powers of two upwards, then between the first that fails and the
/// one before it.
fn smallest_failing(value: u64, mut fails: impl FnMut(u64) -> Result<bool>) -> Result<u64> {
    let mut low = None;
    let mut high = value;
    let powers = std::iter::successors(Some(0_u64), |tried| Some(tried.saturating_mul(2).max(1)));
    for tried in powers.take_while(|tried| *tried < value) {
        if fails(tried)? {
            high = tried;
            break;
        }
        low = Some(tried);
    }
    let Some(mut low) = low else { return Ok(high) };
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fails(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(high)
}

/// The case of an execution with these arguments that fails as the given one does.
fn search(
    laboratory: &mut Laboratory,
    case: &Case,
    smaller: Check,
    attempts: u64,
    deadline: Instant,
) -> Result<Option<Case>> {
    if interrupt::requested() || Instant::now() >= deadline {
        return Ok(None);
    }
    let executed = Executed::Program(Program::of(&smaller));
    let slice = Slice::to_measure(executed, case.settings.seed, 0, attempts);
    let workload: Workload = smaller.into();
    let wanted = Case { workload: workload.clone(), ..case.clone() };
    // It goes on after other failures.
    let work = |limit_ms| Work::Explore(Slice { limit_ms: Some(limit_ms), stop_at_first: false, ..slice });
    let Some(ended) = laboratory.search(&wanted, work, deadline)? else { return Ok(None) };
    let found = ended.earlier.into_iter().chain(ended.found);
    let cases = found.filter_map(|found| {
        let found = found.as_in(&wanted)?;
        Some(findings::case_of(found, &case.settings, workload.clone()))
    });
    Ok(cases.into_iter().find(|smaller| smaller.fingerprint == case.fingerprint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_names() {
        let number = |argument| number_in(argument).map(|(before, value, _)| (before, value));
        assert_eq!(number("1000"), Some(("", 1000)));
        assert_eq!(number("--rounds=12"), Some(("--rounds=", 12)));
        assert_eq!(number("-j8"), Some(("-j", 8)));
        for word in ["sha256", "--mode2", "", "--rounds", "12k", "99999999999999999999999", "-", "--7"] {
            assert_eq!(number(word), None, "{word}");
        }
    }

    #[test]
    fn the_smallest_number_that_fails_is_found_in_few_tries() {
        let mut tried = 0;
        let mut smallest = |value, least| {
            smallest_failing(value, |number| {
                tried += 1;
                Ok(number >= least)
            })
            .expect("nothing goes wrong")
        };
        assert_eq!([smallest(1000, 37), smallest(1000, 0), smallest(1000, 1000)], [37, 0, 1000]);
        assert_eq!([smallest(0, 0), smallest(1, 1), smallest(3, 3), smallest(u64::MAX, u64::MAX)], [0, 1, 3, u64::MAX]);
        assert!(tried < 200, "{tried}");
    }
}
