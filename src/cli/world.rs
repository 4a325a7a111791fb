//! What a subcommand finds when it starts: the project file, the compiler, and what was built before.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, anyhow, bail};

use super::resolve;
use crate::campaign::interrupt;
use crate::check::trust::{Own, Trust};
use crate::model::settings::{MemoryModel, Races, Sanitizer};
use crate::project::{Defaults, Entry, Kind, Project};
use crate::report::progress::ProgressLine;
use crate::target::cache::Cache;
use crate::target::{self, Progress, Target, Toolchain, Workshop, bundled};

/// Where findings go unless somebody names another directory.
const DEFAULT_FINDINGS: &str = "findings";

pub struct World {
    /// What `--cxx` names.
    cxx: Option<PathBuf>,
    /// Looked for when something needs it, and once.
    project: OnceCell<Option<Project>>,
}

/// What the project file says of how a runtime is explored.
#[derive(Default)]
pub struct Preset {
    pub sanitizers: Option<Vec<Sanitizer>>,
    pub threads: Option<Vec<u16>>,
    pub memory: Option<MemoryModel>,
    pub races: Option<Races>,
}

impl World {
    pub fn new(cxx: Option<PathBuf>) -> Self {
        Self { cxx, project: OnceCell::new() }
    }

    /// The project of the current directory, if it is in one.
    ///
    /// # Errors
    /// Something in the project file is wrong.
    pub fn project(&self) -> Result<Option<&Project>> {
        if let Some(project) = self.project.get() {
            return Ok(project.as_ref());
        }
        let found = Project::find(Path::new("."))?;
        Ok(self.project.get_or_init(|| found).as_ref())
    }

    /// What holds where the command line says nothing.
    ///
    /// # Errors
    /// As [`World::project`].
    pub fn defaults(&self) -> Result<Defaults> {
        Ok(self.project()?.map(|project| project.defaults.clone()).unwrap_or_default())
    }

    /// The targets of the project that are of this kind, in the order of the file.
    ///
    /// # Errors
    /// As [`World::project`].
    pub fn targets(&self, kind: Kind) -> Result<Vec<&Entry>> {
        let all = self.project()?.map(|project| project.targets.iter()).into_iter().flatten();
        Ok(all.filter(|target| target.kind == kind).collect())
    }

    /// What builds targets, with one compiler for each job.
    ///
    /// # Errors
    /// There is no compiler, or no place for what it makes; or as [`World::project`].
    pub fn workshop(&self) -> Result<Workshop> {
        let jobs = self.jobs(None)?;
        let workshop = match self.compiler()? {
            Some(toolchain) => Workshop::with(toolchain, Cache::open()?, jobs)?,
            None => Workshop::open(self.cxx.as_deref(), jobs)?,
        };
        let Some(Project { root, .. }) = self.project()? else { return Ok(workshop) };
        let directory = fs::canonicalize(root).with_context(|| format!("cannot find {}", root.display()))?;
        let runtimes = self.targets(Kind::Runtime)?.into_iter().map(|entry| runtime(entry, &directory)).collect();
        Ok(workshop.with_root(Some(root.clone())).with_runtimes(runtimes))
    }

    /// What cases may build without being trusted.
    ///
    /// # Errors
    /// As [`World::project`].
    pub fn trust(&self) -> Result<Trust> {
        let Some(project) = self.project()? else { return Trust::new(Path::new("."), Vec::new()) };
        let programs = project.targets.iter().filter(|target| target.kind == Kind::Program);
        let own = programs.map(|entry| Own { sources: entry.sources.clone(), flags: entry.flags.clone() });
        Trust::new(&project.root, own.collect())
    }

    /// The compiler of the project file, unless the command line or the environment names another.
    fn compiler(&self) -> Result<Option<Toolchain>> {
        let is_named = self.cxx.is_some() || env::var_os("CXX").is_some_and(|value| !value.is_empty());
        let Some(project) = self.project()?.filter(|_| !is_named) else { return Ok(None) };
        let Some(cxx) = &project.defaults.cxx else { return Ok(None) };
        let how = format!("{}: cxx = ", project.file.display());
        Toolchain::named(&how, cxx).map(Some).map_err(|why| anyhow!(why))
    }

    /// How the runtime of that name is explored.
    ///
    /// # Errors
    /// It is a program; or as [`World::project`].
    pub fn preset(&self, runtime: &str) -> Result<Preset> {
        let entry = self.project()?.and_then(|project| project.targets.iter().find(|target| target.name == runtime));
        match entry {
            Some(Entry { kind: Kind::Program, place, .. }) => {
                bail!("\"{runtime}\" is a program ({place}), not a runtime; use `threadbare check {runtime}`")
            }
            Some(Entry { sanitizers, threads, memory, races, .. }) => {
                let (sanitizers, threads) = (sanitizers.clone(), threads.clone());
                Ok(Preset { sanitizers, threads, memory: *memory, races: *races })
            }
            None if runtime == bundled::NAME => {
                let Defaults { sanitizers, threads, .. } = self.defaults()?;
                Ok(Preset { sanitizers, threads, ..Preset::default() })
            }
            None => Ok(Preset::default()),
        }
    }

    /// The number of workers: as wanted, or as the project file says, or one for each core.
    ///
    /// # Errors
    /// It is out of bounds; or as [`World::project`].
    pub fn jobs(&self, wanted: Option<usize>) -> Result<usize> {
        resolve::jobs(match wanted {
            Some(jobs) => Some(jobs),
            None => self.defaults()?.jobs,
        })
    }

    /// Where findings go.
    ///
    /// # Errors
    /// As [`World::project`].
    pub fn findings(&self, wanted: Option<&Path>) -> Result<PathBuf> {
        Ok(match wanted {
            Some(directory) => directory.to_owned(),
            None => self.defaults()?.findings.unwrap_or_else(|| PathBuf::from(DEFAULT_FINDINGS)),
        })
    }

    /// How errors call the project file, or what there is instead.
    ///
    /// # Errors
    /// As [`World::project`].
    pub fn file(&self) -> Result<Option<String>> {
        Ok(self.project()?.map(|project| project.file.display().to_string()))
    }
}

/// What is built of a runtime of the project.
fn runtime(entry: &Entry, directory: &Path) -> (String, Target) {
    let target = Target {
        name: entry.name.clone(),
        kind: target::Kind::Runtime(Races::Off),
        directory: directory.to_owned(),
        sources: entry.sources.clone(),
        shared: vec![bundled::systems_source()],
        flags: entry.flags.clone(),
    };
    (entry.name.clone(), target)
}

/// Shows what is being built; whether to go on.
pub fn build_on(line: &ProgressLine) -> impl FnMut(&Progress) -> bool {
    |progress| {
        line.building(progress);
        !interrupt::requested()
    }
}
