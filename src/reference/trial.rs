//! Whether a program can get stuck on a runtime that is right, by trial.
#![forbid(unsafe_code)]

use super::model::Model;
use crate::program::Program;
use crate::program::generate::{Decisions, Seeded};

/// Schedules tried.
const TRIALS: u64 = 200;

/// Whether one of some hundred random schedules gets the program stuck. Those of the generator never do.
#[must_use]
pub fn can_get_stuck(program: &Program) -> bool {
    (0..TRIALS).any(|seed| !ends(program, &mut Seeded::new(seed)))
}

/// Lets random tasks take random numbers of steps until the program ends; false if it gets stuck.
pub fn ends(program: &Program, schedule: &mut impl Decisions) -> bool {
    let mut model = Model::new(program);
    let tasks = program.tasks.len() as u32;
    // Long turns let one task run far ahead of the others, short ones mix all.
    let longest = 1 << schedule.below(6);
    while !model.ended() {
        let first = schedule.below(tasks);
        let moved = (0..tasks).map(|turn| (first + turn) % tasks).find(|&task| model.step(task, 0));
        let Some(task) = moved else { return false };
        for _ in 0..schedule.below(longest) {
            if model.ended() || !model.step(task, 0) {
                break;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{from_seed, text};

    #[test]
    fn two_locks_in_opposite_orders_get_stuck_and_generated_programs_do_not() {
        let source = "program\n objects\n mutexes 2\n task 0 main int\n when-all 1 2\n task 1 worker int\n lock 0\n \
            lock 1\n unlock 1\n unlock 0\n task 2 worker int\n lock 1\n lock 0\n unlock 0\n unlock 1\n end";
        assert!(can_get_stuck(&text::parse(source).expect("a valid program")));
        assert!(!can_get_stuck(&from_seed(1, 6)));
    }
}
