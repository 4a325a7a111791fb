//! The worker executable of each sanitizer: this one, or its siblings that cargo keeps up to date.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};

use crate::build_info;
use crate::report::word;
use crate::settings::Sanitizer;

/// What this process built, so that the executables of one run are the same from its beginning to its end.
static BUILT: Mutex<BTreeMap<Sanitizer, PathBuf>> = Mutex::new(BTreeMap::new());

/// Executables by sanitizer, all built from the same sources.
#[derive(Clone, Debug)]
pub struct Executables {
    paths: BTreeMap<Sanitizer, PathBuf>,
}

impl Executables {
    /// Provides an executable for each of the sanitizers, building what is missing or out of date.
    ///
    /// # Errors
    /// Cargo or the sources are missing, or the build fails.
    pub fn provide(sanitizers: impl IntoIterator<Item = Sanitizer>) -> Result<Self> {
        let running = env::current_exe().context("cannot tell where the running executable lies")?;
        let mut paths = BTreeMap::new();
        for sanitizer in sanitizers {
            if let Entry::Vacant(missing) = paths.entry(sanitizer) {
                missing.insert(if sanitizer == build_info::SANITIZER {
                    running.clone()
                } else {
                    built(sanitizer, &running)?
                });
            }
        }
        Ok(Self { paths })
    }

    /// The executable for a sanitizer that was asked for in `provide`.
    ///
    /// # Panics
    /// It was not.
    #[must_use]
    pub fn of(&self, sanitizer: Sanitizer) -> &Path {
        self.paths.get(&sanitizer).expect("every sanitizer of a campaign is provided for")
    }
}

/// Where cargo puts what it builds like the running executable.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    target: PathBuf,
    profile: String,
}

impl Place {
    /// `target/release/threadbare` was built with profile `release` into `target`. An executable that was
    /// moved elsewhere gets its siblings from the sources' own target directory.
    fn of(executable: &Path) -> Self {
        let directory = executable.parent().unwrap_or(Path::new("."));
        let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match directory.parent() {
            Some(target) if directory.join(".fingerprint").is_dir() => {
                Self { target: target.to_owned(), profile: name }
            }
            _ => Self {
                target: Path::new(env!("CARGO_MANIFEST_DIR")).join("target"),
                profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
            },
        }
    }

    /// The name cargo's `--profile` knows the directory by.
    fn profile_name(&self) -> &str {
        if self.profile == "debug" { "dev" } else { &self.profile }
    }
}

fn built(sanitizer: Sanitizer, running: &Path) -> Result<PathBuf> {
    let mut known = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    match known.entry(sanitizer) {
        Entry::Occupied(path) => Ok(path.get().clone()),
        Entry::Vacant(missing) => Ok(missing.insert(build(sanitizer, &Place::of(running))?).clone()),
    }
}

fn build(sanitizer: Sanitizer, place: &Place) -> Result<PathBuf> {
    let sanitizer = word(&sanitizer);
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    ensure!(
        manifest.exists(),
        "cannot build the {sanitizer} worker: the sources are no longer at {}; build threadbare again from a checkout",
        env!("CARGO_MANIFEST_DIR")
    );
    eprintln!("building the {sanitizer} worker…");
    let name = format!("threadbare-{sanitizer}");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command.args(["build", "--quiet", "--bin", &name, "--features", &sanitizer]);
    command.args(["--profile", place.profile_name()]);
    command.arg("--manifest-path").arg(&manifest).arg("--target-dir").arg(&place.target);
    let output = command.output().with_context(|| {
        let cargo = cargo.to_string_lossy();
        format!("cannot build the {sanitizer} worker: {cargo} does not run; install Rust, or set CARGO to cargo's path")
    })?;
    if !output.status.success() {
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        bail!("cannot build the {sanitizer} worker: cargo says why above; or leave it out with `--sanitizer`");
    }
    let path = place.target.join(&place.profile).join(name);
    ensure!(path.exists(), "cargo built no {}", path.display());
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_executable_in_a_target_directory_has_its_siblings_beside_it() {
        let root = tempfile::tempdir().expect("a directory");
        let release = root.path().join("release");
        std::fs::create_dir_all(release.join(".fingerprint")).expect("a directory");
        let place = Place::of(&release.join("threadbare"));
        assert_eq!(place, Place { target: root.path().to_owned(), profile: "release".to_owned() });
        assert_eq!(place.profile_name(), "release");
    }

    #[test]
    fn an_executable_elsewhere_uses_the_target_directory_of_the_sources() {
        let place = Place::of(Path::new("/usr/local/bin/threadbare"));
        assert_eq!(place.target, Path::new(env!("CARGO_MANIFEST_DIR")).join("target"));
    }

    #[test]
    fn the_debug_directory_belongs_to_the_profile_dev() {
        let place = Place { target: PathBuf::new(), profile: "debug".to_owned() };
        assert_eq!(place.profile_name(), "dev");
    }
}
