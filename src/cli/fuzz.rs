//! `threadbare fuzz`: the main job.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;

use super::limits::Limits;
use super::outputs::{Outputs, explore_alone};
use super::resolve;
use super::search::{Name, SearchFlags};
use super::setting::Setting;
use super::world::{Preset, World};
use crate::campaign::explorer::Campaign;
use crate::campaign::interrupt;
use crate::campaign::search::{Runtime, Searched};
use crate::model::settings::{Engine, MemoryModel, Races, Sanitizer, StrategyName};
use crate::model::word;
use crate::report::say;
use crate::target::{Toolchain, Workshop, bundled};
use crate::task_graph::{self, Shape, Systems};

/// Time of a campaign that is given neither time nor executions.
const DEFAULT_BUDGET: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare fuzz                                 the bundled runtime for a minute
  threadbare fuzz --executions 6000 --seed 1      the same campaign each time
  threadbare fuzz --bug lost-notify --threads 2   find a seeded bug
  threadbare fuzz --runtime mine --corpus corpus  one of threadbare.toml, coverage-guided")]
pub struct Flags {
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    explored: Exploring,
    /// End with the first finding.
    #[arg(long)]
    stop_at_first: bool,
    /// Execute each schedule twice and report the first step at which the two executions differ, if they do; then replay
    /// some of them with each engine under each sanitizer. The search is generational.
    #[arg(long)]
    audit: bool,
    #[command(flatten)]
    outputs: Outputs,
}

/// What `ci` explores as well.
#[derive(Debug, Args)]
pub struct Exploring {
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
    /// Which executions there are: interleavings (sc), those of x86 (tso) or those of C++20 (cpp20) [default: `memory` of the
    /// target in threadbare.toml, else sc; programs as for `check`].
    #[arg(long, value_enum)]
    memory: Option<MemoryModel>,
    /// Whether threadbare looks for data races itself, besides ThreadSanitizer, which does where it is loaded: a runtime is
    /// then built with its plain accesses instrumented [default: `races` of the target in threadbare.toml, else off; programs
    /// as for `check`].
    #[arg(long, value_enum)]
    races: Option<Races>,
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

impl Exploring {
    pub fn setting(&self, world: &World, toolchain: &Toolchain, limits: &Limits) -> Result<Setting> {
        Ok(Setting {
            engine: resolve::engine(self.engine, toolchain)?,
            engine_is_given: self.engine.is_some(),
            memory: self.memory,
            races: self.races,
            tells_atomics: resolve::tells_atomics(toolchain),
            seed: self.seed.map_or_else(random_seed, Ok)?,
            jobs: world.jobs(self.jobs)?,
            minimise: limits.minimise(),
            findings: world.findings(self.findings.as_deref())?,
        })
    }

    /// The runtime to explore where there is only one.
    pub fn runtime(&self) -> &str {
        self.runtime.as_deref().unwrap_or(bundled::NAME)
    }

    /// The campaign that explores this runtime for so long, or so many executions.
    pub fn campaign(
        &self,
        runtime: &str,
        world: &World,
        workshop: &Workshop,
        setting: &Setting,
        limits: (Option<Duration>, Option<u64>),
        audit: bool,
    ) -> Result<Campaign> {
        let Preset { sanitizers, threads, memory, races } = world.preset(runtime)?;
        workshop.runtime(runtime, self.bug.as_deref())?;
        resolve::size(self.size)?;
        let engine = setting.engine;
        ensure!(
            !audit || engine != Engine::Free,
            "the engine free controls nothing, so there is no schedule to audit; choose fibers or threads"
        );
        // By time a generational search finds more, so it is guided when it is given what only a guided one has.
        let is_coverage_guided = (self.corpus.is_some() || self.search.names_feedback())
            && engine != Engine::Free
            && self.strategy.is_none()
            && !audit
            && cfg!(feature = "libfuzzer");
        // What the runtime offers is known once it is built.
        let shape = Shape { size: self.size, systems: self.systems, ..Shape::of_size(self.size) };
        let explored = Runtime { name: runtime.to_owned(), bug: self.bug.clone(), shape };
        let searched = match self
            .search
            .resolve(engine, if is_coverage_guided { Name::CoverageGuided } else { Name::Generational })?
        {
            None => {
                ensure!(
                    self.corpus.is_none(),
                    "a generational search keeps no corpus; use --search coverage-guided, or leave out --corpus"
                );
                Searched::Generational { runtime: explored, strategy: self.strategy.unwrap_or(StrategyName::Random) }
            }
            Some(feedback) => {
                ensure!(
                    !audit,
                    "an audit is of executions that are made again from their numbers; use --search generational, or leave out \
                     --audit"
                );
                ensure!(
                    self.strategy.is_none(),
                    "a coverage-guided search makes its choices itself; use --search generational, or leave out --strategy"
                );
                Searched::CoverageGuided { runtime: explored, feedback, corpus: self.corpus.clone() }
            }
        };
        let sanitizers = resolve::chosen(self.sanitizer.as_deref(), sanitizers.as_deref(), &resolve::SANITIZERS);
        let threads = resolve::chosen(self.threads.as_deref(), threads.as_deref(), &resolve::THREADS);
        let campaign = setting.campaign(searched, (sanitizers, threads), limits);
        let memory = setting.memory.or(memory);
        ensure!(
            engine != Engine::Free || matches!(memory, None | Some(MemoryModel::Sc)),
            "the engine free controls nothing, so its memory is that of the machine; choose fibers or threads"
        );
        let races = setting.races.or(races);
        ensure!(
            engine != Engine::Free || races != Some(Races::On),
            "the engine free controls nothing, so nobody knows which accesses are ordered; choose fibers or threads, or \
             `--sanitizer thread`"
        );
        let campaign = Campaign { audit, memory, races, ..campaign };
        setting.ensure_races_can_be_told(&campaign)?;
        Ok(campaign)
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
    let workshop = world.workshop()?;
    let setting = flags.explored.setting(world, &workshop.toolchain, &flags.limits)?;
    let limits = (flags.limits.budget(DEFAULT_BUDGET), flags.limits.executions);
    let name = flags.explored.runtime();
    let campaign = flags.explored.campaign(name, world, &workshop, &setting, limits, flags.audit)?;
    let campaign = Campaign { stop_at_first: flags.stop_at_first, ..campaign };
    flags.outputs.can_be_written()?;
    interrupt::listen()?;
    say(format!("seed {}, engine {}", campaign.seed, word(&campaign.engine)));
    explore_alone("fuzz", name, campaign, &workshop, &flags.outputs)
}
