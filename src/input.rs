//! Inputs of a fuzzer: a task graph with the choices of one execution, in a form that lasts.
//!
//! The bytes of an input hold the task graph itself and not what it was generated from, so that a corpus means the same
//! after the generator has changed.

mod mutate;

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};

pub use mutate::{Mutator, Theme};

use crate::case::Case;
use crate::model::limits::MAX_INPUT_BYTES;
use crate::model::settings::{Engine, MAX_THREADS, MemoryModel, Races, Sanitizer, Settings, StrategyName};
use crate::model::verdict::Verdict;
use crate::regular;
use crate::task_graph::TaskGraph;
use crate::task_graph::encode::{self, Reader, Undecodable, Writer};

/// What the bytes of an input begin with; no text does.
pub const MAGIC: [u8; 5] = *b"\x89tbi\n";
/// The version that this threadbare writes, and the only one that it reads.
pub const VERSION: u64 = 1;
/// Choices of an input: at most.
pub const MAX_CHOICES: usize = 4096;
/// Threads that fresh and mutated inputs have: at most.
const MOST_THREADS: u32 = 8;

/// A task graph and how to execute it once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// 1 to [`MAX_THREADS`].
    pub threads: u16,
    /// Of the random walk that makes the choices after those that are listed.
    pub seed: u64,
    pub graph: TaskGraph,
    /// What strategy [`crate::strategy::Bytes`] decides by; at most [`MAX_CHOICES`].
    pub choices: Vec<u16>,
}

/// Bytes that are no input, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoInput {
    /// They do not begin with [`MAGIC`].
    Foreign,
    /// Of this version, which is not [`VERSION`].
    Version(u64),
    /// More than [`MAX_INPUT_BYTES`].
    TooLong,
    Undecodable(Undecodable),
}

impl fmt::Display for NoInput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => formatter.write_str("not an input of threadbare's fuzz targets; name one that they saved"),
            Self::Version(version) if *version > VERSION => write!(
                formatter,
                "input version {version} is newer than this threadbare, which reads {VERSION}; update threadbare"
            ),
            Self::Version(version) => {
                write!(formatter, "`{version}` is no version of inputs; this threadbare reads {VERSION}")
            }
            Self::TooLong => write!(formatter, "longer than {} KiB, which no input is", MAX_INPUT_BYTES >> 10),
            Self::Undecodable(why) => why.fmt(formatter),
        }
    }
}

impl std::error::Error for NoInput {}

impl From<Undecodable> for NoInput {
    fn from(why: Undecodable) -> Self {
        Self::Undecodable(why)
    }
}

impl Input {
    /// Whether bytes claim to be an input.
    #[must_use]
    pub fn claimed_by(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC)
    }

    /// Whether a file that can be read claims to hold an input.
    #[must_use]
    pub fn claimed_by_file(path: &Path) -> bool {
        regular::beginning(path, MAGIC.len() as u64).is_ok_and(|start| Self::claimed_by(&start))
    }

    /// Reads an input file; `None` if it does not claim to be one.
    ///
    /// # Errors
    /// The file cannot be read, or holds no input; the error names it.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        if !Self::claimed_by_file(path) {
            return Ok(None);
        }
        let bytes = regular::beginning(path, MAX_INPUT_BYTES as u64 + 1)
            .with_context(|| format!("{}: cannot be read", path.display()))?;
        Self::decode(&bytes).map(Some).with_context(|| path.display().to_string())
    }

    /// The case that its execution on the bundled runtime is, with that bug and sanitizer, and the choices, which the
    /// case has no place for. An input has no verdict, so the case expects `clean`.
    #[must_use]
    pub fn into_case(self, bug: Option<String>, sanitizer: Sanitizer) -> (Case, Vec<u16>) {
        let settings = Settings {
            runtime: "bundled".to_owned(),
            threads: self.threads,
            sanitizer,
            engine: Engine::Fibers,
            strategy: StrategyName::Bytes,
            seed: self.seed,
            memory: MemoryModel::Sc,
            races: Races::Off,
            bug,
        };
        let case = Case {
            settings,
            workload: self.graph.into(),
            schedule: None,
            verdict: Verdict::Clean,
            oracle: None,
            fingerprint: "input".to_owned(),
            report: String::new(),
        };
        (case, self.choices)
    }

    /// As [`Input::decode`] reads it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer(MAGIC.to_vec());
        writer.number(VERSION);
        writer.number(self.threads);
        writer.number(self.seed);
        encode::encode(&self.graph, &mut writer);
        writer.number(self.choices.len() as u64);
        for &choice in &self.choices {
            writer.number(choice);
        }
        writer.0
    }

    /// Reads an input from its bytes. Memory is taken in proportion to them.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn decode(bytes: &[u8]) -> std::result::Result<Self, NoInput> {
        if !Self::claimed_by(bytes) {
            return Err(NoInput::Foreign);
        }
        if bytes.len() > MAX_INPUT_BYTES {
            return Err(NoInput::TooLong);
        }
        let mut reader = Reader::new(bytes, MAGIC.len());
        match reader.number()? {
            VERSION => {}
            other => return Err(NoInput::Version(other)),
        }
        let threads = match u16::try_from(reader.number()?) {
            Ok(threads @ 1..=MAX_THREADS) => threads,
            _ => return Err(reader.wrong("a number of threads out of bounds").into()),
        };
        let seed = reader.number()?;
        let graph = encode::decode(&mut reader)?;
        let count = reader.length(MAX_CHOICES)?;
        let mut choices = Vec::with_capacity(count);
        for _ in 0..count {
            let choice = reader.number()?;
            choices.push(u16::try_from(choice).map_err(|_| reader.wrong("a choice of more than 16 bits"))?);
        }
        reader.end()?;
        Ok(Self { threads, seed, graph, choices })
    }
}
