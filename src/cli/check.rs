//! `threadbare check`: any C or C++ program under many schedules.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use super::each_test;
use super::limits::Limits;
use super::outputs::{Outputs, explore, explore_alone};
use super::program::Program;
use super::resolve;
use super::setting::Setting;
use super::world::World;
use crate::campaign::ci::{Explored, Summary};
use crate::campaign::explorer::Campaign;
use crate::campaign::interrupt;
use crate::check;
use crate::check::framework::EachTest;
use crate::model::schedule::Injection;
use crate::model::settings::{MemoryModel, Races, Sanitizer, StrategyName};
use crate::report::{json, say};
use crate::target::Points;
use crate::target::Workshop;
use crate::target::recorded::database::Database;

/// Time of each program that is given neither time nor executions.
const DEFAULT_BUDGET: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare check test.c                                           explore its schedules for ten seconds
  threadbare check queue --stop-at-first                            a program that threadbare.toml names
  threadbare check test.c --strategy exhaustive --sanitizer thread  all schedules that differ
  threadbare check test.cpp --flags \"-Iinclude -DN=3\" -- 7          flags, and an argument of `main`")]
pub struct Flags {
    /// C or C++ sources, objects and libraries, one of which defines `main`; or an executable that was built with `threadbare
    /// cc` and `threadbare c++`; or the name of a program in threadbare.toml; or nothing, for each program in it. What is
    /// given here comes before what the file says.
    sources: Vec<PathBuf>,
    /// Flags for the compiler, as in a shell, such as "-DSIZE=3 '-DNAME=\"a b\"' -Iinclude -lm"; after those of
    /// threadbare.toml, so that these win.
    #[arg(long, default_value = "", allow_hyphen_values = true, value_parser = words)]
    flags: Words,
    /// Compile each source with the flags that compile_commands.json in this directory has for it; those of `--flags` come
    /// after.
    #[arg(long, value_name = "DIRECTORY")]
    compile_commands: Option<PathBuf>,
    /// Sanitizers to build with [default: THREADBARE_SANITIZER of the environment, else `sanitizers` of
    /// threadbare.toml, else none,thread,address].
    #[arg(long, value_enum, value_delimiter = ',')]
    sanitizer: Option<Vec<Sanitizer>>,
    /// How virtual threads run [default: fibers if built with clang, else threads].
    #[arg(long, value_enum)]
    engine: Option<resolve::Controlled>,
    /// What makes the choices: random[:CHANCE], pct[:DEPTH], pos, surw, rff, exhaustive[:PREEMPTIONS] or portfolio
    /// [default: portfolio].
    #[arg(long)]
    strategy: Option<StrategyName>,
    /// Which executions there are: interleavings (sc), those of x86 (tso) or those of C++20 (cpp20) [default: `memory` of
    /// threadbare.toml, else, with the portfolio, a quarter of the executions under cpp20 and the others under sc].
    #[arg(long, value_enum)]
    memory: Option<MemoryModel>,
    /// Whether threadbare looks for data races itself, besides ThreadSanitizer, which does where it is loaded [default: `races` of
    /// threadbare.toml, else with AddressSanitizer, whose executions are then judged for both].
    #[arg(long, value_enum, value_name = "WHETHER")]
    races: Option<Races>,
    /// Where scheduling points are [default: memory].
    #[arg(long, value_enum)]
    points: Option<Points>,
    /// Explore each test of the program as a target of its own: those of gtest, catch2, catch3, doctest or boost, whichever the
    /// program has functions of. `--executions` is of each test, `--budget` of all [default: `each-test` of threadbare.toml].
    #[arg(long, value_name = "FRAMEWORK", num_args = 0..=1, require_equals = true, default_missing_value = "auto")]
    each_test: Option<EachTest>,
    /// Only tests of this name, in which `*` stands for anything; with `--each-test`, and several times if there are several
    /// [default: `tests` of threadbare.toml].
    #[arg(long, value_name = "NAME")]
    test: Vec<String>,
    #[command(flatten)]
    limits: Limits,
    /// The same seed and executions are the same check.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Workers at a time [default: `jobs` of threadbare.toml, else one for each core].
    #[arg(long)]
    jobs: Option<usize>,
    /// Stop after the first finding.
    #[arg(long)]
    stop_at_first: bool,
    /// Execute each schedule twice and report the first step at which the two executions differ, if they do.
    #[arg(long)]
    audit: bool,
    /// Inject what a program must expect: spurious-wake-up, weak-failure, short-read, short-write, eintr, reset.
    #[arg(long, value_delimiter = ',', value_parser = injection)]
    inject: Option<Vec<Injection>>,
    /// Directory for what is found [default: `findings` of threadbare.toml, else findings].
    #[arg(long, value_name = "DIRECTORY")]
    findings: Option<PathBuf>,
    #[command(flatten)]
    outputs: Outputs,
    /// Arguments of `main`, in place of those of threadbare.toml.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Words of a shell.
#[derive(Clone, Debug, Default)]
struct Words(Vec<String>);

/// Splits flags as a shell would.
fn words(text: &str) -> Result<Words, String> {
    shlex::split(text).map(Words).ok_or_else(|| "a quote has no end".to_owned())
}

/// Parses the word of something that may go wrong.
fn injection(word: &str) -> Result<Injection, String> {
    let known = check::INJECTIONS.into_iter().find(|injection| injection.word() == word);
    known.ok_or_else(|| format!("choose from {}", check::INJECTIONS.map(Injection::word).join(", ")))
}

impl Flags {
    /// The program, with what the command line says in place of the project file.
    fn overriding(&self, program: Program, environment: Option<&[Sanitizer]>) -> Program {
        let flags = self.flags.0.iter().cloned();
        Program {
            flags: program.flags.into_iter().chain(flags).collect(),
            arguments: if self.arguments.is_empty() { program.arguments } else { self.arguments.clone() },
            each_test: self.each_test.or(program.each_test),
            tests: if self.test.is_empty() { program.tests } else { self.test.clone() },
            sanitizers: self.sanitizer.clone().or(environment.map(<[_]>::to_vec)).or(program.sanitizers),
            points: self.points.or(program.points),
            injections: self.inject.clone().or(program.injections),
            strategy: self.strategy.or(program.strategy),
            ..program
        }
    }

    fn resolve(&self, program: &Program, setting: &Setting) -> Result<Campaign> {
        let limits = (self.limits.budget(DEFAULT_BUDGET), self.limits.executions);
        let campaign = setting.of_program(program, limits)?;
        Ok(Campaign { stop_at_first: self.stop_at_first, audit: self.audit, ..campaign })
    }
}

pub fn run(flags: &Flags, world: &World) -> Result<bool> {
    let mut programs = Program::given(&flags.sources, world)?;
    let workshop = world.workshop()?;
    if let Some(directory) = &flags.compile_commands {
        let database = Database::open(directory)?;
        programs.iter_mut().try_for_each(|program| program.compile_as_in(&database, &workshop.toolchain))?;
    }
    let environment = resolve::sanitizers_of_environment()?;
    let overriding = |program| flags.overriding(program, environment.as_deref());
    let programs: Vec<Program> = programs.into_iter().map(overriding).collect();
    let setting = Setting {
        engine: resolve::controlled_engine(flags.engine, &workshop.toolchain)?,
        engine_is_given: flags.engine.is_some(),
        memory: flags.memory,
        races: flags.races,
        tells_atomics: resolve::tells_atomics(&workshop.toolchain),
        seed: flags.seed,
        jobs: world.jobs(flags.jobs)?,
        minimise: flags.limits.minimise(),
        findings: world.findings(flags.findings.as_deref())?,
    };
    let campaigns = programs.iter().map(|program| flags.resolve(program, &setting)).collect::<Result<Vec<_>>>()?;
    flags.outputs.can_be_written()?;
    interrupt::listen()?;
    let name = |(program, campaign): (&Program, &Campaign)| match &program.named {
        Some(named) => Ok(named.name.clone()),
        None => campaign.searched.target(&workshop).map(|target| target.name),
    };
    let names = programs.iter().zip(&campaigns).map(name).collect::<Result<Vec<_>>>()?;
    let mut asked = Vec::new();
    for ((program, name), campaign) in programs.iter().zip(names).zip(campaigns) {
        ensure!(
            program.each_test.is_some() || program.tests.is_empty(),
            "{name}: tests are named, and it is explored as a whole; add `--each-test`"
        );
        asked.push(Asked { program, name, campaign });
    }
    match <[Asked<'_>; 1]>::try_from(asked) {
        Ok([Asked { name, campaign, program }]) if !flags.sources.is_empty() && program.each_test.is_none() => {
            explore_alone("check", &name, campaign, &workshop, &flags.outputs)
        }
        Ok(alone) => each(alone.into(), &flags.outputs, &workshop),
        Err(asked) => each(asked, &flags.outputs, &workshop),
    }
}

/// A program, and how it is explored.
struct Asked<'a> {
    program: &'a Program,
    name: String,
    campaign: Campaign,
}

/// Explores one program after the other, whatever comes of each.
fn each(asked: Vec<Asked<'_>>, outputs: &Outputs, workshop: &Workshop) -> Result<bool> {
    let mut explored: Vec<Explored> = Vec::new();
    for Asked { program, name, campaign } in asked {
        let of = |outcome: &str| Explored {
            name: name.clone(),
            campaign: campaign.clone(),
            outcome: Err(outcome.to_owned()),
        };
        if interrupt::requested() {
            explored.push(of("interrupted before it began"));
            continue;
        }
        if let Some(each) = program.each_test {
            match each_test::of(program, each, &name, &campaign, workshop) {
                Ok(tests) => explored.extend(tests.explore(&name, workshop)),
                Err(error) => explored.push(of(&format!("{error:#}"))),
            }
            continue;
        }
        say(format!("{}{name}", if explored.is_empty() { "" } else { "\n" }));
        let outcome = explore(&name, campaign.clone(), workshop);
        explored.push(outcome.unwrap_or_else(|error| of(&format!("{error:#}"))));
    }
    let summary = Summary::of("check", explored);
    let written = outputs.write(&summary, |summary| json::Targets::new(&summary.targets));
    let why = |target: &Explored| Some(format!("{}: {}", target.name, target.failure()?));
    let failed = summary.targets.iter().filter_map(why).collect::<Vec<_>>().join("\n");
    let found = summary.found();
    if !failed.is_empty() && (found || written.is_err()) {
        say(format!("\n{failed}"));
    }
    written?;
    ensure!(found || failed.is_empty(), "{failed}");
    Ok(found)
}
