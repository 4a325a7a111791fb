//! A case that is named on the command line, with what it executes built.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;

use super::resolve;
use super::world::{World, build_on};
use crate::campaign::laboratory::Laboratory;
use crate::campaign::replay::{Plan, Replayed};
use crate::case::Case;
use crate::report::progress::ProgressLine;
use crate::target::{ALL_SYMBOLS, Target, Workshop};

#[derive(Debug, Args)]
pub struct Trusted {
    /// Take a case of a check whose sources or flags reach outside of the project (the directory of threadbare.toml, else the
    /// current one): such a case can have the compiler run any program and write any file.
    #[arg(long)]
    trust: bool,
}

impl Trusted {
    /// Reads a case and builds its target.
    ///
    /// # Errors
    /// There is no case, it is not trusted, or its target does not compile.
    pub fn open(&self, path: &Path, world: &World, workshop: &Workshop, line: &ProgressLine) -> Result<Opened> {
        self.open_as(path, world, workshop, line, |_| {})
    }

    /// The same with all that debuggers can be told of its target, whose code is the same.
    ///
    /// # Errors
    /// As [`Trusted::open`].
    pub fn open_with_symbols(
        &self,
        path: &Path,
        world: &World,
        workshop: &Workshop,
        line: &ProgressLine,
    ) -> Result<Opened> {
        self.open_as(path, world, workshop, line, |target| {
            // Those of runtimes have lines alone, with which they compile sooner.
            if target.kind.is_runtime() {
                target.flags.push(ALL_SYMBOLS.to_owned());
            }
        })
    }

    fn open_as(
        &self,
        path: &Path,
        world: &World,
        workshop: &Workshop,
        line: &ProgressLine,
        change: impl FnOnce(&mut Target),
    ) -> Result<Opened> {
        let plan = Plan {
            paths: vec![PathBuf::from(path)],
            repeat: 1,
            engine: None,
            sanitizer: None,
            bug: None,
            jobs: 1,
            trust: world.trust()?,
            trusts_named: self.trust,
        };
        let (mut cases, mut refused) = plan.read(workshop, resolve::engine_like(&workshop.toolchain))?;
        let laboratory = match cases.first_mut() {
            Some(case) => {
                change(&mut case.target);
                let wanted = [(case.target.clone(), case.settings.sanitizer)];
                let builds = workshop.build_all(wanted, build_on(line))?;
                Some(Laboratory::new(builds.of(&case.target, case.settings.sanitizer)?.clone())?)
            }
            None => None,
        };
        match (cases.pop(), laboratory, refused.pop()) {
            (Some(replayed), Some(laboratory), _) => {
                let Replayed { case, settings, .. } = replayed;
                Ok(Opened { case: Case { settings, ..case }, laboratory })
            }
            (_, _, Some(refused)) => bail!("{}", refused.why),
            _ => bail!("{}: no case", path.display()),
        }
    }
}

pub struct Opened {
    /// With its sources where they are.
    pub case: Case,
    pub laboratory: Laboratory,
}
