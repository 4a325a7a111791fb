//! The live line of a campaign, on terminals only.
#![forbid(unsafe_code)]

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{grouped, word};
use crate::campaign::check;
use crate::campaign::fuzz::Progress;

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

    /// Shows how far a check is.
    pub fn check(&self, progress: &check::Progress) {
        let rate = per_second(progress.executions, progress.elapsed.as_secs_f64());
        self.show(format!(
            "{} s · {} executions · {} per second · findings: {}",
            progress.elapsed.as_secs(),
            grouped(progress.executions),
            grouped(rate as u64),
            progress.findings,
        ));
    }

    /// Shows how many of something are done.
    pub fn count(&self, done: u64, total: u64, what: &str) {
        self.show(format!("{done} of {total} {what}"));
    }

    fn show(&self, line: String) {
        self.bar.set_message(line);
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

fn campaign_line(progress: &Progress<'_>) -> String {
    let rate = per_second(progress.executions, progress.elapsed.as_secs_f64());
    let cell = progress
        .cell
        .map_or_else(String::new, |cell| format!(" · {} with {} threads", word(&cell.sanitizer), cell.threads));
    format!(
        "{} s · {} executions · {} per second · {} programs · findings: {}{cell}",
        progress.elapsed.as_secs(),
        grouped(progress.executions),
        grouped(rate as u64),
        grouped(progress.programs),
        progress.findings,
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
    fn the_line_tells_executions_rate_programs_and_findings() {
        let progress =
            Progress { elapsed: Duration::from_secs(2), executions: 50_000, programs: 3_125, findings: 1, cell: None };
        let line = campaign_line(&progress);
        assert_eq!(line, "2 s · 50,000 executions · 25,000 per second · 3,125 programs · findings: 1");
    }

    #[test]
    fn no_time_is_no_rate() {
        assert!(per_second(10, 0.0).abs() < f64::EPSILON);
    }
}
