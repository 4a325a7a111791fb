//! One run of the compiler, whose output depends on its command and on the files that it reads.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use super::toolchain::Toolchain;

/// Changes whenever the same command comes to mean something else.
const FORMAT: &[u8] = b"threadbare 1\0";
/// Variables by which the environment changes what compilers and linkers read.
const VARIABLES: [&str; 5] = ["CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "COMPILER_PATH"];

/// A command that makes one file.
#[derive(Clone, Debug)]
pub struct Step {
    pub compiler: PathBuf,
    /// Where it runs.
    pub directory: PathBuf,
    /// All but where the output and the list of dependencies go.
    pub arguments: Vec<OsString>,
    pub action: Action,
    /// The end of the output's name, such as `scheduler.o`.
    pub name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Compile,
    Link,
}

impl Step {
    /// 32 hexadecimal digits that tell this command, run by this compiler, from all others.
    #[must_use]
    pub fn key(&self, identity: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(FORMAT);
        let mut add = |part: &[u8]| {
            // With the lengths, what moves from one part to the next makes a difference.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        };
        add(identity.as_bytes());
        add(self.directory.as_os_str().as_encoded_bytes());
        for argument in &self.arguments {
            add(argument.as_encoded_bytes());
        }
        for variable in VARIABLES {
            add(env::var_os(variable).unwrap_or_default().as_encoded_bytes());
        }
        hasher.finalize().to_hex()[..32].to_owned()
    }

    /// The command that writes `output`, and to `dependencies` what it read.
    #[must_use]
    pub fn command(&self, output: &Path, dependencies: &Path) -> Command {
        let mut command = Command::new(&self.compiler);
        command.current_dir(&self.directory).args(&self.arguments).arg("-o").arg(output).stdin(Stdio::null());
        match self.action {
            Action::Compile => command.arg("-MD").arg("-MF").arg(dependencies),
            Action::Link => {
                let mut option = OsString::from("-Wl,--dependency-file=");
                option.push(dependencies);
                command.arg(option)
            }
        };
        command
    }
}

/// What tells one installed compiler from another, also where an update kept its version.
#[must_use]
pub fn identity(toolchain: &Toolchain) -> String {
    let metadata = fs::metadata(&toolchain.compiler).ok();
    let modified = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
    let nanoseconds = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |time| time.as_nanos());
    let length = metadata.map_or(0, |metadata| metadata.len());
    format!("{} {} {length} {nanoseconds}", toolchain.compiler.display(), toolchain.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(arguments: &[&str]) -> Step {
        Step {
            compiler: "/usr/bin/c++".into(),
            directory: "/src".into(),
            arguments: arguments.iter().map(OsString::from).collect(),
            action: Action::Compile,
            name: "a.o".to_owned(),
        }
    }

    #[test]
    fn a_key_depends_on_the_compiler_the_directory_and_each_argument() {
        let key = step(&["-c", "a.c"]).key("one");
        assert_eq!(key.len(), 32);
        assert_eq!(key, step(&["-c", "a.c"]).key("one"));
        assert_ne!(key, step(&["-c", "a.c"]).key("another"));
        assert_ne!(key, step(&["-ca.c"]).key("one"));
        assert_ne!(key, Step { directory: "/".into(), ..step(&["-c", "a.c"]) }.key("one"));
    }
}
