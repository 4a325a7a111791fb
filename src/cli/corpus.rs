//! `threadbare corpus`: what coverage-guided campaigns keep, looked at, shared and made smaller.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

use super::resolve;
use super::world::{World, build_on};
use crate::campaign::corpus::Corpus;
use crate::campaign::interrupt;
use crate::campaign::measure::Measurement;
use crate::campaign::transfer::{self, Format};
use crate::model::settings::Sanitizer;
use crate::report::progress::ProgressLine;
use crate::report::{corpus, grouped, json, say};

#[derive(Debug, Args)]
pub struct Flags {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Distil it: remove inputs whose coverage smaller ones have too.
    Minimise {
        corpus: PathBuf,
        /// The runtime that the corpus is of; see `threadbare targets`.
        #[arg(long, default_value = "bundled")]
        runtime: String,
        /// How virtual threads run [default: fibers if built with clang, else threads].
        #[arg(long, value_enum)]
        engine: Option<resolve::Controlled>,
        /// Workers at a time [default: `jobs` of threadbare.toml, else one for each core].
        #[arg(long)]
        jobs: Option<usize>,
    },
    /// Add inputs, cases or whole directories of them, such as libFuzzer's corpora.
    Import {
        corpus: PathBuf,
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Write every input to a directory.
    Export {
        corpus: PathBuf,
        directory: PathBuf,
        /// As inputs, for fuzz targets and other corpora, or as cases, for people.
        #[arg(long, value_enum, default_value_t = Format::Input)]
        format: Format,
    },
    /// Show statistics.
    Stats {
        corpus: PathBuf,
        /// Write the results to this file.
        #[arg(long)]
        json: Option<PathBuf>,
    },
}

pub fn run(flags: &Flags, world: &World) -> Result<bool> {
    match &flags.action {
        Action::Minimise { corpus, runtime, engine, jobs } => {
            let mut corpus = Corpus::read(corpus)?;
            let workshop = world.workshop()?;
            let target = workshop.runtime(runtime, None)?;
            let engine = resolve::controlled_engine(*engine, &workshop.toolchain)?;
            interrupt::listen()?;
            let line = ProgressLine::new();
            let measurement = Measurement {
                runtime: runtime.clone(),
                bug: None,
                sanitizer: Sanitizer::None,
                engine,
                jobs: world.jobs(*jobs)?,
                thorough: true,
                limit: None,
            };
            let builds = workshop.build_all([(target.clone(), Sanitizer::None)], build_on(&line))?;
            let inputs: Vec<_> = corpus.iter().collect();
            let measured = measurement
                .run(builds.of(&target, Sanitizer::None)?, &inputs, |done, total| line.count(done, total, "inputs"))?;
            drop(line);
            if interrupt::requested() {
                bail!("interrupted; the corpus is as it was");
            }
            let before = corpus.len();
            let kept = measured.needed();
            let removed = corpus.retain(|name| kept.contains(name))?;
            let failing = measured.failing().count();
            say(format!(
                "{} inputs, {removed} of them removed; {} counters are reached as before",
                grouped(before as u64),
                grouped(measured.reached().count()),
            ));
            for (name, why) in measured.failing() {
                say(format!("{name} fails, and was kept: {why}"));
            }
            Ok(failing > 0)
        }
        Action::Import { corpus, paths } => {
            let mut corpus = Corpus::open(corpus)?;
            let imported = transfer::import(&mut corpus, paths)?;
            for (path, why) in &imported.refused {
                say(format!("{}: {why}", path.display()));
            }
            say(format!(
                "{} inputs added, {} were there, {} files are no inputs",
                grouped(imported.added),
                grouped(imported.known),
                grouped(imported.refused.len() as u64)
            ));
            Ok(false)
        }
        Action::Export { corpus, directory, format } => {
            let corpus = Corpus::read(corpus)?;
            let written = transfer::export(&corpus, directory, *format)?;
            say(format!("{} files in {}", grouped(written), directory.display()));
            Ok(false)
        }
        Action::Stats { corpus, json: file } => {
            let corpus = Corpus::read(corpus)?;
            let stats = corpus::Stats::of(&corpus);
            say(stats.text());
            if let Some(file) = file {
                json::write(file, &stats)?;
            }
            Ok(false)
        }
    }
}
