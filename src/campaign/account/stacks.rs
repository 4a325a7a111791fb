//! All that is known of one execution that was replayed to be explained: its steps in words, the calls that led to each, and
//! what happened beside them.

use std::collections::{BTreeMap, HashMap};
use std::env;
use std::fmt::{self, Display, Formatter};

use super::name_of;
use crate::campaign::laboratory::Laboratory;
use crate::campaign::supervisor::Ended;
use crate::campaign::symbols::Symbols;
use crate::evidence::interleaving;
use crate::model::execution::{Aside, Happened, Step, ThreadId};

/// One execution.
#[derive(Clone, Debug, Default)]
pub struct Account {
    pub steps: Vec<interleaving::Step>,
    /// The scheduling points that it had passed at each step.
    pub points: Vec<u64>,
    /// The calls that led to each step: indices of `stacks`.
    pub stack_of: Vec<usize>,
    /// Different lists of calls, the innermost first.
    pub stacks: Vec<Vec<Call>>,
    pub asides: Vec<Aside>,
}

/// A call on a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub function: String,
    /// The file, relative to the current directory if it lies below that; empty if it is not known, and the line is 0 then.
    pub file: String,
    pub line: u32,
}

impl Display for Call {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.function)?;
        if self.line > 0 { write!(formatter, " {}:{}", self.file, self.line) } else { Ok(()) }
    }
}

impl Call {
    /// Whether it is in the program's own sources, and not in a library's header.
    #[must_use]
    pub fn is_own(&self) -> bool {
        !self.file.is_empty() && !super::is_of_the_system(&self.file)
    }
}

impl Account {
    /// That of a replay which came to `report`.
    #[must_use]
    pub fn of(laboratory: &mut Laboratory, ended: &Ended, report: &str) -> Self {
        let object = laboratory.target().object.clone();
        let steps = super::shown(&ended.outcome.steps, &object, laboratory.symbols(), report);
        let (stack_of, stacks) = stacks(&ended.outcome.steps, &object.to_string_lossy(), laboratory.symbols());
        let points = ended.outcome.steps.iter().map(|step| step.point).collect();
        Self { steps, points, stack_of, stacks, asides: ended.asides.clone() }
    }

    /// The calls that led to a step, the innermost first.
    #[must_use]
    pub fn stack(&self, step: usize) -> &[Call] {
        self.stack_of.get(step).and_then(|stack| self.stacks.get(*stack)).map_or(&[], Vec::as_slice)
    }

    /// Who waited, from which step on, which was the first after it, and in what; of `end` steps.
    #[must_use]
    pub fn waits(&self, end: usize) -> Vec<(ThreadId, usize, usize, String)> {
        let mut waits = Vec::new();
        let mut open: BTreeMap<ThreadId, (usize, String)> = BTreeMap::new();
        for aside in &self.asides {
            match &aside.what {
                Happened::Blocked(thread, primitive) => {
                    open.insert(*thread, (aside.step, primitive.clone()));
                }
                Happened::Unblocked(thread) => {
                    waits.extend(open.remove(thread).map(|(from, what)| (*thread, from, aside.step, what)));
                }
                Happened::Recorded(_) => {}
            }
        }
        // To the end, and beyond: nobody wakes them.
        waits.extend(open.into_iter().map(|(thread, (from, what))| (thread, from, end + 1, what)));
        waits.sort();
        waits
    }
}

/// The stacks of steps, each once, of a module whose frames were learnt.
fn stacks(steps: &[Step], module: &str, symbols: &Symbols) -> (Vec<usize>, Vec<Vec<Call>>) {
    let here = env::current_dir().map(|path| format!("{}/", path.display())).unwrap_or_default();
    let mut known: HashMap<&[u64], usize> = HashMap::new();
    let mut stacks = Vec::new();
    let stack_of = steps.iter().map(|step| {
        *known.entry(&step.frames).or_insert_with(|| {
            let calls = step.frames.iter().flat_map(|offset| symbols.at(module, *offset));
            stacks.push(calls.map(|frame| call(&frame.function, &frame.place, &here)).collect());
            stacks.len() - 1
        })
    });
    (stack_of.collect(), stacks)
}

fn call(function: &str, place: &str, here: &str) -> Call {
    let function = name_of(function).to_owned();
    let place = place.strip_prefix(here).unwrap_or(place).trim_start_matches("./");
    let mut parts = place.split(':');
    let file = parts.next().filter(|file| !file.starts_with('<'));
    match (file, parts.next().and_then(|line| line.parse().ok())) {
        (Some(file), Some(line)) if line > 0 => Call { function, file: file.to_owned(), line },
        _ => Call { function, file: String::new(), line: 0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_name_files_below_the_current_directory_shortly() {
        let call = |place| call("app::take(int)", place, "/home/me/");
        let of = |file: &str, line| Call { function: "app::take".to_owned(), file: file.to_owned(), line };
        assert_eq!(call("/home/me/src/a.cpp:12"), of("src/a.cpp", 12));
        assert_eq!(call("/usr/include/c++/14/atomic:500"), of("/usr/include/c++/14/atomic", 500));
        assert_eq!(call("././cpp/a.hpp:3"), of("cpp/a.hpp", 3));
        assert_eq!([call("<null>"), call("/home/me/a.cpp:?")], [of("", 0), of("", 0)]);
    }
}
