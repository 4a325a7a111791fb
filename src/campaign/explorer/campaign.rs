//! What a campaign is to do.

use std::path::PathBuf;
use std::time::Duration;

use crate::campaign::plan::Cell;
use crate::campaign::search::Searched;
use crate::model::settings::{Engine, MemoryModel, Races, Sanitizer, Settings};
use crate::target::Target;

/// What a campaign is to do.
#[derive(Clone, Debug)]
pub struct Campaign {
    pub searched: Searched,
    pub sanitizers: Vec<Sanitizer>,
    /// Thread counts of a runtime; 1 for a program.
    pub threads: Vec<u16>,
    pub engine: Engine,
    /// The memory model of all executions; without one, that is up to the search.
    pub memory: Option<MemoryModel>,
    /// Whether threadbare looks for races itself; without it, it does in programs with AddressSanitizer.
    pub races: Option<Races>,
    /// With AddressSanitizer, too, plain accesses are told from atomic operations; else nobody looks for races there.
    pub tells_atomics: bool,
    /// It is not to be replaced by another one.
    pub engine_is_given: bool,
    pub seed: u64,
    pub jobs: usize,
    /// Begin no slice after so long; building does not count.
    pub budget: Option<Duration>,
    /// Over all cells.
    pub executions: Option<u64>,
    /// End with the first finding.
    pub stop_at_first: bool,
    /// Execute each schedule twice and compare, in place of looking for bugs only.
    pub audit: bool,
    /// Time to make the schedules of all findings small; none leaves them as they were found.
    pub minimise: Option<Duration>,
    pub findings: PathBuf,
}

impl Campaign {
    /// The settings of an execution in a cell.
    pub(in crate::campaign) fn settings(&self, cell: &Cell, seed: u64) -> Settings {
        Settings {
            runtime: self.searched.name().to_owned(),
            threads: cell.threads,
            sanitizer: cell.sanitizer,
            engine: self.engine,
            strategy: self.searched.strategy(),
            seed,
            memory: self.memory(cell.sanitizer),
            races: self.races(cell.sanitizer),
            bug: self.searched.runtime().and_then(|runtime| runtime.bug.clone()),
        }
    }

    /// The weakest that executions may have. Where a program's atomic operations are not told from other accesses, they are
    /// interleavings.
    fn memory(&self, sanitizer: Sanitizer) -> MemoryModel {
        let tells = sanitizer != Sanitizer::Address || self.tells_atomics || !self.is_of_program();
        if tells { self.memory.unwrap_or_else(|| self.searched.weakest_memory()) } else { MemoryModel::Sc }
    }

    /// What is built for a sanitizer of what the search explores.
    pub(in crate::campaign) fn target(&self, searched: &Target, sanitizer: Sanitizer) -> Target {
        searched.clone().judged(self.races(sanitizer))
    }

    /// ThreadSanitizer looks for races itself.
    pub(in crate::campaign) fn races(&self, sanitizer: Sanitizer) -> Races {
        let is_usual = sanitizer == Sanitizer::Address && self.is_of_program();
        let usual = if is_usual { Races::On } else { Races::Off };
        let tells = match sanitizer {
            Sanitizer::None => true,
            Sanitizer::Thread => false,
            Sanitizer::Address => self.tells_atomics,
        };
        let can_be = self.engine != Engine::Free && tells;
        if can_be { self.races.unwrap_or(usual) } else { Races::Off }
    }

    /// Whether a program is explored, and not a runtime.
    #[must_use]
    pub fn is_of_program(&self) -> bool {
        self.searched.runtime().is_none()
    }
}
