//! Makes the task graph of a case small, and the number of its threads: fewest operations that fail with the same verdict.

use std::collections::VecDeque;

use anyhow::{Result, bail, ensure};

use crate::campaign::findings;
use crate::campaign::interrupt;
use crate::campaign::job::{Job, Replay, Work};
use crate::campaign::supervisor::{Ended, Supervisor};
use crate::case::{Case, Workload};
use crate::model::offers::Offers;
use crate::model::settings::Settings;
use crate::model::verdict::Verdict;
use crate::target::{Built, Progress, Workshop};
use crate::task_graph::{TaskGraph, allows, reductions};

/// A case whose task graph is to be made small, and how hard to try.
#[derive(Clone)]
pub struct Minimisation {
    case: Case,
    graph: TaskGraph,
    attempts: u64,
    jobs: usize,
}

/// What was left of a case.
pub struct Smallest {
    pub case: Case,
    /// That of the case.
    pub graph: TaskGraph,
}

impl Minimisation {
    /// Prepares to make a case small; a smaller task graph gets `attempts` schedules to fail under.
    ///
    /// # Errors
    /// There is nothing to make small: the case is clean, or it is of a check.
    pub fn new(case: Case, attempts: u64, jobs: usize) -> Result<Self> {
        let graph = match &case.workload {
            Workload::TaskGraph(graph) => graph.clone(),
            Workload::Check(_) => bail!("the case is of a check, which has no task graph to make small"),
        };
        ensure!(
            case.verdict != Verdict::Clean,
            "the case is clean, so there is nothing to make small; name one that fails"
        );
        Ok(Self { case, graph, attempts, jobs })
    }

    /// What is made small.
    #[must_use]
    pub fn graph(&self) -> &TaskGraph {
        &self.graph
    }

    /// The runtime with the case's bug and without any, which are the same where it has none.
    ///
    /// # Errors
    /// There is no such runtime, or it does not compile.
    pub fn build(&self, workshop: &Workshop, observe: impl FnMut(&Progress) -> bool) -> Result<[Built; 2]> {
        let settings = &self.case.settings;
        let targets = [settings.bug.as_deref(), None].map(|bug| workshop.runtime(&settings.runtime, bug));
        let [buggy, right] = targets;
        let [buggy, right] = [buggy?, right?].map(|target| target.judged(settings.races));
        let wanted = [&buggy, &right].map(|target| (target.clone(), settings.sanitizer));
        let builds = workshop.build_all(wanted, observe)?;
        let built = |target| builds.of(target, settings.sanitizer).cloned();
        Ok([built(&buggy)?, built(&right)?])
    }

    /// Gives the smallest case it comes to, and calls `observe` with the operations left. A smaller task graph is taken
    /// if it fails with the same verdict under one of its schedules and, where a bug is switched on, not without the
    /// bug.
    ///
    /// # Errors
    /// The case does not fail; the workers cannot do what they are asked.
    pub fn run(&self, [buggy, right]: &[Built; 2], mut observe: impl FnMut(usize)) -> Result<Smallest> {
        let mut courts = Courts {
            accuser: (Supervisor::new(self.jobs)?, buggy.clone()),
            acquitter: (Supervisor::new(1)?, right.clone()),
        };
        let Some(mut smallest) = self.first(&mut courts, std::slice::from_ref(&self.graph))? else {
            ensure!(!interrupt::requested(), "interrupted before the case was seen to fail");
            bail!(
                "none of {} schedules of the task graph shows {}; try more with `--attempts`",
                self.attempts,
                crate::model::word(&self.case.verdict)
            );
        };
        while !interrupt::requested() {
            observe(smallest.graph.operation_count());
            match self.first(&mut courts, &Self::steps(&smallest.graph, &buggy.offers))? {
                Some(smaller) => smallest = smaller,
                None => break,
            }
        }
        for threads in 1..self.case.settings.threads {
            if interrupt::requested() {
                break;
            }
            let settings = Settings { threads, ..self.case.settings.clone() };
            let fewer = Self { case: Case { settings, ..self.case.clone() }, ..self.clone() };
            if let Some(smaller) = fewer.first(&mut courts, std::slice::from_ref(&smallest.graph))? {
                return Ok(smaller);
            }
        }
        Ok(smallest)
    }

    /// Smaller task graphs that the runtime can execute.
    fn steps(graph: &TaskGraph, offers: &Offers) -> Vec<TaskGraph> {
        let mut steps = reductions::steps(graph);
        steps.retain(|smaller| allows(offers, smaller));
        steps
    }

    /// The case of the first of these task graphs that will do.
    fn first(&self, courts: &mut Courts, task_graphs: &[TaskGraph]) -> Result<Option<Smallest>> {
        let Courts { accuser: (supervisor, buggy), acquitter } = courts;
        let mut best: Option<(usize, Case)> = None;
        let mut waiting: VecDeque<Attempt> = (0..task_graphs.len()).map(|graph| Attempt { graph, from: 0 }).collect();
        loop {
            let last = best.as_ref().map_or(task_graphs.len(), |(graph, _)| *graph);
            while supervisor.has_room()
                && let Some(attempt) = waiting.pop_front_if(|attempt| attempt.graph < last)
            {
                let (job, case) = self.job(buggy, attempt, &task_graphs[attempt.graph], &self.case.settings);
                supervisor.start(attempt, job, Some(&case))?;
            }
            if supervisor.is_idle() || interrupt::requested() {
                supervisor.stop();
                return Ok(best.map(|(graph, case)| Smallest { case, graph: task_graphs[graph].clone() }));
            }
            for (attempt, ended) in supervisor.poll()? {
                if let Some(next) = self.unfinished(attempt, &ended) {
                    waiting.push_front(next);
                } else if best.as_ref().is_none_or(|(known, _)| attempt.graph < *known)
                    && let Some(case) = self.fails(&task_graphs[attempt.graph], ended)
                    && self.acquits(acquitter, &task_graphs[attempt.graph])?
                {
                    best = Some((attempt.graph, case));
                }
            }
        }
    }

    /// What is left to try where an injected crash, or a stop that is right, used the worker up.
    fn unfinished(&self, attempt: Attempt, ended: &Ended) -> Option<Attempt> {
        let from = attempt.from + ended.outcome.executions;
        let early = ended.found.is_none() && ended.outcome.executions > 0 && from < self.attempts;
        early.then_some(Attempt { from, ..attempt })
    }

    /// The case of an execution that failed as the original does.
    fn fails(&self, graph: &TaskGraph, ended: Ended) -> Option<Case> {
        let found = ended.found?.as_in(&self.case)?;
        Some(findings::case_of(found, &self.case.settings, graph.clone().into()))
    }

    /// Whether the task graph is right with the bug off. Without a bug there is nothing to compare with.
    fn acquits(&self, (supervisor, right): &mut Court, graph: &TaskGraph) -> Result<bool> {
        if self.case.settings.bug.is_none() {
            return Ok(true);
        }
        let settings = Settings { bug: None, ..self.case.settings.clone() };
        let mut attempt = Attempt { graph: 0, from: 0 };
        loop {
            let (job, case) = self.job(right, attempt, graph, &settings);
            let Some(ended) = supervisor.run_alone(attempt, job, Some(&case))? else { return Ok(false) };
            match self.unfinished(attempt, &ended) {
                Some(next) => attempt = next,
                None => return Ok(ended.found.is_none() && ended.outcome.incomparable.is_empty()),
            }
        }
    }

    /// What makes an attempt, with the case that its worker is given.
    fn job(&self, target: &Built, attempt: Attempt, graph: &TaskGraph, settings: &Settings) -> (Job, Case) {
        let case = Case {
            settings: settings.clone(),
            workload: graph.clone().into(),
            // The strategy makes the choices.
            schedule: None,
            report: String::new(),
            ..self.case.clone()
        };
        let work = Work::Replay(Replay { from: attempt.from, times: self.attempts - attempt.from, explains: false });
        let (settings, target) = (settings.clone(), target.clone());
        (Job { settings, target, work }, case)
    }
}

/// Workers, and what they load.
type Court = (Supervisor<Attempt>, Built);

/// Who says that a task graph fails, and who says that it is right with the bug off.
struct Courts {
    accuser: Court,
    acquitter: Court,
}

/// Schedules of one of several task graphs, from this one on.
#[derive(Clone, Copy)]
struct Attempt {
    graph: usize,
    from: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    fn refusal(workload: Workload, verdict: Verdict) -> String {
        let settings = Settings { runtime: check::RUNTIME.to_owned(), threads: 1, ..Settings::sample() };
        let (fingerprint, report) = (String::new(), String::new());
        let case = Case { settings, workload, schedule: None, verdict, oracle: None, fingerprint, report };
        Minimisation::new(case, 1, 1).err().expect("refused").to_string()
    }

    #[test]
    fn what_cannot_be_made_small_is_refused_with_the_reason() {
        let told = refusal(TaskGraph::default().into(), Verdict::Clean);
        assert!(told.contains("is clean"), "{told}");
    }
}
