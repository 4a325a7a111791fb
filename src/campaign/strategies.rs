//! Measures the strategies on examples to check: how many executions each takes to the first finding, and their
//! throughput.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;

use super::bench::{INTERRUPTED, Throughput};
use super::interrupt;
use super::job::{Executed, Job, Program, Slice, Work};
use super::supervisor::{Ended, Supervisor};
use crate::check::{self, Check};
use crate::model::settings::{Engine, MemoryModel, Races, Sanitizer, Settings, StrategyName};
use crate::model::verdict::Failure;
use crate::model::word;
use crate::target::Points;
use crate::target::{Built, Workshop};

/// The strategies that are compared.
pub const COMPARED: [StrategyName; 6] = [
    StrategyName::Random,
    StrategyName::Pct,
    StrategyName::Pos,
    StrategyName::Surw,
    StrategyName::Rff,
    StrategyName::Portfolio,
];

/// The example whose throughput is measured: three threads and a few plain accesses.
const MEASURED: &str = "reorder_3_fixed.c";
/// Rounds of measuring, and the executions of each.
const ROUNDS: u64 = 5;
const CONTROLLED_ROUND: u64 = 50_000;
const FREE_ROUND: u64 = 2_000;

/// What to measure.
pub struct Comparison {
    /// Where the examples are. Those whose markers say `verdict: clean` are left out.
    pub directory: PathBuf,
    /// Searches for each example and strategy, with seeds of their own.
    pub trials: u64,
    /// Executions after which a search gives up.
    pub cap: u64,
    pub engine: Engine,
    pub jobs: usize,
}

/// An example, as the markers in its first comment describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub source: PathBuf,
    /// Words of the verdicts that it may show.
    pub verdicts: Vec<String>,
    pub sanitizer: Sanitizer,
    pub points: Points,
}

/// The searches of one strategy in one example: the executions of those that found it.
#[derive(Clone, Debug, Default)]
pub struct Searches {
    pub trials: u64,
    pub found: Vec<u64>,
}

impl Searches {
    /// The median over all searches, if most found it.
    #[must_use]
    pub fn median(&self) -> Option<u64> {
        let mut found = self.found.clone();
        found.sort_unstable();
        found.get((self.trials as usize).div_ceil(2).checked_sub(1)?).copied()
    }
}

/// An example and what each of [`COMPARED`] took.
pub struct Measured {
    pub example: Example,
    pub searches: Vec<Searches>,
}

impl Example {
    /// Reads the markers of a source.
    ///
    /// # Errors
    /// It cannot be read, or a marker is missing or not understood.
    pub fn of(source: &Path) -> Result<Self> {
        let name = source.display();
        let text = fs::read_to_string(source).with_context(|| format!("cannot read {name}"))?;
        let marker = |key: &str| {
            let values = text.lines().filter_map(|line| line.trim_start_matches(['/', ' ']).strip_prefix(key));
            let value = values.filter_map(|rest| rest.strip_prefix(": ")).map(str::trim).next();
            value.with_context(|| format!("{name}: no line `// {key}: ...` in its first comment"))
        };
        let no = |key: &str, value: &str| format!("{name}: `{value}` is no {key}");
        let (sanitizer, points) = (marker("sanitizer")?, marker("points")?);
        Ok(Self {
            source: source.to_owned(),
            verdicts: marker("verdict")?.split(" or ").map(str::to_owned).collect(),
            sanitizer: Sanitizer::from_str(sanitizer, false).ok().with_context(|| no("sanitizer", sanitizer))?,
            points: Points::from_str(points, false).ok().with_context(|| no("kind of points", points))?,
        })
    }

    /// The check of it.
    #[must_use]
    pub fn check(&self) -> Check {
        Check {
            directory: PathBuf::new(),
            sources: vec![self.source.clone()],
            flags: Vec::new(),
            arguments: Vec::new(),
            points: self.points,
            injections: Vec::new(),
            test: None,
            recorded: None,
        }
    }
}

/// The examples in a directory that show a bug, in the order of their names.
///
/// # Errors
/// The directory or a source cannot be read, or has no markers.
pub fn examples_in(directory: &Path) -> Result<Vec<Example>> {
    let entries = fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut sources: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    sources.retain(|path| path.extension().is_some_and(|extension| extension == "c" || extension == "cpp"));
    sources.sort();
    let mut examples = sources.iter().map(|source| Example::of(source)).collect::<Result<Vec<_>>>()?;
    examples.retain(|example| example.verdicts != ["clean"]);
    ensure!(!examples.is_empty(), "no examples in {}; name a directory such as examples/check", directory.display());
    Ok(examples)
}

impl Comparison {
    /// Measures; `observe` is told how many of how many searches are done.
    ///
    /// # Errors
    /// An example does not compile, or the workers cannot do what they are asked.
    pub fn run(&self, workshop: &Workshop, mut observe: impl FnMut(u64, u64)) -> Result<Vec<Measured>> {
        let examples = examples_in(&self.directory)?;
        let mut supervisor = Supervisor::new(self.jobs)?;
        let searches = vec![Searches { trials: self.trials, found: Vec::new() }; COMPARED.len()];
        let measured = |example| Measured { example, searches: searches.clone() };
        let mut measured: Vec<Measured> = examples.into_iter().map(measured).collect();
        let total = self.trials * (COMPARED.len() * measured.len()) as u64;
        let mut done = 0;
        for measured in &mut measured {
            let program = build(workshop, &measured.example)?;
            let mut waiting: VecDeque<(usize, u64)> =
                (0..COMPARED.len()).flat_map(|strategy| (0..self.trials).map(move |trial| (strategy, trial))).collect();
            loop {
                if interrupt::requested() {
                    bail!(INTERRUPTED);
                }
                while supervisor.has_room()
                    && let Some((strategy, trial)) = waiting.pop_front()
                {
                    supervisor.start(strategy, self.job(&measured.example, &program, strategy, trial), None)?;
                }
                if supervisor.is_idle() {
                    break;
                }
                for (strategy, ended) in supervisor.poll()? {
                    done += 1;
                    measured.searches[strategy].found.extend(found(&measured.example, &ended));
                }
                observe(done, total);
            }
        }
        Ok(measured)
    }

    /// Measures the throughput of the example [`MEASURED`] with the controlled engine and with `free`, in turns, under
    /// each sanitizer.
    ///
    /// # Errors
    /// As [`Comparison::run`].
    pub fn throughput(&self, workshop: &Workshop, sanitizers: &[Sanitizer]) -> Result<Vec<Throughput>> {
        let example = Example::of(&self.directory.join(MEASURED))?;
        let mut supervisor = Supervisor::new(1)?;
        let mut throughputs = Vec::new();
        for &sanitizer in sanitizers {
            let example = Example { sanitizer, ..example.clone() };
            let program = build(workshop, &example)?;
            let mut pair = [(self.engine, CONTROLLED_ROUND), (Engine::Free, FREE_ROUND)]
                .map(|(engine, round)| (Throughput { sanitizer, engine, executions: 0, seconds: 0.0 }, round));
            for round in 0..ROUNDS {
                for (throughput, count) in &mut pair {
                    let mut job = self.job(&example, &program, 0, round);
                    job.settings.engine = throughput.engine;
                    if let Work::Explore(slice) = &mut job.work {
                        slice.count = *count;
                    }
                    throughput.measure(&mut supervisor, job).context(MEASURED)?;
                }
            }
            throughputs.extend(pair.map(|(throughput, _)| throughput));
        }
        Ok(throughputs)
    }

    fn job(&self, example: &Example, target: &Built, strategy: usize, trial: u64) -> Job {
        let program = Executed::Program(Program::of(&example.check()));
        let slice = Slice::to_measure(program, trial, 0, self.cap);
        let settings = Settings {
            runtime: check::RUNTIME.to_owned(),
            threads: 1,
            sanitizer: example.sanitizer,
            engine: self.engine,
            strategy: COMPARED[strategy],
            seed: trial,
            memory: MemoryModel::Sc,
            races: Races::Off,
            bug: None,
        };
        Job { settings, target: target.clone(), work: Work::Explore(slice) }
    }
}

/// Builds an example, unless Ctrl-C comes first.
fn build(workshop: &Workshop, example: &Example) -> Result<Built> {
    let target = example.check().target()?;
    let builds = workshop.build_all([(target.clone(), example.sanitizer)], |_| !interrupt::requested())?;
    builds.of(&target, example.sanitizer).cloned()
}

/// How many executions a search took, if it found what the example shows.
fn found(example: &Example, ended: &Ended) -> Option<u64> {
    let found = ended.earlier.iter().chain(&ended.found).next()?;
    let shows = |failure: &Failure| example.verdicts.contains(&word(&failure.verdict));
    found.failures.iter().any(shows).then_some(found.execution + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_markers_of_an_example_are_read() {
        let folder = tempfile::tempdir().expect("a directory");
        let source = folder.path().join("a.c");
        let text = "// Why.\n// verdict: deadlock or livelock\n// sanitizer: thread\n// points: memory\nint x;\n";
        fs::write(&source, text).expect("written");
        let example = Example::of(&source).expect("markers");
        assert_eq!(example.verdicts, ["deadlock", "livelock"]);
        assert_eq!((example.sanitizer, example.points), (Sanitizer::Thread, Points::Memory));
        fs::write(&source, text.replace("points", "dots")).expect("written");
        let error = Example::of(&source).expect_err("no points").to_string();
        assert!(error.contains("// points: ..."), "{error}");
    }

    #[test]
    fn the_median_counts_searches_that_found_nothing() {
        let median = |found: &[u64]| Searches { trials: 4, found: found.to_vec() }.median();
        assert_eq!(median(&[9, 1, 5, 7]), Some(5));
        assert_eq!(median(&[9, 1]), Some(9));
        assert_eq!(median(&[9]), None);
    }
}
