//! What explorations leave: lines on the terminal, files, and the exit code.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use serde::Serialize;

use crate::campaign::ci;
use crate::campaign::corpus::Gathered;
use crate::campaign::explorer::{Campaign, Summary};
use crate::campaign::prebuilt;
use crate::model::settings::Sanitizer;
use crate::model::word;
use crate::report::progress::ProgressLine;
use crate::report::sarif::Sarif;
use crate::report::{completeness, findings, grouped, json, junit, painted, prospects, say, table};
use crate::target::Workshop;
use crate::whole_file::{can_write, write_whole};

#[derive(Debug, Args)]
pub struct Outputs {
    /// Write the results as JUnit XML to this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write what was found as SARIF to this file.
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    /// Write the results to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Outputs {
    /// Checks that they can be written, before anything is explored.
    ///
    /// # Errors
    /// One cannot; the error names it.
    pub fn can_be_written(&self) -> Result<()> {
        [&self.junit, &self.sarif, &self.json].into_iter().flatten().try_for_each(|path| can_write(path))
    }

    /// Writes those that were asked for; `results` are what the subcommand writes as JSON.
    ///
    /// # Errors
    /// One cannot be written.
    pub fn write<T: Serialize>(&self, summary: &ci::Summary, results: impl FnOnce(&ci::Summary) -> T) -> Result<()> {
        let junit = |path: &PathBuf| write_whole(path, junit::xml(summary)?.as_bytes());
        let sarif = |path: &PathBuf| {
            let root = std::env::current_dir().context("cannot tell the current directory")?;
            json::write(path, &Sarif::new(summary, &root))
        };
        // One that cannot be written does not keep the others from it.
        let written = [
            self.junit.as_ref().map(junit),
            self.sarif.as_ref().map(sarif),
            self.json.as_ref().map(|path| json::write(path, &results(summary))),
        ];
        let whys: Vec<String> =
            written.into_iter().flatten().filter_map(|written| Some(format!("{:#}", written.err()?))).collect();
        if whys.is_empty() { Ok(()) } else { Err(anyhow!(whys.join("\n"))) }
    }
}

/// Explores one target and says what came of it.
///
/// # Errors
/// As [`Campaign::run`].
pub fn explore(name: &str, campaign: Campaign, workshop: &Workshop) -> Result<ci::Explored> {
    let line = ProgressLine::new();
    let summary = campaign.run(workshop, |progress| line.campaign(progress))?;
    drop(line);
    print(&summary, &campaign);
    Ok(ci::Explored { name: name.to_owned(), campaign, outcome: Ok(summary) })
}

/// Does all that a subcommand does that explores one target, and tells whether something was found.
///
/// # Errors
/// It could not be explored, or not to the end; or a file cannot be written.
pub fn explore_alone(
    command: &'static str,
    name: &str,
    campaign: Campaign,
    workshop: &Workshop,
    outputs: &Outputs,
) -> Result<bool> {
    let mut summary = ci::Summary::of(command, vec![explore(name, campaign, workshop)?]);
    let written = outputs.write(&summary, |summary| summary.targets[0].explored().map(json::Explored::new));
    let found = summary.found();
    let failure = summary.targets[0].outcome.as_mut().ok().and_then(|explored| explored.failure.take());
    match (failure, written) {
        (Some(failure), Err(unwritten)) => Err(anyhow!("{failure:#}\n{unwritten:#}")),
        (Some(failure), Ok(())) => Err(failure),
        (None, written) => written.map(|()| found),
    }
}

/// Says what came of a target: the table, the findings and the totals.
pub fn print(summary: &Summary, campaign: &Campaign) {
    let is_of_program = campaign.is_of_program();
    let table = table::of_cells(&summary.cells, is_of_program);
    if is_of_program {
        summary.findings.iter().for_each(|finding| painted::say(&format!("{}\n", findings::text(finding))));
        say(table);
    } else {
        say(table);
        summary.findings.iter().for_each(|finding| painted::say(&format!("\n{}", findings::text(finding))));
    }
    findings::related(&summary.findings).into_iter().for_each(say);
    for cell in summary.cells.iter().filter(|cell| cell.search_ended) {
        say(format!(
            "{}: {}",
            word(&cell.sanitizer),
            completeness::text(campaign.searched.strategy(), &cell.left_out, cell.extent.as_ref())
        ));
    }
    for cell in summary.cells.iter().filter(|cell| !cell.search_ended) {
        if let Some(extent) = &cell.extent {
            say(format!("{}: {}", word(&cell.sanitizer), completeness::so_far(extent)));
        }
    }
    // Whoever wants one finding does not ask what else there is.
    if !campaign.stop_at_first {
        prospects::text(&summary.cells).into_iter().for_each(say);
    }
    for (sanitizer, unjudged) in unjudged(summary) {
        let count = grouped(unjudged);
        say(format!("{}: {count} accesses or races were not judged, for want of room", word(&sanitizer)));
    }
    for cell in summary.cells.iter().filter(|cell| cell.alone) {
        say(format!("{}: no second thread, so all executions are the same", word(&cell.sanitizer)));
    }
    let mut reasons = BTreeMap::new();
    for (reason, count) in summary.cells.iter().flat_map(|cell| &cell.incomparable) {
        *reasons.entry(reason).or_insert(0) += count;
    }
    for (reason, count) in reasons {
        say(format!("{} executions could not be compared: {}", grouped(count), word(reason)));
    }
    if !summary.not_offered.is_empty() {
        let list = summary.not_offered.join(", ");
        say(format!("note: the runtime does not offer everything, so task graphs did without: {list}"));
    }
    print_notices(summary, campaign);
    if let Some(corpus) = &summary.corpus {
        say(corpus_line(corpus));
    }
    if summary.begun_again > 0 {
        let times = if summary.begun_again == 1 { "once" } else { &format!("{} times", grouped(summary.begun_again)) };
        say(format!("{times} a worker was ended by another process, and what it executed was executed again"));
    }
    if campaign.audit && summary.failure.is_none() {
        say(format!(
            "audit: both executions of each schedule passed the same steps, and {} replays with other engines and \
             sanitizers ended the same",
            grouped(summary.compared)
        ));
    }
    let task_graphs =
        if is_of_program { String::new() } else { format!(" of {} task graphs", grouped(summary.task_graphs)) };
    say(format!(
        "{}{} executions{task_graphs} in {:.1} s, {}{}",
        if summary.interrupted { "interrupted after " } else { "" },
        grouped(summary.executions),
        summary.seconds,
        findings::counted(summary.findings.len()),
        findings::bugs(&summary.findings)
            .map_or_else(String::new, |bugs| format!(", perhaps {bugs} bugs").replace(" 1 bugs", " 1 bug"))
    ));
}

/// What was not judged for races, by sanitizer, of searches that have not ended: one that has says so itself.
fn unjudged(summary: &Summary) -> BTreeMap<Sanitizer, u64> {
    let mut counts = BTreeMap::new();
    for cell in summary.cells.iter().filter(|cell| !cell.search_ended && cell.left_out.unjudged > 0) {
        *counts.entry(cell.sanitizer).or_default() += cell.left_out.unjudged;
    }
    counts
}

/// Says what is known of prebuilt code in a target.
pub fn print_notices(summary: &Summary, campaign: &Campaign) {
    prebuilt::notices(campaign.engine, summary.engine, &summary.prebuilt).into_iter().for_each(say);
}

fn corpus_line(corpus: &Gathered) -> String {
    let refused = match corpus.refused {
        0 => String::new(),
        count => format!(", {} files that are no inputs (`threadbare corpus stats` names them)", grouped(count as u64)),
    };
    format!("corpus: {} inputs, {} of them new{refused}", grouped(corpus.inputs as u64), grouped(corpus.added as u64))
}
