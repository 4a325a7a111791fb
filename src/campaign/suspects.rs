//! Executions one of which lost memory. Looking again, after every few of them, tells which.

use super::job::{LeakWindow, Slice, Work};
use super::plan::Share;
use super::supervisor::Found;
use crate::input::Input;

/// They are executed once more in so many parts, with a look for leaks after each.
const PARTS: u64 = 64;

/// The executions.
pub enum Suspects {
    /// Of a slice, made again from their numbers.
    Slice(Share),
    /// Of a coverage-guided campaign, by their numbers and inputs.
    Inputs { cell: usize, inputs: Vec<(u64, Vec<u8>)> },
}

impl Suspects {
    pub fn cell(&self) -> usize {
        match self {
            Self::Slice(share) => share.cell,
            Self::Inputs { cell, .. } => *cell,
        }
    }

    pub fn count(&self) -> u64 {
        match self {
            Self::Slice(share) => share.count,
            Self::Inputs { inputs, .. } => inputs.len() as u64,
        }
    }

    /// What a worker does that executes them again, by what it does with a slice.
    pub fn work(&self, slice: impl FnOnce(&Share) -> Work) -> Work {
        let every = self.count().div_ceil(PARTS);
        match self {
            Self::Slice(share) => match slice(share) {
                Work::Explore(slice) => {
                    Work::Explore(Slice { leak_check_every: every, limit_ms: None, audit: false, ..slice })
                }
                other => other,
            },
            Self::Inputs { inputs, .. } => {
                Work::Narrow { inputs: inputs.iter().map(|(_, input)| input.clone()).collect(), every }
            }
        }
    }

    /// Those of a window that a worker named which executed them.
    pub fn within(self, window: LeakWindow) -> Self {
        match self {
            Self::Slice(share) => Self::Slice(Share { first: window.first, count: window.count, ..share }),
            Self::Inputs { cell, mut inputs } => {
                inputs.drain(..(window.first as usize).min(inputs.len()));
                inputs.truncate(window.count as usize);
                Self::Inputs { cell, inputs }
            }
        }
    }

    /// What such a worker found, with the number that the execution has in the campaign.
    pub fn numbered(&self, found: Found) -> Found {
        let execution = match self {
            Self::Slice(_) => found.execution,
            Self::Inputs { inputs, .. } => {
                inputs.get(found.execution as usize).map_or(found.execution, |(number, _)| *number)
            }
        };
        Found { execution, ..found }
    }

    /// What is reported, from what was found before, if it was not found out which one it is.
    pub fn undecided(&self, found: Found, interrupted: bool) -> Found {
        let count = self.count();
        let why = if interrupted {
            format!("interrupted before it was known which of {count} executions lost memory")
        } else {
            format!("none of {count} executions loses memory by itself")
        };
        let found = Found { timeline: format!("{why}; this is one of them\n\n{}", found.timeline), ..found };
        match self {
            Self::Slice(_) => found,
            Self::Inputs { inputs, .. } => match inputs.last() {
                Some((execution, bytes)) => Found { execution: *execution, input: Input::decode(bytes).ok(), ..found },
                None => found,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_of_numbers_in_a_slice_and_of_places_among_inputs() {
        let window = LeakWindow { first: 2, count: 2 };
        let slice = Suspects::Slice(Share { cell: 1, first: 0, count: 10, limit: None }).within(window);
        assert!(matches!(slice, Suspects::Slice(Share { cell: 1, first: 2, count: 2, .. })));
        let inputs = (10..15).map(|number| (number, vec![number as u8])).collect();
        let within = Suspects::Inputs { cell: 3, inputs }.within(window);
        assert_eq!((within.cell(), within.count()), (3, 2));
        assert!(matches!(within, Suspects::Inputs { inputs, .. } if inputs == [(12, vec![12]), (13, vec![13])]));
    }
}
