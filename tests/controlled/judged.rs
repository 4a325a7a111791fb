//! Random programs: strategies reach every outcome and no other.

use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use threadbare::model::settings::{Engine, Sanitizer, StrategyName};
use threadbare::target::Workshop;

use crate::judge::generate::Shape;
use crate::judge::{Batch, Setting, Verdict};

/// Programs of a source.
const BATCH: u64 = 100;

/// Reads a number from the environment.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().expect("a number"))
}

pub fn trials(workshop: &Arc<Workshop>) -> Vec<Trial> {
    let workshop = workshop.clone();
    vec![Trial::test("judge::trial", move || trial(&workshop))]
}

fn trial(workshop: &Workshop) -> Result<(), Failed> {
    let first = number("JUDGE_SEED", 0);
    let count = number("JUDGE_PROGRAMS", BATCH);
    let word = |name: &str, otherwise: &str| std::env::var(name).unwrap_or(otherwise.to_owned());
    let setting = Setting {
        sanitizer: match &*word("JUDGE_SANITIZER", "none") {
            "thread" => Sanitizer::Thread,
            "address" => Sanitizer::Address,
            _ => Sanitizer::None,
        },
        engine: if word("JUDGE_ENGINE", "fibers") == "threads" { Engine::Threads } else { Engine::Fibers },
        strategy: word("JUDGE_STRATEGY", "exhaustive").parse::<StrategyName>().expect("a strategy"),
        executions: number("JUDGE_EXECUTIONS", 20_000),
    };
    let shape = Shape { operations: number("JUDGE_OPERATIONS", 8) as usize, has_spins: number("JUDGE_SPINS", 0) == 1 };
    let mut different = 0;
    for begin in (first..first + count).step_by(BATCH as usize) {
        let start = std::time::Instant::now();
        let batch = Batch::of(begin..(begin + BATCH).min(first + count), shape);
        let enumerated = start.elapsed();
        let explored = batch.execute(workshop, &setting)?;
        let (mut equal, mut part, mut exhausted, mut executions, mut outcomes, mut spent) = (0, 0, 0, 0, 0, 0);
        let (mut reached, mut racy, mut most) = (0, 0, 0);
        for (case, explored) in batch.cases.into_iter().zip(&explored) {
            executions += explored.executions;
            most = most.max(explored.executions);
            exhausted += u64::from(explored.exhausted);
            spent += u64::from(explored.spent);
            outcomes += case.outcomes.all.len();
            reached += explored.outcomes.len();
            racy += u64::from(case.outcomes.races);
            match case.judge(explored) {
                Verdict::Equal => equal += 1,
                Verdict::Part => part += 1,
                verdict => {
                    different += 1;
                    println!("{case}{verdict}exhausted {}, executions {}", explored.exhausted, explored.executions);
                    if different <= 3 && number("JUDGE_SHRINK", 0) == 1 {
                        println!("smallest: {}", case.shrink(workshop, &setting));
                    }
                }
            }
        }
        println!(
            "from {begin}: {equal} equal, {part} part, {different} different so far, {exhausted} exhausted, {spent} spent, {} too large, \
             {executions} executions (most {most}), {reached} of {outcomes} outcomes, {racy} racy, enumerated in {enumerated:?}, all in {:?}",
            batch.too_large,
            start.elapsed()
        );
    }
    if different > 0 { Err(format!("{different} differ").into()) } else { Ok(()) }
}
