//! The tests of a program as targets of their own.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::outputs;
use super::program::Program;
use super::world::build_on;
use crate::campaign::ci::{Exploration, Explored};
use crate::campaign::each_test;
use crate::campaign::explorer::{Campaign, Summary};
use crate::campaign::interrupt;
use crate::campaign::search::Searched;
use crate::check::framework::{EachTest, Framework, fits};
use crate::model::settings::StrategyName;
use crate::model::word;
use crate::report::progress::ProgressLine;
use crate::report::{completeness, findings, grouped, say};
use crate::target::Workshop;

/// The tests of a program that are to be explored.
pub struct Tests {
    framework: Framework,
    pub explorations: Vec<Exploration>,
    /// Tests that the framework itself leaves out, and those that were not asked for.
    disabled: usize,
    others: usize,
}

/// Asks a program of this name, explored as `campaign` says, for its tests.
///
/// # Errors
/// It does not compile or names none, or none that was asked for.
pub fn of(program: &Program, each: EachTest, name: &str, campaign: &Campaign, workshop: &Workshop) -> Result<Tests> {
    let line = ProgressLine::new();
    let (framework, listed) = each_test::list(campaign, each.framework(), workshop, build_on(&line))?;
    drop(line);
    let is_wanted = |test: &String| program.tests.is_empty() || program.tests.iter().any(|pattern| fits(pattern, test));
    let (wanted, others): (Vec<String>, Vec<String>) = listed.tests.into_iter().partition(is_wanted);
    ensure!(
        !wanted.is_empty() || program.tests.is_empty(),
        "{name}: none of its {} tests is called {}; `*` stands for anything, as in `*{}*`",
        others.len(),
        program.tests.join(" or "),
        program.tests[0]
    );
    let exploration = |test: &String| {
        let mut campaign = campaign.clone();
        if let Searched::Program { check, .. } = &mut campaign.searched {
            *check = each_test::of(check, framework, test);
        }
        Exploration { name: format!("{name}: {test}"), campaign }
    };
    let explorations = wanted.iter().map(exploration).collect();
    Ok(Tests { framework, explorations, disabled: listed.disabled, others: others.len() })
}

impl Tests {
    /// What is explored, and what is not.
    pub fn line(&self, name: &str) -> String {
        let count = self.explorations.len() as u64;
        let mut line = format!("{name}: {} {} of {}", grouped(count), plural(count, "test"), self.framework);
        for (count, why) in [(self.disabled, "disabled"), (self.others, "not asked for")] {
            if count > 0 {
                line.push_str(&format!(", {count} {why}"));
            }
        }
        line
    }

    /// Explores them one after the other, for their shares of the time.
    pub fn explore(self, name: &str, workshop: &Workshop) -> Vec<Explored> {
        say(self.line(name));
        let mut explored: Vec<Explored> = Vec::new();
        let (mut executions, mut seconds) = (0, 0.0);
        let count = self.explorations.len();
        for (index, Exploration { name, mut campaign }) in self.explorations.into_iter().enumerate() {
            let left =
                |budget: Duration| budget.saturating_sub(Duration::from_secs_f64(seconds)) / (count - index) as u32;
            campaign.budget = campaign.budget.map(left);
            if interrupt::requested() {
                let outcome = Err("interrupted before it began".to_owned());
                explored.push(Explored { name, campaign, outcome });
                continue;
            }
            let line = ProgressLine::new();
            let outcome = campaign.run(workshop, |progress| line.campaign(progress));
            drop(line);
            match &outcome {
                Ok(summary) => {
                    executions += summary.executions;
                    seconds += summary.seconds;
                    print(&name, summary, index == 0, &campaign);
                }
                Err(_) => say(format!("{name}: not explored")),
            }
            let outcome = outcome.map_err(|error| format!("{error:#}"));
            explored.push(Explored { name, campaign, outcome });
        }
        let found = explored.iter().filter(|test| !test.findings().is_empty()).count();
        say(format!(
            "{} executions of {} {} in {seconds:.1} s, findings in {found}",
            grouped(executions),
            grouped(count as u64),
            plural(count as u64, "test")
        ));
        explored
    }
}

/// What came of a test: a line, and what was found.
fn print(name: &str, summary: &Summary, is_first: bool, campaign: &Campaign) {
    say(format!("{name}: {}", result(summary, campaign.searched.strategy())));
    for finding in &summary.findings {
        say(format!("\n{}\n", findings::text(finding)));
    }
    if is_first {
        outputs::print_notices(summary, campaign);
    }
}

/// How much was executed of a test, and to what end.
fn result(summary: &Summary, strategy: StrategyName) -> String {
    let executions = format!("{} {}", grouped(summary.executions), plural(summary.executions, "execution"));
    let mut result = findings::counted(summary.findings.len());
    if summary.cells.iter().all(|cell| cell.alone) {
        return format!("no second thread; {executions}, {result}");
    }
    if let Some(failure) = &summary.failure {
        return format!("not explored to the end: {failure:#}");
    }
    for cell in summary.cells.iter().filter(|cell| cell.search_ended) {
        result.push_str(&format!(
            "; {}: {}",
            word(&cell.sanitizer),
            completeness::text(strategy, &cell.left_out, cell.extent.as_ref())
        ));
    }
    format!("{executions}, {result}")
}

fn plural(count: u64, one: &str) -> String {
    if count == 1 { one.to_owned() } else { format!("{one}s") }
}
