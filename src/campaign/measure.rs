//! What each input of a corpus does, as the counters of feedback tell; and which inputs are needed to do it all.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::interrupt;
use super::job::{Job, Work};
use super::supervisor::Supervisor;
use crate::feedback::Features;
use crate::feedback::counters::Feature;
use crate::input::Input;
use crate::model::settings::{Engine, MemoryModel, Races, Sanitizer, Settings, StrategyName};
use crate::model::word;
use crate::target::Built;

/// Inputs that one worker executes.
const AT_ONCE: usize = 500;

/// How to execute a corpus.
pub struct Measurement {
    pub runtime: String,
    pub bug: Option<String>,
    pub sanitizer: Sanitizer,
    pub engine: Engine,
    pub jobs: usize,
    /// Begin again after each input that a process does not survive. Else what would come after it stays unknown, so
    /// that it takes about as long whatever fails.
    pub thorough: bool,
    /// What is not known after so long stays unknown.
    pub limit: Option<Duration>,
}

/// What the inputs did.
#[derive(Debug, Default)]
pub struct Measured {
    /// By name: the size in bytes, and what was reached. Nothing if the process ended with it.
    inputs: BTreeMap<String, (usize, Vec<Feature>)>,
    /// Inputs that failed, and how.
    failing: BTreeMap<String, String>,
}

impl Measurement {
    /// Executes every input once on the runtime, built for the sanitizer; they come with their names. `observe` is told how
    /// many are done and how many there are.
    ///
    /// # Errors
    /// A worker cannot do what it is asked.
    pub fn run(&self, target: &Built, inputs: &[(&str, &[u8])], mut observe: impl FnMut(u64, u64)) -> Result<Measured> {
        let mut supervisor = Supervisor::new(self.jobs)?;
        let mut measured = Measured::default();
        let mut waiting = batches(inputs);
        let started = Instant::now();
        while !interrupt::requested() && self.limit.is_none_or(|limit| started.elapsed() < limit) {
            while supervisor.has_room()
                && let Some((threads, batch)) = waiting.pop_front()
            {
                let inputs = batch.iter().map(|(_, bytes)| bytes.clone()).collect();
                let (settings, target) = (self.settings(threads), target.clone());
                let job = Job { settings, target, work: Work::Measure(inputs) };
                supervisor.start((threads, batch), job, None)?;
            }
            if supervisor.is_idle() {
                break;
            }
            for ((threads, mut batch), ended) in supervisor.poll()? {
                let mut rest = batch.split_off((ended.outcome.executions.max(1) as usize).min(batch.len()));
                if !self.thorough {
                    rest.clear();
                }
                let mut features = ended.outcome.features.into_iter();
                if ended.found.is_some() && features.len() == 0 && batch.len() > 1 {
                    // It died, and with it what was known of those before the last one.
                    let last = batch.split_off(batch.len() - 1);
                    waiting.extend([(threads, batch), (threads, last), (threads, rest)]);
                    waiting.retain(|(_, batch)| !batch.is_empty());
                    continue;
                }
                if let (Some(found), Some((name, _))) = (&ended.found, batch.last()) {
                    let why = found
                        .failures
                        .first()
                        .map_or_else(String::new, |failure| format!("{}: {}", word(&failure.verdict), failure.message));
                    measured.failing.insert(name.clone(), why);
                }
                for (name, bytes) in batch {
                    measured.inputs.insert(name, (bytes.len(), features.next().unwrap_or_default()));
                }
                if !rest.is_empty() {
                    waiting.push_back((threads, rest));
                }
            }
            observe(measured.inputs.len() as u64, inputs.len() as u64);
        }
        Ok(measured)
    }

    fn settings(&self, threads: u16) -> Settings {
        Settings {
            runtime: self.runtime.clone(),
            threads,
            sanitizer: self.sanitizer,
            engine: self.engine,
            strategy: StrategyName::Bytes,
            seed: 0,
            memory: MemoryModel::Sc,
            races: Races::Off,
            bug: self.bug.clone(),
        }
    }
}

/// Inputs by name.
type Batch = Vec<(String, Vec<u8>)>;

/// The inputs of each number of threads, since a worker has one.
fn batches(inputs: &[(&str, &[u8])]) -> VecDeque<(u16, Batch)> {
    let mut by_threads: BTreeMap<u16, Batch> = BTreeMap::new();
    for &(name, bytes) in inputs {
        if let Ok(input) = Input::decode(bytes) {
            by_threads.entry(input.threads).or_default().push((name.to_owned(), bytes.to_vec()));
        }
    }
    let cut = |(threads, batch): (u16, Batch)| {
        batch.chunks(AT_ONCE).map(|chunk| (threads, chunk.to_vec())).collect::<Vec<_>>()
    };
    by_threads.into_iter().flat_map(cut).collect()
}

impl Measured {
    /// Inputs that failed, and how.
    pub fn failing(&self) -> impl Iterator<Item = (&str, &str)> {
        self.failing.iter().map(|(name, why)| (name.as_str(), why.as_str()))
    }

    /// What is reached in all.
    #[must_use]
    pub fn reached(&self) -> Features {
        let mut reached = Features::default();
        for &feature in self.inputs.values().flat_map(|(_, features)| features) {
            reached.insert(feature);
        }
        reached
    }

    /// The names of inputs that reach everything that all do: small ones first, each if those before it leave something
    /// out. Those that failed, or of which nothing is known, stay.
    #[must_use]
    pub fn needed(&self) -> BTreeSet<String> {
        let mut order: Vec<_> = self.inputs.iter().collect();
        order.sort_by_key(|(name, (size, _))| (*size, *name));
        let mut reached = Features::default();
        let mut needed = BTreeSet::new();
        for (name, (_, features)) in order {
            let adds = features.iter().filter(|&&feature| reached.insert(feature)).count() > 0;
            if adds || features.is_empty() || self.failing.contains_key(name) {
                needed.insert(name.clone());
            }
        }
        needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(inputs: &[(&str, usize, &[Feature])]) -> Measured {
        let inputs = inputs.iter().map(|(name, size, features)| ((*name).to_owned(), (*size, features.to_vec())));
        Measured { inputs: inputs.collect(), failing: BTreeMap::new() }
    }

    #[test]
    fn small_inputs_that_reach_the_same_replace_large_ones() {
        let all = measured(&[("large", 90, &[(1, 0), (2, 0)]), ("one", 10, &[(1, 0)]), ("two", 20, &[(2, 0), (1, 0)])]);
        assert_eq!(all.reached().count(), 2);
        assert_eq!(all.needed(), BTreeSet::from(["one".to_owned(), "two".to_owned()]));
    }

    #[test]
    fn what_fails_or_is_not_known_stays() {
        let mut all = measured(&[("a", 1, &[(1, 0)]), ("fails", 2, &[(1, 0)]), ("unknown", 3, &[])]);
        all.failing.insert("fails".to_owned(), "deadlock".to_owned());
        assert_eq!(all.needed().len(), 3);
    }

    #[test]
    fn more_of_the_same_counts_as_something_else() {
        let all = measured(&[("once", 1, &[(1, 0)]), ("often", 2, &[(1, 3)])]);
        assert_eq!(all.needed().len(), 2);
    }
}
