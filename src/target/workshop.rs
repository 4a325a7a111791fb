//! Where targets come from: the compiler, the cache, and the C++ that travels with the executable.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Error, Result, anyhow};

use super::builder::{Builder, Progress};
use super::cache::{Cache, Held};
use super::toolchain::{Form, Toolchain};
use super::{Built, Target, bundled, shipped, step, tree};
use crate::model::settings::Sanitizer;
use crate::process;

/// All that it takes to build targets.
pub struct Workshop {
    pub toolchain: Toolchain,
    pub cache: Cache,
    /// Steps at a time.
    pub jobs: usize,
    /// What tells this compiler from others.
    pub(super) identity: String,
    tree: Held,
    /// The directory with a copy of the loader.
    loader: Held,
    /// The directory of the project file.
    root: Option<PathBuf>,
    /// Runtimes beside the bundled one, by name.
    runtimes: Vec<(String, Target)>,
    /// What the compiler said of each sanitizer's runtime when it was first asked.
    preloads: [OnceLock<Result<Vec<PathBuf>, String>>; 3],
    /// What was built, for as long as this lives.
    held: Mutex<Vec<Held>>,
}

/// The sanitizers tell it as the name of the workers' executable, so it has that.
pub const LOADER: &str = "threadbare";

/// Targets that were built, each for some sanitizers.
#[derive(Default)]
pub struct Builds(Vec<(Target, Sanitizer, Built)>);

impl Builds {
    /// # Errors
    /// Somebody said not to go on before it was built.
    pub fn of(&self, target: &Target, sanitizer: Sanitizer) -> Result<&Built> {
        let found = self.0.iter().find(|(known, of, _)| known == target && *of == sanitizer);
        found.map(|(.., built)| built).with_context(|| format!("interrupted before {} was built", target.name))
    }
}

/// What could not be built, and why.
pub type Failed = Vec<(Target, Sanitizer, Error)>;

impl Workshop {
    /// With the compiler `named` on the command line, or the best one that there is.
    ///
    /// # Errors
    /// There is no compiler, or no place for what it makes.
    pub fn open(named: Option<&Path>, jobs: usize) -> Result<Self> {
        let toolchain = Toolchain::find(named).map_err(|why| anyhow!(why))?;
        Self::with(toolchain, Cache::open()?, jobs)
    }

    /// # Errors
    /// The cache cannot be written.
    pub fn with(toolchain: Toolchain, cache: Cache, jobs: usize) -> Result<Self> {
        let tree = tree::unpack(&cache)?;
        let identity = step::identity(&toolchain);
        let loader = copy_of_loader(&cache)?;
        Ok(Self {
            toolchain,
            cache,
            jobs,
            identity,
            tree,
            loader,
            root: None,
            runtimes: Vec::new(),
            preloads: Default::default(),
            held: Mutex::default(),
        })
    }

    /// The same, with these runtimes beside the bundled one.
    #[must_use]
    pub fn with_runtimes(self, runtimes: Vec<(String, Target)>) -> Self {
        Self { runtimes, ..self }
    }

    /// The same, in a project whose file is in this directory.
    #[must_use]
    pub fn with_root(self, root: Option<PathBuf>) -> Self {
        Self { root, ..self }
    }

    /// Where the sources of a project's programs are seen from.
    #[must_use]
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// The directory with cpp/.
    #[must_use]
    pub fn tree(&self) -> &Path {
        &self.tree.path
    }

    /// What starts workers; see [`process::preloaded`].
    #[must_use]
    pub fn loader(&self) -> PathBuf {
        self.loader.path.join(LOADER)
    }

    /// The names of runtimes.
    pub fn runtimes(&self) -> impl Iterator<Item = &str> {
        let shipped = shipped::SHIPPED.iter().map(|shipped| shipped.name);
        std::iter::once(bundled::NAME).chain(shipped).chain(self.runtimes.iter().map(|(name, _)| name.as_str()))
    }

    /// The runtime of that name. The bundled one may have a bug switched on.
    ///
    /// # Errors
    /// There is no such runtime or bug.
    pub fn runtime(&self, name: &str, bug: Option<&str>) -> Result<Target> {
        if name == bundled::NAME {
            return bundled::target(self.tree(), bug);
        }
        let known = || self.runtimes().collect::<Vec<_>>().join(", ");
        let own = self.runtimes.iter().find(|(known, _)| known == name).map(|(_, target)| target.clone());
        let target = own.or_else(|| shipped::target(self.tree(), name)).with_context(|| {
            format!("there is no runtime \"{name}\"; there is {}; threadbare.toml can name others", known())
        })?;
        match bug {
            None => Ok(target),
            Some(bug) => {
                Err(anyhow!("the runtime \"{name}\" has no bug \"{bug}\": only the bundled one has; leave out `--bug`"))
            }
        }
    }

    /// What is loaded before a worker for this sanitizer.
    ///
    /// # Errors
    /// The compiler does not have its runtime, or that cannot be loaded before a program.
    pub fn preload(&self, sanitizer: Sanitizer) -> Result<Vec<PathBuf>> {
        let known = self.preloads[sanitizer as usize].get_or_init(|| self.find_preload(sanitizer));
        known.clone().map_err(|why| anyhow!(why))
    }

    fn find_preload(&self, sanitizer: Sanitizer) -> Result<Vec<PathBuf>, String> {
        let libraries = self.toolchain.runtime(sanitizer, Form::Shared)?;
        for library in &libraries {
            let name = library.to_str().unwrap_or(" ");
            // The loader takes both for the end of a path.
            if name.contains([' ', ':']) {
                return Err(format!(
                    "{} cannot be loaded before a program, since its path is not UTF-8 or has a space or colon in it; \
                     name a compiler elsewhere with `--cxx`",
                    library.display()
                ));
            }
        }
        Ok(libraries)
    }

    /// A builder of nothing yet.
    ///
    /// # Errors
    /// The cache cannot be written.
    pub fn builder(&self) -> Result<Builder<'_>> {
        Builder::new(self)
    }

    /// Builds each of these once, for as long as `observe` says to go on.
    ///
    /// # Errors
    /// One does not compile; the error is the compiler's.
    pub fn build_all(
        &self,
        wanted: impl IntoIterator<Item = (Target, Sanitizer)>,
        observe: impl FnMut(&Progress) -> bool,
    ) -> Result<Builds> {
        let mut builds = Builds::default();
        self.build_each(wanted, observe, |target, sanitizer, built| {
            builds.0.push((target, sanitizer, built?));
            Ok(())
        })?;
        Ok(builds)
    }

    /// As [`Workshop::build_all`], and gives what does not compile as well.
    ///
    /// # Errors
    /// `observe` does not want to go on, or the cache cannot be written.
    pub fn build_what_compiles(
        &self,
        wanted: impl IntoIterator<Item = (Target, Sanitizer)>,
        observe: impl FnMut(&Progress) -> bool,
    ) -> Result<(Builds, Failed)> {
        let (mut builds, mut failed) = (Builds::default(), Vec::new());
        self.build_each(wanted, observe, |target, sanitizer, built| {
            match built {
                Ok(built) => builds.0.push((target, sanitizer, built)),
                Err(error) => failed.push((target, sanitizer, error)),
            }
            Ok(())
        })?;
        Ok((builds, failed))
    }

    /// As [`Workshop::build_all`], and tells `ended` of each what came of it.
    ///
    /// # Errors
    /// `ended` does not want to go on, `observe` does not, or the cache cannot be written.
    pub fn build_each(
        &self,
        wanted: impl IntoIterator<Item = (Target, Sanitizer)>,
        mut observe: impl FnMut(&Progress) -> bool,
        mut ended: impl FnMut(Target, Sanitizer, Result<Built>) -> Result<()>,
    ) -> Result<()> {
        let mut builder = self.builder()?;
        let mut known: Vec<(Target, Sanitizer)> = Vec::new();
        // By the builder's numbers.
        let mut asked = Vec::new();
        for wanted in wanted {
            if known.contains(&wanted) {
                continue;
            }
            known.push(wanted.clone());
            match builder.request(&wanted.0, wanted.1) {
                Ok(_) => asked.push(wanted),
                Err(error) => ended(wanted.0, wanted.1, Err(error))?,
            }
        }
        let mut left = asked.len();
        while left > 0 {
            for (number, built) in builder.poll()? {
                let (target, sanitizer) = asked[number].clone();
                ended(target, sanitizer, built)?;
                left -= 1;
            }
            if !observe(&builder.progress()) {
                break;
            }
        }
        Ok(())
    }

    /// Builds one target.
    ///
    /// # Errors
    /// As [`Workshop::build_all`].
    pub fn build(&self, target: &Target, sanitizer: Sanitizer) -> Result<Built> {
        let builds = self.build_all([(target.clone(), sanitizer)], |_| true)?;
        builds.of(target, sanitizer).cloned()
    }

    /// Keeps an output from being removed while this lives.
    pub(super) fn hold(&self, output: Held) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(output);
    }
}

/// The directory with a copy of the loader that this process was started by.
fn copy_of_loader(cache: &Cache) -> Result<Held> {
    let loader = process::loader();
    let content = fs::read(&loader).with_context(|| format!("cannot read {}", loader.display()))?;
    let name = format!("loader-{}", &blake3::hash(&content).to_hex()[..16]);
    cache.directory(cache.sources().join(name), |directory| {
        fs::create_dir(directory)?;
        fs::copy(&loader, directory.join(LOADER))?;
        Ok(())
    })
}
