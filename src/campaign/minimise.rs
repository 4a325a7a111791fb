//! Makes a case small: leaves out of its program whatever it still fails without.
#![forbid(unsafe_code)]

use anyhow::{Result, ensure};

use super::executables::Executables;
use super::findings;
use super::interrupt;
use super::job::{Job, Replay, Work};
use super::supervisor::{Ended, Supervisor};
use crate::case::Case;
use crate::finding::Verdict;
use crate::program::{Program, shrink};
use crate::settings::Settings;

/// What to make small and how hard to try.
pub struct Minimisation {
    pub case: Case,
    /// Schedules that a smaller program gets to fail under.
    pub attempts: u64,
    pub jobs: usize,
}

impl Minimisation {
    /// Gives the smallest case it comes to, and calls `observe` with the operations left. A smaller program is taken if it
    /// fails with the same verdict under one of its schedules and, where a fault is switched on, not without the fault.
    ///
    /// # Errors
    /// The case does not fail; the workers cannot do what they are asked.
    pub fn run(&self, mut observe: impl FnMut(usize)) -> Result<Case> {
        ensure!(
            self.case.verdict != Verdict::Clean,
            "the case is clean, so there is nothing to make small; name one that fails"
        );
        let executables = Executables::provide([self.case.settings.sanitizer])?;
        let mut supervisor = Supervisor::new(self.jobs, executables)?;
        let Some(mut smallest) = self.first(&mut supervisor, std::slice::from_ref(&self.case.program))? else {
            anyhow::bail!(
                "none of {} schedules of the program shows {}; try more with `--attempts`",
                self.attempts,
                crate::report::word(&self.case.verdict)
            );
        };
        while !interrupt::requested() {
            observe(operations(&smallest.program));
            match self.first(&mut supervisor, &shrink::steps(&smallest.program))? {
                Some(smaller) => smallest = smaller,
                None => break,
            }
        }
        Ok(smallest)
    }

    /// The case of the first of these programs that will do.
    fn first(&self, supervisor: &mut Supervisor<usize>, programs: &[Program]) -> Result<Option<Case>> {
        let mut best: Option<(usize, Case)> = None;
        let mut next = 0;
        loop {
            let last = best.as_ref().map_or(programs.len(), |(index, _)| *index);
            while supervisor.has_room() && next < last {
                self.start(supervisor, next, &self.unscheduled(&programs[next]), &self.case.settings)?;
                next += 1;
            }
            if supervisor.is_idle() || interrupt::requested() {
                supervisor.stop();
                return Ok(best.map(|(_, case)| case));
            }
            for (index, ended) in supervisor.poll()? {
                if best.as_ref().is_none_or(|(known, _)| index < *known)
                    && let Some(case) = self.fails(&programs[index], ended)
                    && self.acquits(&case)?
                {
                    best = Some((index, case));
                }
            }
        }
    }

    /// The case of an execution that failed as the original does.
    fn fails(&self, program: &Program, ended: Ended) -> Option<Case> {
        let found = ended.found?;
        let failure = found.failures.first()?;
        (failure.verdict == self.case.verdict).then(|| findings::case_of(found, &self.case.settings, program.clone()))
    }

    /// Whether the program is right with the fault off. Without a fault there is nothing to compare with.
    fn acquits(&self, case: &Case) -> Result<bool> {
        if case.settings.fault.is_none() {
            return Ok(true);
        }
        let settings = Settings { fault: None, ..case.settings.clone() };
        let executables = Executables::provide([settings.sanitizer])?;
        let mut supervisor = Supervisor::new(1, executables)?;
        self.start(
            &mut supervisor,
            0,
            &Case { settings: settings.clone(), ..self.unscheduled(&case.program) },
            &settings,
        )?;
        loop {
            if let Some((_, ended)) = supervisor.poll()?.pop() {
                return Ok(ended.found.is_none() && ended.outcome.incomparable.is_empty());
            }
        }
    }

    fn start(&self, supervisor: &mut Supervisor<usize>, index: usize, case: &Case, settings: &Settings) -> Result<()> {
        let work = Work::Replay(Replay { times: self.attempts });
        supervisor.start(index, Job { settings: settings.clone(), work }, Some(case))
    }

    /// A case of the program whose schedules the strategy makes.
    fn unscheduled(&self, program: &Program) -> Case {
        Case { program: program.clone(), schedule: None, report: String::new(), ..self.case.clone() }
    }
}

/// The operations of a program.
#[must_use]
pub fn operations(program: &Program) -> usize {
    program.tasks.iter().map(|task| task.operations.len()).sum()
}
