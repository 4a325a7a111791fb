//! Strategies on toy programs.

use std::collections::BTreeSet;

use super::*;
use crate::control::simulator::{Op, Outcome, Program, Simulator};
use crate::program::Injections;

const WORDS: [&str; 11] = [
    "random",
    "random:0.1",
    "pct",
    "pct:3",
    "pos",
    "surw",
    "rff",
    "exhaustive",
    "exhaustive:2",
    "portfolio",
    "random:1",
];

fn simulator(word: &str) -> Simulator {
    Simulator::new(by_name(word.parse().expect("a strategy")))
}

/// Two threads add 1 to an object in two steps each.
fn lost_update() -> Program {
    let add = vec![Op::Load(0), Op::StoreLast(0, 1)];
    vec![vec![Op::Start(1), Op::Start(1), Op::Join(1), Op::Join(2), Op::Load(0)], add]
}

/// Two threads take two mutexes in different orders.
fn lock_order() -> Program {
    let both = |first, second| vec![Op::Lock(first), Op::Lock(second), Op::Unlock(second), Op::Unlock(first)];
    vec![vec![Op::Start(1), Op::Start(2), Op::Join(1), Op::Join(2)], both(0, 1), both(1, 0)]
}

/// `setters` threads set one object and then another; the last thread looks whether it sees just the first.
fn reorder(setters: usize) -> Program {
    let mut main = vec![Op::Start(1); setters];
    main.push(Op::Start(2));
    main.extend((1..=setters + 1).map(|thread| Op::Join(thread as ThreadId)));
    vec![main, vec![Op::Store(0, 1), Op::Store(1, -1)], vec![Op::Load(0), Op::Load(1)]]
}

fn is_reordered(outcome: &Outcome) -> bool {
    outcome.registers.last().is_some_and(|registers| registers == &[1, 0])
}

/// The number of the first execution, from 1 on, that is as wanted.
fn executions_until(
    word: &str,
    program: &Program,
    trial: u64,
    most: u64,
    wanted: impl Fn(&Outcome) -> bool,
) -> Option<u64> {
    let mut simulator = simulator(word);
    (1..=most).find(|&execution| wanted(&simulator.run(program, trial << 32 | execution)))
}

fn median(mut values: Vec<Option<u64>>) -> Option<u64> {
    values.sort_by_key(|value| value.unwrap_or(u64::MAX));
    values[values.len() / 2]
}

#[test]
fn every_strategy_finds_a_lost_update_and_a_deadlock() {
    for word in WORDS {
        for trial in 0..20 {
            let lost = executions_until(word, &lost_update(), trial, 500, |outcome| outcome.objects[0] == 1);
            assert!(lost.is_some(), "{word}, trial {trial}: a lost update");
            let stuck = executions_until(word, &lock_order(), trial, 500, |outcome| outcome.stuck);
            assert!(stuck.is_some(), "{word}, trial {trial}: a deadlock");
        }
    }
}

#[test]
fn one_rare_order_of_a_hundred_threads_is_found_by_feedback() {
    let program = reorder(99);
    for word in ["rff", "portfolio"] {
        for trial in 0..20 {
            let found = executions_until(word, &program, trial, 1_000, is_reordered);
            assert!(found.is_some(), "{word}, trial {trial}");
        }
    }
}

#[test]
#[ignore = "prints how many executions each strategy needs"]
fn medians() {
    for (name, program, wanted) in [
        ("lost update", lost_update(), (|outcome| outcome.objects[0] == 1) as fn(&Outcome) -> bool),
        ("lock order", lock_order(), |outcome| outcome.stuck),
        ("reorder 5", reorder(4), is_reordered),
        ("reorder 20", reorder(19), is_reordered),
        ("reorder 100", reorder(99), is_reordered),
    ] {
        for word in WORDS {
            let trials = (0..20).map(|trial| executions_until(word, &program, trial, 2_000, wanted)).collect();
            println!("{name:12} {word:12} {:?}", median(trials));
        }
    }
}
