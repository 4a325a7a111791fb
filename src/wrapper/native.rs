//! Which native compiler a wrapper runs.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};

use crate::target::Toolchain;

/// What a wrapper is called as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Driver {
    /// `threadbare cc`
    C,
    /// `threadbare c++`
    Cpp,
    /// `threadbare launch COMPILER`: before a compiler, as CMake's launchers are.
    Of(PathBuf),
}

impl Driver {
    /// By the name of a link to the executable.
    #[must_use]
    pub fn of_name(name: &Path) -> Option<Self> {
        match name.file_name()?.to_str()? {
            "threadbare-cc" => Some(Self::C),
            "threadbare-c++" => Some(Self::Cpp),
            _ => None,
        }
    }

    /// The compiler, and what comes before its arguments.
    pub(super) fn compiler(&self) -> Result<(PathBuf, Vec<OsString>)> {
        let variable = match self {
            Self::C => "THREADBARE_CC",
            Self::Cpp => "THREADBARE_CXX",
            Self::Of(compiler) => return Ok((compiler.clone(), Vec::new())),
        };
        if let Some(named) = env::var(variable).ok().filter(|named| !named.trim().is_empty()) {
            let mut words =
                shlex::split(&named).with_context(|| format!("{variable}: a quote has no end"))?.into_iter();
            let compiler = PathBuf::from(words.next().unwrap_or_default());
            ensure!(
                !Toolchain::is_wrapper(&named),
                "{variable} names the wrapper itself; name a native compiler, or unset it"
            );
            return Ok((compiler, words.map(OsString::from).collect()));
        }
        let compiler = Toolchain::newest_by_name().map_err(|why| anyhow!(why))?;
        Ok((if *self == Self::C { of_c(&compiler) } else { compiler }, Vec::new()))
    }

    /// Whether C files are C++ to it.
    pub(super) fn is_cpp(&self, compiler: &Path) -> bool {
        let name = compiler.file_name().unwrap_or_default().to_string_lossy();
        match self {
            Self::C => false,
            Self::Cpp => true,
            Self::Of(_) => name.contains("++"),
        }
    }
}

/// The C compiler beside one of C++.
fn of_c(compiler: &Path) -> PathBuf {
    let name = compiler.file_name().unwrap_or_default().to_string_lossy();
    let name = if name.contains("clang++") { name.replace("clang++", "clang") } else { name.replace("g++", "gcc") };
    compiler.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_of_c_is_beside_that_of_cpp() {
        assert_eq!(of_c(Path::new("/usr/bin/clang++-22")), Path::new("/usr/bin/clang-22"));
        assert_eq!(of_c(Path::new("/usr/bin/g++")), Path::new("/usr/bin/gcc"));
    }

    #[test]
    fn links_are_known_by_their_names() {
        assert_eq!(Driver::of_name(Path::new("/opt/bin/threadbare-c++")), Some(Driver::Cpp));
        assert_eq!(Driver::of_name(Path::new("threadbare-cc")), Some(Driver::C));
        assert_eq!(Driver::of_name(Path::new("threadbare")), None);
    }
}
