//! `threadbare faults`: how many executions it takes to find each known fault.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use super::resolve;
use crate::campaign::catalogue::{self, CATALOGUE, Entry};
use crate::campaign::faults::Measurement;
use crate::campaign::interrupt;
use crate::program;
use crate::report::progress::ProgressLine;
use crate::report::{grouped, json, say, table, word};
use crate::settings::Engine;

#[derive(Debug, Args)]
pub struct Flags {
    /// The faults to look for [default: all].
    names: Vec<String>,
    /// Searches for each fault.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    trials: u64,
    /// Executions after which a search is given up.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..))]
    cap: u64,
    /// Search without control too, with as many executions.
    #[arg(long)]
    free: bool,
    /// How virtual threads run [default: fibers if built with clang, else threads].
    #[arg(long, value_enum)]
    engine: Option<Engine>,
    /// Workers at a time [default: one for each core].
    #[arg(long)]
    jobs: Option<usize>,
    /// Write the results to this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

impl Flags {
    fn resolve(&self) -> Result<Measurement> {
        Ok(Measurement {
            entries: self.entries()?,
            trials: self.trials,
            cap: self.cap,
            free: self.free,
            subject: "bundled".to_owned(),
            engine: resolve::engine(self.engine)?,
            size: program::DEFAULT_SIZE,
            jobs: resolve::jobs(self.jobs)?,
        })
    }

    fn entries(&self) -> Result<Vec<&'static Entry>> {
        if self.names.is_empty() {
            return Ok(CATALOGUE.iter().collect());
        }
        let entry = |name: &String| {
            resolve::fault(name)?;
            catalogue::entry(name).with_context(|| format!("the fault \"{name}\" is not in the catalogue yet"))
        };
        self.names.iter().map(entry).collect()
    }
}

/// Something was found if a search did not find its fault: then it is not as good as it should be.
pub fn run(flags: &Flags) -> Result<bool> {
    let measurement = flags.resolve()?;
    interrupt::listen()?;
    let line = ProgressLine::new();
    let (measured, clean) = measurement.run(|done, total| line.count(done, total, "searches"))?;
    drop(line);
    say(table::of_faults(&measured));
    for fault in &measured {
        for other in &fault.controlled.others {
            say(format!("\n{}: found something else, {}: {}", fault.entry.name, word(&other.verdict), other.message));
        }
    }
    for finding in &clean.findings {
        say(format!("\nwithout any fault: {}: {}", word(&finding.verdict), finding.message));
    }
    say(format!("\n{} executions without any fault, {} findings", grouped(clean.executions), clean.findings.len()));
    if let Some(path) = &flags.json {
        json::write(path, &json::Faults::new(&measured, &clean))?;
    }
    let missed = measured.iter().any(|fault| fault.controlled.found() < fault.controlled.trials);
    Ok(missed || !clean.findings.is_empty())
}
