//! `threadbare install`: what build systems need to find threadbare.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use crate::report::say;

/// Where each file goes below the prefix, and what is in it.
const FILES: [(&str, &str); 4] = [
    ("lib/cmake/threadbare/threadbareConfig.cmake", include_str!("../../cmake/threadbareConfig.cmake")),
    ("lib/cmake/threadbare/threadbareConfigVersion.cmake", include_str!("../../cmake/threadbareConfigVersion.cmake")),
    ("lib/cmake/threadbare/threadbare_add_runtime.cmake", include_str!("../../cmake/threadbare_add_runtime.cmake")),
    ("lib/pkgconfig/threadbare.pc", include_str!("../../cmake/threadbare.pc")),
];
/// Links to the executable, by whose names it does as a compiler.
const WRAPPERS: [&str; 2] = ["threadbare-cc", "threadbare-c++"];
/// Stands for the version in those files.
const VERSION: &str = "@VERSION@";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare install           beside this executable, where CMake finds it if `threadbare` is on PATH
  threadbare install ~/.local  below another prefix")]
pub struct Flags {
    /// Directory with bin/ and lib/ [default: that above the directory of this executable].
    prefix: Option<PathBuf>,
}

pub fn run(flags: &Flags) -> Result<()> {
    let executable = env::current_exe().context("cannot tell where this executable is")?;
    let beside = executable.parent().and_then(Path::parent);
    let prefix = flags.prefix.as_deref().or(beside).context("this executable lies in no directory; name a prefix")?;
    let own = prefix.join("bin").join("threadbare");
    if !own.exists() {
        link(&executable, &own)?;
    }
    // A link beside it stays right when both are moved.
    WRAPPERS.iter().try_for_each(|name| link(Path::new("threadbare"), &prefix.join("bin").join(name)))?;
    for (file, text) in FILES {
        let path = prefix.join(file);
        make_directory_of(&path)?;
        fs::write(&path, text.replace(VERSION, env!("CARGO_PKG_VERSION")))
            .with_context(|| format!("cannot write {}", path.display()))?;
        say(path.display());
    }
    Ok(())
}

fn link(target: &Path, place: &Path) -> Result<()> {
    make_directory_of(place)?;
    if fs::symlink_metadata(place).is_ok_and(|metadata| metadata.is_symlink()) {
        fs::remove_file(place).with_context(|| format!("cannot replace {}", place.display()))?;
    }
    symlink(target, place).with_context(|| format!("cannot make the link {}", place.display()))?;
    say(place.display());
    Ok(())
}

fn make_directory_of(path: &Path) -> Result<()> {
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))
}
