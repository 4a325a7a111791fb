//! What is in a corpus, in numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::grouped;
use crate::campaign::corpus::Corpus;
use crate::input::Input;

/// Files that are named one by one: at most.
const NAMED: usize = 20;

/// `corpus stats --json`.
#[derive(Debug, Serialize)]
pub struct Stats {
    inputs: u64,
    bytes: u64,
    largest: u64,
    tasks: u64,
    operations: u64,
    choices: u64,
    /// Inputs by number of threads.
    threads: BTreeMap<u16, u64>,
    /// Files that are not used, and why.
    refused: BTreeMap<String, String>,
}

impl Stats {
    #[must_use]
    pub fn of(corpus: &Corpus) -> Self {
        let refused = corpus.refused().map(|(path, why)| (path.display().to_string(), why.to_owned()));
        let mut stats = Self {
            inputs: corpus.len() as u64,
            bytes: 0,
            largest: 0,
            tasks: 0,
            operations: 0,
            choices: 0,
            threads: BTreeMap::new(),
            refused: refused.collect(),
        };
        for (_, bytes) in corpus.iter() {
            let Ok(input) = Input::decode(bytes) else { continue };
            stats.bytes += bytes.len() as u64;
            stats.largest = stats.largest.max(bytes.len() as u64);
            stats.tasks += input.graph.tasks.len() as u64;
            stats.operations += input.graph.operation_count() as u64;
            stats.choices += input.choices.len() as u64;
            *stats.threads.entry(input.threads).or_default() += 1;
        }
        stats
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mean = |sum: u64| if self.inputs == 0 { 0.0 } else { sum as f64 / self.inputs as f64 };
        let threads = self.threads.iter().map(|(threads, count)| format!("{threads}: {}", grouped(*count)));
        let mut text = format!(
            "{} inputs, {} bytes, the largest {}\non average {:.1} tasks, {:.1} operations, {:.1} choices\n\
             by number of threads: {}",
            grouped(self.inputs),
            grouped(self.bytes),
            grouped(self.largest),
            mean(self.tasks),
            mean(self.operations),
            mean(self.choices),
            threads.collect::<Vec<_>>().join(", ")
        );
        for (path, why) in self.refused.iter().take(NAMED) {
            text.push_str(&format!("\n{path}: {why}"));
        }
        if self.refused.len() > NAMED {
            text.push_str(&format!("\nand {} more files that are no inputs", self.refused.len() - NAMED));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Mutator;
    use crate::task_graph::Shape;

    #[test]
    fn an_empty_corpus_and_a_small_one_have_numbers() {
        let mut corpus = Corpus::default();
        assert!(Stats::of(&corpus).text().starts_with("0 inputs"));
        corpus.extend(&[Mutator::new(3, Shape::of_size(3)).fresh(1)]).expect("in memory");
        let stats = Stats::of(&corpus);
        assert_eq!((stats.inputs, stats.threads[&3]), (1, 1));
        assert!(stats.bytes > 0 && stats.bytes == stats.largest && stats.tasks > 0);
    }
}
