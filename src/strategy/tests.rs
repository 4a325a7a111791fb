//! Strategies on toy programs.

mod brute_force;

use std::collections::BTreeSet;

use super::*;
use crate::control::simulator::{Instruction, Outcome, Program, Simulator};
use crate::model::schedule::Injection;
use crate::task_graph::Injections;
use brute_force::BruteForce;

/// What executions can come to.
type Seen = BTreeSet<(bool, Vec<Vec<i64>>, Vec<i64>)>;

/// Runs a program until the strategy is done; what was seen, and in how many executions.
fn exhaust(strategy: Box<dyn Strategy + Send>, program: &Program, injections: Injections) -> (Seen, u64) {
    const MOST: u64 = 400_000;
    let mut simulator = Simulator::new(strategy).with_injections(injections);
    let mut seen = Seen::new();
    for executions in 1..=MOST {
        let outcome = simulator.run(program, 0);
        let (completed, registers, objects) = outcome.seen();
        // Threads are told apart by what they saw, not by the order of their creation.
        seen.insert((completed, registers.to_vec(), objects.to_vec()));
        if simulator.search_ended() {
            return (seen, executions);
        }
    }
    panic!("not done after {MOST} executions");
}

fn condition_queue(limit: Option<u64>) -> Program {
    let wait = Instruction::Wait { condition: 0, mutex: 0, limit };
    let waiter = vec![Instruction::Lock(0), wait, Instruction::Unlock(0)];
    vec![vec![Instruction::Start(1), Instruction::Start(1), Instruction::Notify(0), Instruction::Store(0, 1)], waiter]
}

/// Small programs with every kind of choice.
fn small_programs() -> Vec<(&'static str, Program, Injections)> {
    let none = Injections::default;
    let fails = Injections::of(&[Injection::Eio]);
    let nested = vec![
        vec![Instruction::Start(1), Instruction::Start(1)],
        vec![Instruction::Start(2)],
        vec![Instruction::Add(0, 1)],
    ];
    let independent = vec![
        vec![Instruction::Start(1), Instruction::Start(2)],
        vec![Instruction::Load(0), Instruction::Load(1)],
        vec![Instruction::Load(0)],
    ];
    let message = vec![
        vec![Instruction::Start(1), Instruction::Store(0, 1), Instruction::Store(1, 1)],
        vec![Instruction::Load(1), Instruction::Load(0)],
    ];
    let three = vec![
        vec![Instruction::Start(1), Instruction::Start(2), Instruction::Load(0)],
        vec![Instruction::Store(0, 1)],
        vec![Instruction::Store(0, 2), Instruction::Load(1)],
    ];
    vec![
        ("lost update", lost_update(), none()),
        ("lock order", lock_order(), none()),
        (
            "reorder",
            vec![
                vec![Instruction::Start(1), Instruction::Start(2)],
                vec![Instruction::Store(0, 1), Instruction::Store(1, -1)],
                vec![Instruction::Load(0), Instruction::Load(1)],
            ],
            none(),
        ),
        ("threads that create threads", nested, none()),
        ("reads alone", independent, none()),
        ("a message", message, none()),
        ("three writers", three, none()),
        ("a condition", condition_queue(None), none()),
        (
            "a timed wait",
            vec![
                vec![Instruction::Start(1), Instruction::Lock(0), Instruction::Notify(0), Instruction::Unlock(0)],
                condition_queue(Some(1_000)).remove(1),
            ],
            none(),
        ),
        (
            "files that fail",
            vec![vec![Instruction::Start(1), Instruction::File], vec![Instruction::File, Instruction::Store(0, 1)]],
            fails,
        ),
    ]
}

#[test]
fn exhaustive_sees_every_outcome_that_brute_force_sees_in_no_more_executions() {
    for (name, program, injections) in small_programs() {
        let (all, brute) = exhaust(Box::new(BruteForce::default()), &program, injections);
        let (seen, executions) = exhaust(Box::new(Exhaustive::new()), &program, injections);
        assert_eq!(seen, all, "{name}");
        assert!(executions <= brute, "{name}: {executions} of {brute}");
        println!("{name}: {executions} executions in place of {brute}, {} outcomes", all.len());
    }
}

#[test]
fn a_bound_on_preemptions_leaves_out_only_what_needs_more() {
    for (name, program, injections) in small_programs() {
        let (all, brute) = exhaust(Box::new(BruteForce::default()), &program, injections);
        let mut before = Seen::new();
        for bound in 0..=8 {
            let (seen, executions) = exhaust(Box::new(Bounded::within(bound)), &program, injections);
            assert!(before.is_subset(&seen) && executions <= brute, "{name}, {bound}");
            before = seen;
        }
        assert_eq!(before, all, "{name}: eight preemptions are enough for so small a program");
    }
    let outcomes = |bound| exhaust(Box::new(Bounded::within(bound)), &lost_update(), Injections::default()).0;
    let lost = |seen: &Seen| seen.iter().any(|(_, _, objects)| objects[0] == 1);
    assert!(!lost(&outcomes(0)) && lost(&outcomes(1)), "a lost update needs one preemption");
}

/// One thread stores 1 and then 2; the other one looks, waits for so many rounds and looks again.
fn bounded_wait(rounds: u32, polite: bool) -> Program {
    vec![
        vec![Instruction::Start(1), Instruction::Store(0, 1), Instruction::Store(0, 2), Instruction::Join(1)],
        vec![Instruction::Load(0), Instruction::Poll(0, rounds, polite), Instruction::Load(0)],
    ]
}

#[test]
fn what_lies_behind_a_loop_of_a_hundred_rounds_is_reached() {
    for word in ["random", "pos", "surw", "rff", "portfolio"] {
        for (rounds, polite) in [(1, true), (16, true), (100, true), (16, false), (100, false)] {
            for trial in 0..5 {
                let stale = |outcome: &Outcome| outcome.registers.last().is_some_and(|seen| seen == &[1, 1, 1]);
                let found = executions_until(word, &bounded_wait(rounds, polite), trial, 5_000, stale);
                assert!(found.is_some(), "{word}, {rounds} rounds, {polite}, trial {trial}");
            }
        }
    }
}

#[test]
fn exhaustive_counts_what_it_left_out() {
    let left_out = |program: &Program| {
        let mut simulator = simulator("exhaustive");
        while !simulator.search_ended() {
            simulator.run(program, 0);
        }
        simulator.left_out()
    };
    for (name, program, injections) in small_programs() {
        if injections == Injections::default() {
            assert!(left_out(&program).is_empty(), "{name}");
        }
    }
    for rounds in [2, 100] {
        assert!(
            left_out(&bounded_wait(rounds, true)).is_empty(),
            "a search begins anew until it may come back so often"
        );
    }
    assert!(left_out(&bounded_wait(1_000, true)).set_aside > 0);
    let idle = vec![vec![Instruction::Start(1)], vec![Instruction::Idle]];
    assert!(left_out(&idle).cut > 0, "it does not end by itself");
}

#[test]
fn exhaustive_ends_on_loops_that_wait() {
    for polite in [false, true] {
        let program = vec![
            vec![Instruction::Start(1), Instruction::Store(1, 1), Instruction::Store(0, 1)],
            vec![Instruction::Await(0, 1, polite), Instruction::Load(1)],
        ];
        let (seen, executions) = exhaust(Box::new(Exhaustive::new()), &program, Injections::default());
        assert_eq!(seen.len(), 1, "the message is always there");
        assert!(executions < 20_000, "{executions}");
    }
}

#[test]
fn a_loop_that_waits_costs_hundreds_of_points_under_every_strategy() {
    for waiters in [1, 8] {
        for polite in [false, true] {
            let mut main = vec![Instruction::Start(1); waiters];
            main.extend([
                Instruction::Start(2),
                Instruction::Lock(0),
                Instruction::Store(1, 1),
                Instruction::Unlock(0),
                Instruction::Store(0, 1),
            ]);
            let worker = vec![Instruction::Add(2, 1); 40];
            let program = vec![main, vec![Instruction::Await(0, 1, polite)], worker];
            for word in WORDS {
                let mut simulator = simulator(word);
                for seed in 0..100 {
                    let outcome = simulator.run(&program, seed);
                    assert!(
                        outcome.completed && outcome.points - simulator.stayed() < 800 * (1 + waiters as u64),
                        "{word}, {waiters}, {polite}: {outcome:?}"
                    );
                    assert!(simulator.stayed() <= 2_048, "{word}, {waiters}, {polite}: {outcome:?}");
                }
            }
        }
    }
}

#[test]
fn a_loop_with_time_outs_lets_others_run_under_every_strategy_that_draws() {
    let round = [
        Instruction::Lock(0),
        Instruction::Wait { condition: 1, mutex: 0, limit: Some(1_000_000_000) },
        Instruction::Unlock(0),
    ];
    let mut waiter = round.repeat(100);
    waiter.push(Instruction::Load(0));
    let mut worker = vec![Instruction::Add(2, 1); 20];
    worker.push(Instruction::Store(0, 1));
    let program = vec![vec![Instruction::Start(1), Instruction::Start(2)], waiter, worker];
    for word in WORDS.into_iter().filter(|word| !word.starts_with("exhaustive")) {
        let mut simulator = simulator(word);
        for seed in 0..200 {
            let outcome = simulator.run(&program, seed);
            assert!(outcome.completed, "{word}, seed {seed}: {outcome:?}");
            assert_eq!(outcome.registers[1].last(), Some(&1), "{word}, seed {seed}: nobody else ran in 100 time-outs");
        }
    }
}

#[test]
fn what_every_strategy_executed_replays() {
    for (name, program, injections) in small_programs() {
        for word in WORDS {
            let mut simulator = simulator(word).with_injections(injections);
            for seed in 0..30 {
                let outcome = simulator.run(&program, seed);
                let schedule = simulator.schedule();
                let again = simulator.replay(&program, schedule);
                assert_eq!(again, outcome, "{name}, {word}, seed {seed}");
            }
        }
    }
}

#[test]
fn what_a_strategy_does_depends_on_seeds_and_on_executions_since_it_forgot() {
    for word in WORDS {
        let (mut one, mut other) = (simulator(word), simulator(word));
        for seed in 0..50 {
            other.run(&reorder(3), seed);
        }
        other.forget();
        for seed in 0..200 {
            assert_eq!(one.run(&lost_update(), seed), other.run(&lost_update(), seed), "{word}, seed {seed}");
            assert_eq!(one.schedule(), other.schedule(), "{word}, seed {seed}");
        }
    }
}

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
    let add = vec![Instruction::Load(0), Instruction::StoreLast(0, 1)];
    vec![
        vec![
            Instruction::Start(1),
            Instruction::Start(1),
            Instruction::Join(1),
            Instruction::Join(2),
            Instruction::Load(0),
        ],
        add,
    ]
}

/// Two threads take two mutexes in different orders.
fn lock_order() -> Program {
    let both = |first, second| {
        vec![
            Instruction::Lock(first),
            Instruction::Lock(second),
            Instruction::Unlock(second),
            Instruction::Unlock(first),
        ]
    };
    vec![
        vec![Instruction::Start(1), Instruction::Start(2), Instruction::Join(1), Instruction::Join(2)],
        both(0, 1),
        both(1, 0),
    ]
}

/// `setters` threads set one object and then another; the last thread looks whether it sees just the first.
fn reorder(setters: usize) -> Program {
    let mut main = vec![Instruction::Start(1); setters];
    main.push(Instruction::Start(2));
    main.extend((1..=setters + 1).map(|thread| Instruction::Join(thread as ThreadId)));
    vec![
        main,
        vec![Instruction::Store(0, 1), Instruction::Store(1, -1)],
        vec![Instruction::Load(0), Instruction::Load(1)],
    ]
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

#[test]
#[ignore = "prints how long a point takes under each strategy"]
fn throughput() {
    let program = reorder(2);
    for word in WORDS {
        let mut simulator = simulator(word);
        let mut points = 0;
        let started = std::time::Instant::now();
        for seed in 0..200_000 {
            points += simulator.run(&program, seed).points;
        }
        let nanoseconds = started.elapsed().as_nanos() as u64;
        println!("{word:12} {} ns a point, {} points, the simulator included", nanoseconds / points, points / 200_000);
    }
}
