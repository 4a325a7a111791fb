//! What all campaigns of one command have in common, and the campaigns that come of it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::program::Program;
use super::resolve;
use crate::campaign::explorer::Campaign;
use crate::campaign::search::Searched;
use crate::model::settings::{Engine, MemoryModel, Races, Sanitizer, StrategyName};

/// What makes the choices in a program of which nothing else is said.
const DEFAULT_STRATEGY: StrategyName = StrategyName::Portfolio;

pub struct Setting {
    pub engine: Engine,
    pub engine_is_given: bool,
    pub memory: Option<MemoryModel>,
    pub races: Option<Races>,
    /// With AddressSanitizer, too, plain accesses are told from atomic operations.
    pub tells_atomics: bool,
    pub seed: u64,
    pub jobs: usize,
    pub minimise: Option<Duration>,
    pub findings: PathBuf,
}

impl Setting {
    /// A campaign for so long, or of so many executions, which looks for whatever there is to find.
    pub fn campaign(
        &self,
        searched: Searched,
        (sanitizers, threads): (Vec<Sanitizer>, Vec<u16>),
        (budget, executions): (Option<Duration>, Option<u64>),
    ) -> Campaign {
        Campaign {
            searched,
            sanitizers,
            threads,
            engine: self.engine,
            engine_is_given: self.engine_is_given,
            memory: self.memory,
            races: self.races,
            tells_atomics: self.tells_atomics,
            seed: self.seed,
            jobs: self.jobs,
            budget,
            executions,
            stop_at_first: false,
            audit: false,
            minimise: self.minimise,
            findings: self.findings.clone(),
        }
    }

    /// That of a program.
    pub fn of_program(&self, program: &Program, limits: (Option<Duration>, Option<u64>)) -> Result<Campaign> {
        let strategy = program.strategy.unwrap_or(DEFAULT_STRATEGY);
        let searched = Searched::Program { check: program.check()?, strategy };
        let sanitizers = resolve::chosen(None, program.sanitizers.as_deref(), &resolve::SANITIZERS);
        let campaign = self.campaign(searched, (sanitizers, vec![1]), limits);
        self.ensure_races_can_be_told(&campaign)?;
        self.ensure_stores_can_be_chosen(&campaign)?;
        Ok(Campaign { memory: self.memory.or(program.memory), races: self.races.or(program.races), ..campaign })
    }

    /// # Errors
    /// The command line asks for races where nobody can look for them.
    pub fn ensure_races_can_be_told(&self, campaign: &Campaign) -> Result<()> {
        ensure!(
            self.races != Some(Races::On) || self.can_tell_atomics(campaign),
            "races cannot be looked for with g++ and AddressSanitizer, whose checks do not tell atomic operations from others; \
             use clang, or `--sanitizer none,thread`"
        );
        Ok(())
    }

    /// # Errors
    /// The command line asks for a memory model where executions of programs are interleavings.
    fn ensure_stores_can_be_chosen(&self, campaign: &Campaign) -> Result<()> {
        ensure!(
            matches!(self.memory, None | Some(MemoryModel::Sc)) || self.can_tell_atomics(campaign),
            "with g++ and AddressSanitizer, whose checks do not tell atomic operations from others, executions are \
             interleavings; use clang, `--sanitizer none,thread`, or `--memory sc`"
        );
        Ok(())
    }

    fn can_tell_atomics(&self, campaign: &Campaign) -> bool {
        self.tells_atomics || !campaign.sanitizers.contains(&Sanitizer::Address)
    }
}
