//! Random programs under control: `exhaustive` reaches every outcome and no other, and what draws lots reaches them in time.
//!
//! `THREADBARE_JUDGE_TIMES` makes it so many times as many programs, and `THREADBARE_JUDGE_SEED` says with which seed they
//! begin. With `THREADBARE_JUDGE_SPINS=1` they also have loops that wait for a value, yields, pauses and sleeps.

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use threadbare::model::settings::{Engine, Sanitizer, StrategyName};
use threadbare::target::Workshop;

use super::harness::SANITIZERS;
use crate::judge::generate::Shape;
use crate::judge::{Batch, Case, Explored, Setting, Verdict, known};

/// Programs of one source.
const BATCH: u64 = 100;
/// Programs of which a part was reached are executed so many times as often.
const LONGER: u64 = 64;
/// Programs that are shown with a smaller one, of those that differ.
const SHOWN: usize = 3;

/// Programs that are judged in one way.
#[derive(Clone, Copy)]
struct Plan {
    setting: Setting,
    programs: u64,
    shape: Shape,
    /// Of which so many at least must have exactly their outcomes, in percent.
    equal: usize,
}

const LARGE: Shape = Shape { operations: 8, has_spins: false };
const SMALL: Shape = Shape { operations: 5, has_spins: false };

fn plans(has_fibers: bool) -> Vec<Plan> {
    let engines: &[Engine] = if has_fibers { &[Engine::Fibers, Engine::Threads] } else { &[Engine::Threads] };
    let mut plans = Vec::new();
    for &engine in engines {
        for sanitizer in SANITIZERS {
            // Under ThreadSanitizer, and where a deadlock ends the process, an execution takes longer.
            let (programs, executions, shape) = match (engine, sanitizer) {
                (Engine::Fibers, Sanitizer::None) => (300, 30_000, LARGE),
                (_, Sanitizer::Thread) => (30, 200, SMALL),
                _ => (50, 500, SMALL),
            };
            let setting = Setting { sanitizer, engine, strategy: StrategyName::Exhaustive, executions };
            // With real threads an execution that stops midway may be the last of the process.
            plans.push(Plan { setting, programs, shape, equal: if engine == Engine::Fibers { 100 } else { 50 } });
        }
    }
    for strategy in [
        StrategyName::Random,
        StrategyName::Pct,
        StrategyName::Pos,
        StrategyName::Surw,
        StrategyName::Rff,
        StrategyName::Portfolio,
    ] {
        let setting = Setting { sanitizer: Sanitizer::None, engine: engines[0], strategy, executions: 1_000 };
        plans.push(Plan { setting, programs: 25, shape: SMALL, equal: 95 });
    }
    plans
}

pub fn trials(workshop: &Arc<Workshop>) -> Vec<Trial> {
    let mut trials: Vec<_> = known::TESTS.iter().map(|&(name, body)| known(name, body)).collect();
    for plan in plans(workshop.toolchain.is_clang) {
        let Setting { sanitizer, engine, strategy, .. } = plan.setting;
        let name = format!(
            "judge::{strategy}_reaches_the_outcomes_of_random_programs_and_no_others, engine {}, sanitizer {}",
            engine_word(engine),
            sanitizer.word()
        );
        let workshop = workshop.clone();
        trials.push(Trial::test(name, move || plan.judge(&workshop)));
    }
    trials
}

fn engine_word(engine: Engine) -> &'static str {
    match engine {
        Engine::Fibers => "fibers",
        Engine::Threads => "threads",
        Engine::Free => "free",
    }
}

fn known(name: &'static str, body: fn()) -> Trial {
    Trial::test(format!("judge::{name}"), move || {
        body();
        Ok(())
    })
}

/// A number from the environment.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// What came of the programs of a plan.
#[derive(Default)]
struct Count {
    programs: usize,
    equal: usize,
    /// Seeds of those of which a part was reached.
    in_part: Vec<u64>,
    search_ended: usize,
    /// Programs with too many states.
    left_out: usize,
    executions: u64,
    reached: usize,
    outcomes: usize,
    different: Vec<Case>,
}

impl Plan {
    fn seeds(&self) -> impl Iterator<Item = Range<u64>> {
        let first = number("THREADBARE_JUDGE_SEED", 0);
        let end = first + self.programs * number("THREADBARE_JUDGE_TIMES", 1);
        (first..end).step_by(BATCH as usize).map(move |begin| begin..(begin + BATCH).min(end))
    }

    /// The programs of one source, each with what came of it. Of some a search of all executions reaches a part only, since
    /// they have thousands of outcomes: those it goes on with.
    fn explore(&self, batch: Batch, workshop: &Workshop) -> Result<Vec<(Case, Explored)>, String> {
        let explored = batch.execute(workshop, &self.setting)?;
        let all = batch.cases.into_iter().zip(explored);
        let is_large = |(case, explored): &(Case, Explored)| {
            self.setting.strategy == StrategyName::Exhaustive
                && case.judge(explored, &self.setting) == Verdict::Part
                && !explored.spent
        };
        let (large, mut all): (Vec<_>, Vec<_>) = all.partition(is_large);
        for (case, _) in large {
            let setting = Setting { executions: self.setting.executions * LONGER, ..self.setting };
            let alone = Batch { cases: vec![case], left_out: 0 };
            let explored = alone.execute(workshop, &setting)?;
            all.extend(alone.cases.into_iter().zip(explored));
        }
        Ok(all)
    }

    fn judge(&self, workshop: &Workshop) -> Result<(), Failed> {
        let mut count = Count::default();
        let mut told = String::new();
        for seeds in self.seeds() {
            let shape = Shape { has_spins: number("THREADBARE_JUDGE_SPINS", 0) == 1, ..self.shape };
            let batch = Batch::of(seeds, shape);
            count.left_out += batch.left_out;
            for (case, explored) in self.explore(batch, workshop)? {
                count.programs += 1;
                count.executions += explored.executions;
                count.search_ended += usize::from(explored.search_ended);
                count.outcomes += case.outcomes.all.len();
                count.reached += explored.outcomes.len();
                match case.judge(&explored, &self.setting) {
                    Verdict::Equal => count.equal += 1,
                    Verdict::Part => count.in_part.push(case.seed),
                    verdict => {
                        let _ = write!(told, "\n{case}{verdict}");
                        count.different.push(case);
                    }
                }
            }
        }
        let Count { programs, equal, in_part, search_ended, left_out, executions, reached, outcomes, different } =
            count;
        let line = format!(
            "{programs} programs: {equal} equal, {} in part, {} different, {left_out} left out; {search_ended} with every \
             schedule; {reached} of {outcomes} outcomes; {executions} executions",
            in_part.len(),
            different.len()
        );
        println!("{:?}: {line}; in part: seeds {in_part:?}", self.setting);
        for case in different.into_iter().take(SHOWN) {
            let _ = write!(told, "\nsmaller: {}", case.minimise(workshop, &self.setting));
        }
        if !told.is_empty() || equal * 100 < programs * self.equal {
            return Err(format!("{line}{told}").into());
        }
        Ok(())
    }
}
