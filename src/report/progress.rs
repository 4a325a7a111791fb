//! The live line of a campaign, on terminals only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::grouped;
use crate::campaign::ci;
use crate::campaign::explorer::Progress;
use crate::campaign::minimise::Minimising;
use crate::model::word;
use crate::target;
use crate::terminal;

/// Redraws a line on standard error; nothing happens if that is no terminal.
pub struct ProgressLine {
    bar: ProgressBar,
}

impl ProgressLine {
    #[must_use]
    pub fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
        let style = ProgressStyle::with_template("{spinner} {msg}").expect("a valid template");
        bar.set_style(style);
        Self { bar }
    }

    /// Shows how far a campaign is.
    pub fn campaign(&self, progress: &Progress<'_>) {
        self.show(campaign_line(progress));
    }

    /// Shows how far a CI run is.
    pub fn ci(&self, progress: &ci::Progress<'_>) {
        match progress {
            ci::Progress::Building(progress) => self.building(progress),
            ci::Progress::Exploring(name, progress) => self.show(format!("{name} · {}", campaign_line(progress))),
        }
    }

    /// Shows what is being built.
    pub fn building(&self, progress: &target::Progress) {
        self.show(building_line(progress));
    }

    /// Shows how many of something are done.
    pub fn count(&self, done: u64, total: u64, what: &str) {
        self.show(format!("{done} of {total} {what}"));
    }

    /// Shows how many continuations of a schedule were sampled.
    pub fn sampling(&self, sampled: u64) {
        self.show(format!("{} continuations sampled", grouped(sampled)));
    }

    /// Shows an argument of a program that is tried in the place of a larger one.
    pub fn arguments(&self, argument: &str) {
        self.show(format!("making the arguments small: {argument}"));
    }

    /// Shows how far a schedule is that is made small.
    pub fn minimising(&self, so_far: &Minimising) {
        self.show(minimising_line(so_far));
    }

    fn show(&self, line: String) {
        self.bar.set_message(terminal::in_line(&line).into_owned());
        self.bar.tick();
    }
}

impl Default for ProgressLine {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn building_line(progress: &target::Progress) -> String {
    format!("building: {} of {} · {}", progress.done, progress.total, progress.current.join(", "))
}

fn minimising_line(so_far: &Minimising) -> String {
    let Minimising { tried, preemptions, departures } = so_far;
    format!(
        "making the schedule small: {preemptions} preemptions and {} other choices left · {} schedules tried",
        departures.saturating_sub(*preemptions),
        grouped(*tried)
    )
}

/// What stands behind a line while something is being built.
fn building_beside(progress: Option<&target::Progress>) -> String {
    progress.map_or_else(String::new, |progress| format!(" · {}", building_line(progress)))
}

fn campaign_line(progress: &Progress<'_>) -> String {
    if let Some(minimising) = progress.minimising {
        return minimising_line(minimising);
    }
    if progress.executions == 0
        && let Some(building) = &progress.building
    {
        return building_line(building);
    }
    let rate = per_second(progress.executions, progress.elapsed.as_secs_f64());
    let cell = progress.cell.map_or_else(String::new, |cell| match progress.task_graphs {
        Some(_) => format!(" · {} with {} threads", word(&cell.sanitizer), cell.threads),
        None => format!(" · {}", word(&cell.sanitizer)),
    });
    let task_graphs =
        progress.task_graphs.map_or_else(String::new, |count| format!(" · {} task graphs", grouped(count)));
    format!(
        "{} s · {} executions · {} per second{task_graphs} · findings: {}{cell}{}",
        progress.elapsed.as_secs(),
        grouped(progress.executions),
        grouped(rate as u64),
        progress.findings,
        building_beside(progress.building.as_ref()),
    )
}

/// A rate that is 0 as long as no time has passed.
#[must_use]
pub fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_line_tells_executions_rate_task_graphs_and_findings() {
        let mut progress = Progress {
            elapsed: Duration::from_secs(2),
            executions: 50_000,
            task_graphs: Some(3_125),
            findings: 1,
            cell: None,
            building: None,
            minimising: None,
        };
        let line = "2 s · 50,000 executions · 25,000 per second · 3,125 task graphs · findings: 1";
        assert_eq!(campaign_line(&progress), line);
        let current = vec!["a.o".to_owned(), "b.o".to_owned()];
        progress.building = Some(target::Progress { done: 3, total: 9, current });
        assert_eq!(campaign_line(&progress), format!("{line} · building: 3 of 9 · a.o, b.o"));
        progress.executions = 0;
        assert_eq!(campaign_line(&progress), "building: 3 of 9 · a.o, b.o");
        let of_program = Progress { executions: 8, task_graphs: None, building: None, ..progress };
        assert_eq!(campaign_line(&of_program), "2 s · 8 executions · 4 per second · findings: 1");
    }

    #[test]
    fn no_time_is_no_rate() {
        assert!(per_second(10, 0.0).abs() < f64::EPSILON);
    }
}
