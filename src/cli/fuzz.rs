//! `threadbare fuzz`: the main job.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;

use super::resolve;
use super::search::{Name, SearchFlags};
use super::world::{Preset, World, build_on};
use crate::campaign::findings::can_write;
use crate::campaign::fuzz::{Campaign, Summary};
use crate::campaign::guide::Gathered;
use crate::campaign::interrupt;
use crate::campaign::search::Search;
use crate::report::progress::ProgressLine;
use crate::report::{findings, grouped, json, say, table, word};
use crate::settings::{Engine, Sanitizer, StrategyName};
use crate::target::{Toolchain, Workshop, bundled};
use crate::task_graph::{self, Shape, Systems};

/// Time of a campaign that is given neither time nor executions.
const DEFAULT_SECONDS: u64 = 60;

/// What is left of a budget for replaying what the last slices find.
const RESERVE: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare fuzz                                 the bundled runtime for a minute
  threadbare fuzz --executions 6000 --seed 1      the same campaign each time
  threadbare fuzz --bug lost-notify --threads 2   find a seeded bug
  threadbare fuzz --runtime mine --corpus corpus  one of threadbare.toml, coverage-guided")]
pub struct Flags {
    /// Stop after so many seconds [default: 60, unless --executions or --budget is given].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,
    /// End after so long, such as 90s, 10m or 1h 30m, building and replaying included.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    budget: Option<Duration>,
    /// Stop after so many executions over all sanitizers and thread counts.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    executions: Option<u64>,
    #[command(flatten)]
    explored: Explored,
    /// Write the results to this file.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// What `ci` explores as well.
#[derive(Debug, Args)]
pub struct Explored {
    /// Thread counts to explore, main thread included [default: `threads` of the runtime or of the defaults in
    /// threadbare.toml, else 1,2,4,8].
    #[arg(long, value_delimiter = ',', value_parser = resolve::thread_count)]
    threads: Option<Vec<u16>>,
    /// Sanitizers to explore under [default: `sanitizers` of the target or of the defaults in threadbare.toml, else
    /// none,thread,address].
    #[arg(long, value_enum, value_delimiter = ',')]
    pub sanitizer: Option<Vec<Sanitizer>>,
    /// How virtual threads run [default: fibers if built with clang, else threads].
    #[arg(long, value_enum)]
    engine: Option<Engine>,
    #[command(flatten)]
    search: SearchFlags,
    /// Directory of the corpus that a coverage-guided search begins with and adds to; it makes the search
    /// coverage-guided [default: it begins with none and keeps none].
    #[arg(long, value_name = "DIRECTORY")]
    pub corpus: Option<PathBuf>,
    /// What makes the choices of a generational search: random, pct or pos, with a setting such as random:0.1 or pct:3
    /// [default: random]. It makes the search generational.
    #[arg(long, value_parser = resolve::campaign_strategy)]
    pub strategy: Option<StrategyName>,
    /// The same seed and executions, and corpus if the search is coverage-guided, are the same campaign [default: a new
    /// one].
    #[arg(long)]
    seed: Option<u64>,
    /// Workers at a time [default: `jobs` of threadbare.toml, else one for each core].
    #[arg(long)]
    jobs: Option<usize>,
    /// Size of the task graphs, in about tasks.
    #[arg(long, default_value_t = task_graph::DEFAULT_SIZE)]
    size: u32,
    /// Which systems task graphs use besides the scheduler.
    #[arg(long, value_enum, default_value_t = Systems::All)]
    systems: Systems,
    /// The runtime to explore; see `threadbare targets` [default: bundled; `ci` explores each target of
    /// threadbare.toml].
    #[arg(long, value_name = "NAME")]
    pub runtime: Option<String>,
    /// Switch a seeded bug on; see `threadbare targets`.
    #[arg(long)]
    pub bug: Option<String>,
    /// Directory for what is found [default: `findings` of threadbare.toml, else findings].
    #[arg(long, value_name = "DIRECTORY")]
    findings: Option<PathBuf>,
}

/// What all targets of one job have in common.
pub struct Setting {
    pub engine: Engine,
    pub seed: u64,
    pub jobs: usize,
    pub findings: PathBuf,
}

impl Explored {
    pub fn setting(&self, world: &World, toolchain: &Toolchain) -> Result<Setting> {
        Ok(Setting {
            engine: resolve::engine(self.engine, toolchain)?,
            seed: self.seed.map_or_else(random_seed, Ok)?,
            jobs: world.jobs(self.jobs)?,
            findings: world.findings(self.findings.as_deref())?,
        })
    }

    /// The runtime to explore where there is only one.
    pub fn runtime(&self) -> &str {
        self.runtime.as_deref().unwrap_or(bundled::NAME)
    }

    /// The campaign that explores this runtime for so many seconds or executions.
    pub fn campaign(
        &self,
        runtime: &str,
        world: &World,
        workshop: &Workshop,
        setting: &Setting,
        [seconds, executions]: [Option<u64>; 2],
    ) -> Result<Campaign> {
        let Preset { sanitizers, threads } = world.preset(runtime)?;
        workshop.runtime(runtime, self.bug.as_deref())?;
        resolve::size(self.size)?;
        let engine = setting.engine;
        // By time a generational search finds more, so it is guided when it is given what only a guided one has.
        let is_coverage_guided = (self.corpus.is_some() || self.search.names_feedback())
            && engine != Engine::Free
            && self.strategy.is_none()
            && cfg!(feature = "libfuzzer");
        let search = match self
            .search
            .resolve(engine, if is_coverage_guided { Name::CoverageGuided } else { Name::Generational })?
        {
            None => {
                ensure!(
                    self.corpus.is_none(),
                    "a generational search keeps no corpus; use --search coverage-guided, or leave out --corpus"
                );
                Search::Generational(self.strategy.unwrap_or(StrategyName::Random))
            }
            Some(feedback) => {
                ensure!(
                    self.strategy.is_none(),
                    "a coverage-guided search makes its choices itself; use --search generational, or leave out --strategy"
                );
                Search::CoverageGuided { feedback, corpus: self.corpus.clone() }
            }
        };
        Ok(Campaign {
            runtime: runtime.to_owned(),
            bug: self.bug.clone(),
            sanitizers: resolve::chosen(self.sanitizer.as_deref(), sanitizers.as_deref(), &resolve::SANITIZERS),
            threads: resolve::chosen(self.threads.as_deref(), threads.as_deref(), &resolve::THREADS),
            engine,
            search,
            seed: setting.seed,
            shape: Shape { size: self.size, systems: self.systems },
            jobs: setting.jobs,
            seconds,
            executions,
            findings: setting.findings.clone(),
        })
    }
}

/// A seed from the system's random numbers.
fn random_seed() -> Result<u64> {
    use std::io::Read;
    let mut bytes = [0; 8];
    let mut source =
        std::fs::File::open("/dev/urandom").context("cannot take a random seed; give one with `--seed`")?;
    source.read_exact(&mut bytes).context("cannot take a random seed; give one with `--seed`")?;
    Ok(u64::from_le_bytes(bytes))
}

pub fn run(flags: &Flags, world: &World) -> Result<bool> {
    let started = Instant::now();
    let unlimited = flags.seconds.is_none() && flags.executions.is_none() && flags.budget.is_none();
    let seconds = if unlimited { Some(DEFAULT_SECONDS) } else { flags.seconds };
    let workshop = world.workshop()?;
    let explored = &flags.explored;
    let setting = explored.setting(world, &workshop.toolchain)?;
    let limits = [seconds, flags.executions];
    let mut campaign = explored.campaign(explored.runtime(), world, &workshop, &setting, limits)?;
    flags.json.iter().try_for_each(|path| can_write(path))?;
    interrupt::listen()?;
    let line = ProgressLine::new();
    if let Some(budget) = flags.budget {
        let target = workshop.runtime(&campaign.runtime, campaign.bug.as_deref())?;
        let wanted = campaign.sanitizers.iter().map(|sanitizer| (target.clone(), *sanitizer));
        workshop.build_all(wanted, build_on(&line))?;
        let left = budget.saturating_sub(started.elapsed()).saturating_sub(RESERVE).as_secs();
        ensure!(left > 0, "building took all of the budget; give more with `--budget`, or build before");
        campaign.seconds = Some(campaign.seconds.map_or(left, |seconds| seconds.min(left)));
    }
    say(format!("seed {}, engine {}", campaign.seed, word(&campaign.engine)));
    let summary = campaign.run(&workshop, |progress| line.campaign(progress))?;
    drop(line);
    print(&summary);
    if let Some(path) = &flags.json {
        json::write(path, &json::Fuzz::new(&summary, campaign.engine, campaign.seed))?;
    }
    match summary.failure {
        Some(error) => Err(error),
        None => Ok(!summary.findings.is_empty()),
    }
}

/// The table, the findings and the totals.
pub fn print(summary: &Summary) {
    say(table::of_cells(&summary.cells));
    for finding in &summary.findings {
        say(format!("\n{}", findings::text(finding)));
    }
    let mut reasons = std::collections::BTreeMap::new();
    for (reason, count) in summary.cells.iter().flat_map(|cell| &cell.incomparable) {
        *reasons.entry(reason).or_insert(0) += count;
    }
    for (reason, count) in reasons {
        say(format!("{} executions could not be compared: {}", grouped(count), word(reason)));
    }
    if let Some(corpus) = &summary.corpus {
        say(corpus_line(corpus));
    }
    say(format!(
        "{}{} executions of {} task graphs in {:.1} s, {}",
        if summary.interrupted { "interrupted after " } else { "" },
        grouped(summary.executions),
        grouped(summary.task_graphs),
        summary.seconds,
        findings::counted(summary.findings.len()),
    ));
}

fn corpus_line(corpus: &Gathered) -> String {
    let refused = match corpus.refused {
        0 => String::new(),
        count => format!(", {} files that are no inputs (`threadbare corpus stats` names them)", grouped(count as u64)),
    };
    format!("corpus: {} inputs, {} of them new{refused}", grouped(corpus.inputs as u64), grouped(corpus.added as u64))
}
