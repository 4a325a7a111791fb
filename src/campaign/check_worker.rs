//! What a worker does with a program under check: executes its `main` again and again, and judges how each ended.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::audit::{OUTSIDE, difference};
use super::fingerprint::fingerprint;
use super::job::{self, Audited, CheckSlice, Comparison, Divergence, Failed, Outcome, Program};
use super::seed;
use crate::control::Budget;
use crate::control::{Mode, Session};
use crate::model::execution::Ending;
use crate::model::schedule::Schedule;
use crate::model::verdict::{Failure, Judgement, Verdict};
use crate::oracle::exit;
use crate::process;
use crate::target::Built;
use crate::task_graph::Injections;

/// Step budget of an execution.
const MOST_POINTS: u64 = 1 << 20;
/// Half of that, but no more than this times the longest execution that ended, everyone gets their share; at least half of
/// `FEWEST_POINTS`.
const BUDGET_FACTOR: u64 = 50;
const FEWEST_POINTS: u64 = 20_000;
/// Schedules of an audit that are kept.
const MAX_AUDITED: usize = 2_000;
/// Executions after which what they printed is thrown away, if it is much.
const STDERR_LOOKS: u64 = 16;
/// Executions after which counts of what was found before are kept.
const COUNTS_KEPT: u64 = 4096;
/// What strategies plan with while nothing is known.
const EXPECTED_POINTS: u64 = 100;

/// Executes a program under check.
pub(super) struct Checker<'a> {
    session: &'a mut Session,
    outcome: &'a mut Outcome,
    /// Scheduling points of the longest execution that ended by itself.
    longest: Option<u64>,
    /// Fingerprints of what was found before.
    known: Vec<String>,
    /// Some execution did not come to its end.
    has_livelock: bool,
}

impl<'a> Checker<'a> {
    /// Loads the program.
    ///
    /// # Errors
    /// It cannot be loaded.
    pub fn load(session: &'a mut Session, outcome: &'a mut Outcome, target: &Built, program: &Program) -> Result<Self> {
        session.load_image(&target.object, &program.arguments)?;
        session.set_injections(Injections::of(&program.injections));
        Ok(Self { session, outcome, longest: None, known: Vec::new(), has_livelock: false })
    }

    /// Explores a slice, up to its end or to a finding that the process does not survive. What it finds before that is
    /// kept in the file `so_far`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn explore(&mut self, slice: &CheckSlice, so_far: &Path) -> Result<()> {
        let started = Instant::now();
        let limit = slice.limit_ms.map(Duration::from_millis);
        self.known.clone_from(&slice.known);
        self.session.know_reports(&slice.known_reports);
        for execution in slice.first..slice.first.saturating_add(slice.count) {
            if limit.is_some_and(|limit| started.elapsed() >= limit) {
                break;
            }
            if execution.is_multiple_of(STDERR_LOOKS) {
                process::shorten_stderr();
            }
            let found = self.outcome.earlier.len();
            let seed = seed::schedule_seed(slice.seed, 1, execution);
            let flow = if slice.audit { self.audit(execution, seed) } else { self.execute(execution, seed) };
            if flow.is_break() || (slice.stop_at_first && !self.outcome.earlier.is_empty()) {
                break;
            }
            if self.session.exhausted() {
                self.outcome.exhausted = true;
                break;
            }
            let counts = execution.is_multiple_of(COUNTS_KEPT) && !self.outcome.repeated.is_empty();
            if self.outcome.earlier.len() > found || counts {
                job::replace(so_far, self.outcome)?;
            }
        }
        Ok(())
    }

    /// Executes schedules, each of which must end as it did before.
    pub fn compare(&mut self, comparison: &Comparison) {
        for (number, audited) in (comparison.first..).zip(&comparison.audited) {
            let budget = if audited.ending.starts_with("OutOfSteps") { audited.schedule.points() } else { MOST_POINTS };
            let mode = Mode::Replay(&audited.schedule);
            let execution = self.session.execute_image(number, mode, budget, EXPECTED_POINTS);
            self.outcome.executions += 1;
            self.outcome.points += execution.points;
            self.outcome.diverged = match &execution.ending {
                Ending::Diverged { step, why } => Some(Divergence { step: *step, why: why.clone() }),
                ending if format!("{ending:?}") != audited.ending => {
                    let why = format!("it ended as {ending:?}, and before as {}", audited.ending);
                    Some(Divergence { step: execution.points, why })
                }
                _ => None,
            };
            if self.outcome.diverged.is_some() || self.session.is_spent() {
                return;
            }
        }
    }

    /// Executes a recorded schedule, keeping every step.
    pub fn replay(&mut self, schedule: &Schedule, expected: Verdict) {
        // What did not end within a budget does not end within it again.
        let budget = if expected == Verdict::Livelock { schedule.points() } else { MOST_POINTS };
        let (execution, steps) = self.session.log_image(0, Mode::Replay(schedule), budget);
        let (ending, reports) = (execution.ending.clone(), execution.reports);
        self.outcome.points += execution.points;
        self.outcome.steps = steps;
        if let Ending::Diverged { step, why } = &ending {
            self.outcome.executions += 1;
            self.outcome.diverged = Some(Divergence { step: *step, why: why.clone() });
            return;
        }
        let _ = self.judge(0, &ending, reports);
        // What a replay comes to is its end.
        self.outcome.failed = self.outcome.failed.take().or_else(|| self.outcome.earlier.pop());
    }

    /// Everyone gets their share soon, by what others took. But an execution that takes longer than those may yet end, so
    /// only what does not end within all the points is a livelock; once one is known, others need not take so long.
    fn budget(&self) -> Budget {
        let soon =
            self.longest.map_or(MOST_POINTS, |longest| (longest * BUDGET_FACTOR).clamp(FEWEST_POINTS, MOST_POINTS));
        Budget { points: if self.has_livelock { soon } else { MOST_POINTS }, fair_after: soon / 2 }
    }

    fn execute(&mut self, number: u64, seed: u64) -> ControlFlow<()> {
        let (budget, expected) = (self.budget(), self.longest.unwrap_or(EXPECTED_POINTS));
        let execution = self.session.execute_image(number, Mode::Explore { seed }, budget, expected);
        let (points, reports) = (execution.points, execution.reports);
        self.outcome.points += points;
        if reports == 0 && exit::judge(&execution.ending) == Judgement::Right {
            self.outcome.executions += 1;
            self.longest = self.longest.max(Some(points));
            return if self.session.is_spent() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        }
        let ending = execution.ending.clone();
        self.judge(number, &ending, reports)
    }

    /// Judges an execution that may have failed, and says whether the process can go on.
    fn judge(&mut self, number: u64, ending: &Ending, reports: u32) -> ControlFlow<()> {
        self.outcome.executions += 1;
        let failure = match exit::judge(ending) {
            Judgement::Right => None,
            Judgement::Wrong(failure) => Some(failure),
            Judgement::Incomparable(_, what) => {
                self.outcome.unsupported = Some(what);
                return ControlFlow::Break(());
            }
        };
        // A report is told from known ones by the supervisor, from its text: this process ends with it.
        if reports > 0 {
            self.outcome.failed = Some(self.failed(number, failure, reports));
            return ControlFlow::Break(());
        }
        if let Some(failure) = failure {
            self.has_livelock |= failure.verdict == Verdict::Livelock;
            let print = fingerprint(&failure);
            if self.known.contains(&print) {
                *self.outcome.repeated.entry(print).or_default() += 1;
            } else {
                self.known.push(print);
                let failed = self.failed(number, Some(failure), 0);
                self.outcome.earlier.push(failed);
            }
        }
        if self.session.is_spent() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn failed(&self, number: u64, failure: Option<Failure>, reports: u32) -> Failed {
        Failed {
            execution: number,
            failures: Vec::from_iter(failure),
            reports,
            timeline: String::new(),
            schedule: Some(self.session.schedule()),
            signatures: self.session.report_signatures(),
        }
    }

    /// Executes a schedule twice, which must come to the same at every step. The second time it is replayed, since a
    /// strategy that learns chooses otherwise.
    fn audit(&mut self, number: u64, seed: u64) -> ControlFlow<()> {
        let budget = self.budget();
        let (execution, first) = self.session.log_image(number, Mode::Explore { seed }, budget);
        let (ending, reports, points) = (execution.ending.clone(), execution.reports, execution.points);
        self.outcome.points += points;
        self.longest = self.longest.max(Some(points));
        if self.session.is_spent() {
            return self.judge(number, &ending, reports);
        }
        let schedule = self.session.schedule();
        let (again, second) = self.session.log_image(number, Mode::Replay(&schedule), budget);
        let divergence = difference(&first, &second).or_else(|| match &again.ending {
            Ending::Diverged { step, why } => Some(Divergence { step: *step, why: format!("{why}; {OUTSIDE}") }),
            other if *other != ending => {
                let why = format!("one execution ended as {ending:?}, the other as {other:?}; {OUTSIDE}");
                Some(Divergence { step: points, why })
            }
            _ => None,
        });
        if divergence.is_some() {
            self.outcome.executions += 1;
            self.outcome.diverged = divergence;
            return ControlFlow::Break(());
        }
        if self.outcome.audited.len() < MAX_AUDITED {
            self.outcome.audited.push(Audited { schedule, ending: format!("{ending:?}") });
        }
        self.judge(number, &ending, reports)
    }
}
