//! One case and the worker processes in which it and its variations are executed, one at a time.

use std::time::Instant;

use anyhow::Result;

use super::interrupt::{self, Deadline};
use super::job::{Job, Replay, Work, milliseconds};
use super::supervisor::{Ended, Supervisor};
use super::symbols::Symbols;
use super::trials::{Series, Trials, Wanted};
use crate::case::Case;
use crate::model::schedule::Schedule;
use crate::target::Built;

pub struct Laboratory {
    supervisor: Supervisor<()>,
    target: Built,
}

impl Laboratory {
    /// Where cases of a target are looked into.
    ///
    /// # Errors
    /// No temporary directory can be made.
    pub fn new(target: Built) -> Result<Self> {
        Ok(Self { supervisor: Supervisor::new(1)?, target })
    }

    pub fn symbols(&mut self) -> &mut Symbols {
        self.supervisor.symbols()
    }

    #[must_use]
    pub fn target(&self) -> &Built {
        &self.target
    }

    /// Executes the schedule of a case in a fresh worker, even after the first Ctrl-C.
    ///
    /// # Errors
    /// The worker cannot do what it is asked, or Ctrl-C came and it takes long.
    pub fn replay(&mut self, case: &Case) -> Result<Ended> {
        let job = self.job(case, Work::Replay(Replay { from: 0, times: 1, explains: true }));
        let mut deadline = Deadline::default();
        let ended = self.run(job, case, || deadline.has_passed())?;
        ended.ok_or_else(|| anyhow::anyhow!("interrupted before the case was replayed"))
    }

    /// Searches for a failure with the strategy of the case, whose `work` is told how many milliseconds there are.
    ///
    /// # Errors
    /// The worker cannot do what it is asked.
    pub fn search(&mut self, case: &Case, work: impl FnOnce(u64) -> Work, deadline: Instant) -> Result<Option<Ended>> {
        let left = milliseconds(deadline.saturating_duration_since(Instant::now()));
        let job = self.job(case, work(left));
        // The strategy makes the choices.
        let case = Case { schedule: None, ..case.clone() };
        self.supervisor.start((), job, Some(&case))?;
        while !interrupt::requested() && Instant::now() < deadline {
            if let Some((_, ended)) = self.supervisor.poll()?.pop() {
                return Ok(Some(ended));
            }
        }
        Ok(self.supervisor.stop().pop().map(|(_, ended)| ended))
    }

    /// Makes the tries of a series, in as few workers as survive them, until time is up or Ctrl-C. Tells after each worker how
    /// far the series is, and the schedule of the last try that failed as wanted, if there was one.
    ///
    /// # Errors
    /// A worker cannot do what it is asked.
    pub fn try_all(
        &mut self,
        case: &Case,
        series: &mut Series,
        wanted: &Wanted,
        deadline: Option<Instant>,
        mut observe: impl FnMut(&Series, Option<Schedule>),
    ) -> Result<()> {
        let is_over = || interrupt::requested() || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        while series.next().is_some() && !is_over() {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let (series_now, wanted_now, limit_ms) = (series.clone(), wanted.clone(), left.map(milliseconds));
            let trials = Trials { series: series_now, wanted: wanted_now, limit_ms };
            let job = self.job(case, Work::Try(trials));
            let Some(ended) = self.run(job, case, is_over)? else { break };
            let mut schedule = None;
            if let Some(tried) = &ended.outcome.tried {
                series.clone_from(&tried.series);
                schedule.clone_from(&tried.schedule);
            }
            if let Some(found) = &ended.found {
                // Those before it are told only if they failed.
                while series.tried() < found.execution && series.next().is_some() {
                    series.told(false);
                }
                let failed = wanted.is_shown_by(&ended);
                series.told(failed);
                if failed {
                    schedule.clone_from(&found.schedule);
                }
            } else if ended.outcome.tried.is_none() {
                break;
            }
            observe(series, schedule);
        }
        Ok(())
    }

    /// Runs a job to its end, unless it `is_over` before.
    fn run(&mut self, job: Job, case: &Case, mut is_over: impl FnMut() -> bool) -> Result<Option<Ended>> {
        self.supervisor.start((), job, Some(case))?;
        loop {
            if let Some((_, ended)) = self.supervisor.poll()?.pop() {
                return Ok(Some(ended));
            }
            if is_over() {
                return Ok(self
                    .supervisor
                    .stop()
                    .pop()
                    .map(|(_, ended)| ended)
                    .filter(|ended| ended.outcome.tried.is_some()));
            }
        }
    }

    fn job(&self, case: &Case, work: Work) -> Job {
        Job { settings: case.settings.clone(), target: self.target.clone(), work }
    }
}
