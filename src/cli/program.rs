//! A program with what the command line and the project file say of how it is built and explored.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::resolve;
use super::world::World;
use crate::check::Check;
use crate::check::framework::EachTest;
use crate::model::schedule::Injection;
use crate::model::settings::{MemoryModel, Races, Sanitizer, StrategyName};
use crate::project::{Entry, FILE_NAME, Kind, Project};
use crate::target::recorded::database::Database;
use crate::target::{Points, Toolchain, inputs};

/// What is `None` was not said, and has its built-in default.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Of a program of the project file.
    pub named: Option<Named>,
    /// Where sources and flags are seen from, as in [`Check::directory`].
    pub directory: PathBuf,
    pub sources: Vec<PathBuf>,
    pub flags: Vec<String>,
    pub arguments: Vec<String>,
    /// Its tests are explored one by one, those that fit, if any are named.
    pub each_test: Option<EachTest>,
    pub tests: Vec<String>,
    pub sanitizers: Option<Vec<Sanitizer>>,
    pub points: Option<Points>,
    pub injections: Option<Vec<Injection>>,
    pub strategy: Option<StrategyName>,
    pub memory: Option<MemoryModel>,
    pub races: Option<Races>,
}

/// How a program of the project file is called, and where.
#[derive(Clone, Debug)]
pub struct Named {
    pub name: String,
    pub place: String,
}

impl Program {
    /// A program of the project.
    pub fn of(entry: &Entry, project: &Project) -> Self {
        Self {
            directory: project.root.clone(),
            named: Some(Named { name: entry.name.clone(), place: entry.place.clone() }),
            sources: entry.sources.clone(),
            flags: entry.flags.clone(),
            arguments: entry.arguments.clone(),
            each_test: entry.each_test,
            tests: entry.tests.clone(),
            sanitizers: entry.sanitizers.clone(),
            points: entry.points,
            injections: Some(entry.inject.clone()),
            strategy: entry.strategy,
            memory: entry.memory,
            races: entry.races,
        }
    }

    /// What `threadbare check` is to explore: the sources that it is given, or the program of that name, or all
    /// programs of the project.
    ///
    /// # Errors
    /// There is nothing of that name, or no program; or the project file is wrong.
    pub fn given(positionals: &[PathBuf], world: &World) -> Result<Vec<Self>> {
        match positionals {
            [] => {
                let programs = match world.project()? {
                    Some(project) => {
                        world.targets(Kind::Program)?.into_iter().map(|entry| Self::of(entry, project)).collect()
                    }
                    None => Vec::new(),
                };
                ensure!(!programs.is_empty(), "nothing to check: {}", nothing(world)?);
                Ok(programs)
            }
            [name] if !name.is_file() => Ok(vec![Self::called(name, world)?]),
            sources => {
                // What is given as sources takes from the defaults what it does not say.
                let sanitizers = world.defaults()?.sanitizers;
                Ok(vec![Self { sources: sources.to_vec(), sanitizers, ..Self::default() }])
            }
        }
    }

    /// The program of the project that has this name, which is no file.
    fn called(name: &Path, world: &World) -> Result<Self> {
        let shown = name.display();
        let Some(project) = world.project()? else {
            bail!(
                "{shown}: no such file, and no {FILE_NAME} here or above that could name it; name a C or C++ source, or \
                 write that file"
            );
        };
        let found = name.to_str().with_context(|| format!("{shown}: no such file; name a C or C++ source"))?;
        let entry = project.target(found).with_context(|| format!("{shown}: no such file"))?;
        ensure!(
            entry.kind == Kind::Program,
            "`{found}` is a runtime ({}); use `threadbare fuzz --runtime {found}`",
            entry.place
        );
        Ok(Self::of(entry, project))
    }

    /// Adds to its flags those with which a build compiles its sources.
    ///
    /// # Errors
    /// As [`Database::flags`].
    pub fn compile_as_in(&mut self, database: &Database, toolchain: &Toolchain) -> Result<()> {
        let written = self.sources.iter().filter(|source| !inputs::is_built(source));
        let sources: Vec<PathBuf> = written.map(|source| self.directory.join(source)).collect();
        self.flags.extend(database.flags(&sources, toolchain.is_clang)?);
        Ok(())
    }

    /// The program as it is built and run, with the digest of its sources.
    ///
    /// # Errors
    /// A source cannot be read, or something is not as a case and a compiler can have it.
    pub fn check(&self) -> Result<Check> {
        self.resolve().map_err(|error| match &self.named {
            Some(named) => error.context(named.place.clone()),
            None => error,
        })
    }

    fn resolve(&self) -> Result<Check> {
        let check = Check {
            directory: self.directory.clone(),
            sources: self.sources.clone(),
            flags: self.flags.clone(),
            arguments: self.arguments.clone(),
            points: self.points.unwrap_or(Points::Memory),
            injections: self.injections.as_deref().map(resolve::distinct).unwrap_or_default(),
            test: None,
            recorded: None,
        };
        check.validate()?;
        ensure!(
            check.points == Points::Sync || !check.injections.contains(&Injection::WeakFailure),
            "with scheduling points at memory accesses nobody can tell a weak compare-exchange from a strong one; inject weak-failure with \
             points sync"
        );
        Ok(Check { recorded: Some(check.digest()?), ..check })
    }
}

fn nothing(world: &World) -> Result<String> {
    let next = "name C or C++ sources";
    Ok(match world.file()? {
        Some(file) => format!("{file} has no programs; {next}, or add a [program.NAME] with its `sources`"),
        None => format!("{next}, or programs in a {FILE_NAME}"),
    })
}
