//! `threadbare replay`: executes cases again, each in a fresh process.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::resolve;
use crate::campaign::interrupt;
use crate::campaign::replay::{Conclusion, Plan, Replayed};
use crate::report::{json, say, word};
use crate::settings::{Engine, Sanitizer};

#[derive(Debug, Args)]
pub struct Flags {
    /// Cases, inputs that a fuzz target saved, or directories with any of them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Replay each case so often.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    repeat: u64,
    /// In place of the case's own engine.
    #[arg(long, value_enum)]
    engine: Option<Engine>,
    /// In place of the case's own sanitizer.
    #[arg(long, value_enum)]
    sanitizer: Option<Sanitizer>,
    /// Switch this fault on for inputs of fuzz targets, which name none.
    #[arg(long)]
    fault: Option<String>,
    /// Workers at a time [default: one for each core].
    #[arg(long)]
    jobs: Option<usize>,
    /// Write the results to this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

pub fn run(flags: Flags) -> Result<bool> {
    let engine = flags.engine.map(|engine| resolve::engine(Some(engine))).transpose()?;
    let jobs = resolve::jobs(flags.jobs)?;
    if let Some(fault) = &flags.fault {
        resolve::fault(fault)?;
    }
    interrupt::listen()?;
    let plan =
        Plan { paths: flags.paths, repeat: flags.repeat, engine, sanitizer: flags.sanitizer, fault: flags.fault, jobs };
    let results = plan.run(resolve::engine_like)?;
    for result in &results {
        say(line(result));
    }
    let count = |wanted: fn(&Conclusion) -> bool| results.iter().filter(|result| wanted(&result.conclusion)).count();
    let diverged = count(|conclusion| matches!(conclusion, Conclusion::Diverged(_)));
    let unexpected = count(|conclusion| *conclusion == Conclusion::Unexpected);
    let not_shown = count(|conclusion| *conclusion == Conclusion::NotShown);
    let as_expected = results.len() - diverged - unexpected - not_shown;
    let cases = if results.len() == 1 { "case" } else { "cases" };
    let mut summary =
        format!("{} {cases}: {as_expected} as expected, {diverged} diverged, {unexpected} unexpected", results.len());
    if not_shown > 0 {
        summary.push_str(&format!(", {not_shown} not shown"));
    }
    say(summary);
    if let Some(path) = &flags.json {
        json::write(path, &json::Replay::new(&results))?;
    }
    Ok(diverged + unexpected > 0)
}

fn line(result: &Replayed) -> String {
    let times = result.seen.len();
    let under = format!("{} under {}", word(&result.settings.engine), word(&result.settings.sanitizer));
    let expected = word(&result.case.verdict);
    let path = result.path.display();
    let what = match &result.conclusion {
        Conclusion::AsExpected if result.choices.is_some() => "clean".to_owned(),
        Conclusion::Unexpected if result.choices.is_some() => {
            let other = result.seen.iter().find(|seen| json::seen_word(seen) != expected);
            format!("found: it {}", other.map_or_else(String::new, ToString::to_string))
        }
        Conclusion::AsExpected => {
            let shown = result.seen.iter().map(json::seen_word).find(|shown| *shown != expected);
            match shown {
                Some(shown) => format!("as expected: {expected}, here seen as {shown}"),
                None => format!("as expected: {expected}"),
            }
        }
        Conclusion::Diverged(divergence) => format!("diverged at step {}: {}", divergence.step, divergence.why),
        Conclusion::Unexpected => {
            let other = result.seen.iter().find(|seen| json::seen_word(seen) != expected);
            format!(
                "unexpected: {expected} was recorded, but it {}",
                other.map_or_else(String::new, ToString::to_string)
            )
        }
        Conclusion::NotShown => format!("not shown: {expected} cannot be relied on to show with {under}"),
    };
    let changed = if result.sources_changed { "; the sources changed since it was recorded" } else { "" };
    format!("{path}: {what} ({times}×, {under}){changed}")
}
