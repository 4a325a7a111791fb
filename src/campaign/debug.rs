//! One execution of a case in a process that a debugger runs: the files that the process reads, and what the debugger's
//! extension is told.

mod coroutines;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::job::{self, Files, Job, Outcome, Work};
use super::replay::Seen;
use super::supervisor::OPTION_VARIABLES;
use super::symbols::PLAIN_FRAMES;
use crate::case::Case;
use crate::evidence::interleaving::words;
use crate::model::op::OpKind;
use crate::model::word;
use crate::protocol::Trace;
use crate::target::Built;

/// The extension of gdb, of which the first file defines the command `tb`.
const EXTENSION: [(&str, &str); 5] = [
    ("threadbare.py", include_str!("debug/threadbare.py")),
    ("coroutines.py", include_str!("debug/coroutines.py")),
    ("evaluation.py", include_str!("debug/evaluation.py")),
    ("execution.py", include_str!("debug/execution.py")),
    ("stacks.py", include_str!("debug/stacks.py")),
];
/// The libraries of a sanitizer, for the loader.
const PRELOAD: &str = "LD_PRELOAD";
/// The name of the debugger's breakpoint; see `control/debugger.rs`.
const BREAKPOINT: &str = "threadbare_debugger_stop";

/// A debugger, which has its own flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Debugger {
    Gdb,
    /// It stops where it is asked to, with the case's symbols; the extension is gdb's.
    Lldb,
}

impl Debugger {
    /// By the name of its executable: `gdb-multiarch`, `lldb-19`.
    ///
    /// # Errors
    /// It is neither.
    pub fn of(program: &Path) -> Result<Self> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        match () {
            () if name.contains("gdb") => Ok(Self::Gdb),
            () if name.contains("lldb") => Ok(Self::Lldb),
            () => bail!("{}: neither gdb nor lldb, by its name", program.display()),
        }
    }
}

/// A directory with what the process of one execution reads.
pub struct Debugged {
    files: Files,
    target: Built,
}

impl Debugged {
    /// Writes the files to a directory, which is made if it is not there. The execution stops before step `stop_at`.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn prepare(directory: &Path, case: &Case, target: &Built, stop_at: u64) -> Result<Self> {
        let named = || format!("cannot write to {}", directory.display());
        fs::create_dir_all(directory).with_context(named)?;
        let directory = &fs::canonicalize(directory).with_context(named)?;
        let files = Files::new(directory.clone(), None);
        files.forget_what_was_done();
        let job = Job { settings: case.settings.clone(), target: target.clone(), work: Work::Debug { stop_at } };
        job::write(&files.job(), &job)?;
        Trace::create(&files.trace())?;
        let write = |path: &Path, text: &str| fs::write(path, text).with_context(named);
        write(&files.case(), &case.to_string())?;
        write(&directory.join("debug.json"), &told(case, target).to_string())?;
        EXTENSION.iter().try_for_each(|(name, text)| write(&directory.join(name), text))?;
        Ok(Self { files, target: target.clone() })
    }

    /// The debugger on the execution, with arguments of its own behind ours.
    #[must_use]
    pub fn command(&self, debugger: Debugger, program: &Path, executable: &Path, arguments: &[OsString]) -> Command {
        let mut command = Command::new(program);
        match debugger {
            Debugger::Gdb => {
                command.arg("-q").args(["-iex", "set startup-with-shell off"]);
                for (name, value) in self.environment() {
                    command.arg("-iex").arg(format!("set environment {name} {value}"));
                }
                command.arg("-x").arg(self.extension()).args(["-ex", "tb start"]).args(arguments).arg("--args");
            }
            Debugger::Lldb => {
                for (name, value) in self.environment() {
                    // Its settings know no quotes within a value, and what it starts has its environment. But it must not load
                    // the runtime of a sanitizer itself.
                    if name == PRELOAD {
                        command.arg("-O").arg(format!("settings set target.env-vars {name}={value}"));
                    } else {
                        command.env(name, value);
                    }
                }
                // It stops in our function, some above which the target's own begin.
                let begin = [&format!("breakpoint set -n {BREAKPOINT}"), "run", "thread backtrace --count 12"];
                command.args(begin.into_iter().flat_map(|words| ["-o", words])).args(arguments).arg("--");
            }
        }
        command.arg(executable).args(self.arguments());
        command
    }

    /// A configuration of VS Code's for the same, with gdb.
    #[must_use]
    pub fn launch_configuration(&self, program: &Path, executable: &Path, name: &str, directory: &Path) -> Value {
        let environment: Vec<Value> =
            self.environment().iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        let setup = |text: String| json!({ "text": text, "ignoreFailures": false });
        json!({
            "name": format!("threadbare: {name}"),
            "type": "cppdbg",
            "request": "launch",
            "program": executable,
            "args": self.arguments().map(OsStr::to_string_lossy),
            "cwd": directory,
            "environment": environment,
            "MIMode": "gdb",
            "miDebuggerPath": program,
            "stopAtEntry": false,
            "setupCommands": [
                setup("set startup-with-shell off".to_owned()),
                setup(format!("source {}", self.extension().display())),
            ],
        })
    }

    /// What became of the execution, beside what was recorded.
    #[must_use]
    pub fn told(&self, case: &Case) -> String {
        let outcome: Option<Outcome> = job::read(&self.files.outcome()).ok();
        let seen = match outcome {
            None => {
                return format!(
                    "the process did not come to the end of the execution; recorded was {}",
                    recorded(case)
                );
            }
            Some(Outcome { diverged: Some(divergence), .. }) => Seen::Diverged(divergence),
            Some(Outcome { failed: Some(failed), .. }) if failed.reports > 0 => {
                return format!("the execution made a sanitizer report; recorded was {}", recorded(case));
            }
            Some(Outcome { failed: Some(failed), .. }) if !failed.failures.is_empty() => Seen::Failed(failed.failures),
            Some(Outcome { refused: Some(why), .. }) => Seen::Incomparable(why),
            Some(_) => Seen::Clean,
        };
        let compared = if seen.shows(case) { "as recorded" } else { "which is not what was recorded" };
        format!("the execution {seen}, {compared}")
    }

    fn extension(&self) -> PathBuf {
        self.files.directory().join("threadbare.py")
    }

    fn arguments(&self) -> [&OsStr; 3] {
        let directory = self.files.directory().as_os_str();
        [OsStr::new("worker"), directory, directory]
    }

    /// Beside the debugger's own.
    fn environment(&self) -> Vec<(&'static str, String)> {
        // As of other workers: what a sanitizer asks a symbolizer would be calls of the thread under control.
        let mut environment: Vec<_> = OPTION_VARIABLES.map(|name| (name, PLAIN_FRAMES.to_owned())).into();
        // It stands last of those with one name. Else it waits a second at the end.
        environment.push(("TSAN_OPTIONS", format!("{PLAIN_FRAMES}:atexit_sleep_ms=0")));
        if !self.target.preload.is_empty() {
            let libraries: Vec<String> = self.target.preload.iter().map(|path| path.display().to_string()).collect();
            environment.push((PRELOAD, libraries.join(":")));
        }
        environment
    }
}

/// What the extension is told: words for what threads do, and where the target's coroutines are.
fn told(case: &Case, target: &Built) -> Value {
    let words: Vec<Option<&str>> = (0..=u8::MAX).map(|number| OpKind::of_number(number).map(words)).collect();
    let bytes = fs::read(&target.object).unwrap_or_default();
    json!({
        "object": target.object,
        "words": words,
        "coroutines": coroutines::of(&bytes),
        "recorded": recorded(case),
    })
}

/// How it failed, in a line.
fn recorded(case: &Case) -> String {
    case.report.lines().next().map_or_else(|| word(&case.verdict), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debugger_is_known_by_its_name() {
        let known = |name: &str| Debugger::of(Path::new(name)).ok();
        assert_eq!(known("/usr/bin/gdb-multiarch"), Some(Debugger::Gdb));
        assert_eq!(known("lldb-19"), Some(Debugger::Lldb));
        assert_eq!(known("/usr/bin/strace"), None);
    }
}
