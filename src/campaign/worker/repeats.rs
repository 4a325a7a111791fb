//! A worker that executes schedules again: of a case, and to compare.

use std::ops::ControlFlow;

use anyhow::{Context, Result};

use super::Runner;
use crate::campaign::audit;
use crate::campaign::job::{Audited, Comparison, Divergence, Executed, Program, Replay};
use crate::campaign::loaded::Loaded;
use crate::case::{Case, Workload};
use crate::control::Mode;
use crate::model::execution::Ending;
use crate::model::splitmix::splitmix64;
use crate::model::verdict::Verdict;
use crate::task_graph::TaskGraph;

/// Schedules of an audit that are kept.
const MAX_AUDITED: usize = 2_000;

impl Runner {
    /// Executes a case: its schedule, or else schedules of the strategy until one fails.
    pub(super) fn replay(&mut self, replay: &Replay, case: &Case) -> Result<()> {
        match &case.workload {
            Workload::TaskGraph(graph) => {
                self.check_offers(graph)?;
                self.replay_task_graph(replay, case, graph);
            }
            Workload::Check(check) => {
                let schedule =
                    case.schedule.as_ref().context("a case of a check without a schedule cannot be replayed")?;
                let mut loaded = self.load_program(&Program::of(check))?;
                loaded.expect(schedule, case.verdict == Verdict::Livelock);
                let mode = Mode::Replay(schedule);
                let mut ran = loaded.execute(&mut self.session, 0, mode, &self.tally.known, true);
                let steps = ran.evidence.as_deref_mut().map(|evidence| std::mem::take(&mut evidence.steps));
                self.tally.outcome.steps = steps.unwrap_or_default();
                let _ = self.take(&mut loaded, 0, ran);
                // What a replay comes to is its end.
                self.tally.outcome.failed =
                    self.tally.outcome.failed.take().or_else(|| self.tally.outcome.earlier.pop());
            }
        }
        Ok(())
    }

    fn replay_task_graph(&mut self, replay: &Replay, case: &Case, graph: &TaskGraph) {
        let mut loaded = self.load(graph.clone());
        if let Some(schedule) = case.schedule.as_ref().filter(|_| replay.explains) {
            let known = &self.tally.known;
            let mut ran = loaded.execute(&mut self.session, replay.from, Mode::Replay(schedule), known, true);
            let steps = ran.evidence.as_deref_mut().map(|evidence| std::mem::take(&mut evidence.steps));
            self.tally.outcome.steps = steps.unwrap_or_default();
            self.unchecked = replay.from;
            if self.take(&mut loaded, replay.from, ran).is_continue() {
                self.leaks(replay.from + 1);
            }
            return;
        }
        let times = if case.schedule.is_some() { 1 } else { replay.times };
        self.unchecked = replay.from;
        for execution in replay.from..replay.from + times {
            let mode = match &case.schedule {
                Some(schedule) => Mode::Replay(schedule),
                None => Mode::Explore { seed: splitmix64(case.settings.seed ^ execution) },
            };
            if self.execute(&mut loaded, execution, mode).is_break() {
                return;
            }
        }
        self.leaks(replay.from + self.tally.outcome.executions);
    }

    /// Executes a schedule twice, which must come to the same at every step. The second time it is replayed, since a
    /// strategy that learns chooses otherwise.
    pub(super) fn audit(&mut self, loaded: &mut Loaded, execution: u64, seed: u64) -> ControlFlow<()> {
        let first = loaded.execute(&mut self.session, execution, Mode::Explore { seed }, &self.tally.known, true);
        if self.session.is_spent() {
            return self.take(loaded, execution, first);
        }
        let schedule = self.session.schedule();
        let second = loaded.execute(&mut self.session, execution, Mode::Replay(&schedule), &self.tally.known, true);
        if let Some(divergence) = audit::difference(&first, &second) {
            self.tally.diverged(first.points, Some(divergence));
            return ControlFlow::Break(());
        }
        if self.tally.outcome.audited.len() < MAX_AUDITED {
            let is_endless = matches!(first.ending, Ending::OutOfSteps(_));
            self.tally.outcome.audited.push(Audited {
                execution,
                schedule,
                ending: first.ending.to_string(),
                is_endless,
            });
        }
        self.take(loaded, execution, first)
    }

    /// Executes schedules, each of which must end as it did before.
    pub(super) fn compare(&mut self, comparison: &Comparison) -> Result<()> {
        let mut program = match &comparison.executed {
            Executed::Program(program) => Some(self.load_program(program)?),
            Executed::TaskGraphs(_) => None,
        };
        for (number, audited) in (comparison.first..).zip(&comparison.audited) {
            let mut of_graph = match &comparison.executed {
                Executed::TaskGraphs(task_graphs) => {
                    Some(self.load(task_graphs.graph_of(comparison.seed, self.threads, audited.execution)))
                }
                Executed::Program(_) => None,
            };
            let loaded = of_graph.as_mut().or(program.as_mut()).expect("a task graph or a program");
            loaded.expect(&audited.schedule, audited.is_endless);
            let mode = Mode::Replay(&audited.schedule);
            let ran = loaded.execute(&mut self.session, number, mode, &self.tally.known, false);
            let divergence = match &ran.ending {
                Ending::Diverged { step, why } => Some(Divergence { step: *step, why: why.clone() }),
                ending if ending.to_string() != audited.ending => {
                    let why = format!("it ended as {ending}, and before as {}", audited.ending);
                    Some(Divergence { step: ran.points, why })
                }
                _ => None,
            };
            self.tally.diverged(ran.points, divergence);
            if self.tally.outcome.diverged.is_some() || self.session.is_spent() {
                break;
            }
        }
        Ok(())
    }
}
