//! Runs the `threadbare` program in a directory of its own.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use threadbare::target::Toolchain;

pub const CLEAN: i32 = 0;
pub const FOUND: i32 = 1;
pub const COULD_NOT: i32 = 2;

/// Whether targets are compiled with clang if nothing else is said; else it is g++, which has neither the engine `fibers` nor
/// races together with AddressSanitizer.
pub fn has_clang() -> bool {
    Toolchain::find(None).is_ok_and(|toolchain| toolchain.is_clang)
}

/// The engines that targets can run with then.
pub fn engines() -> &'static [&'static str] {
    if has_clang() { &["fibers", "threads"] } else { &["threads"] }
}

/// The sanitizers under which a schedule of a program fits that was found under any of them. With g++, AddressSanitizer's
/// instrumentation leaves atomic operations to others, so that its accesses are not those of the other builds.
pub fn sanitizers() -> &'static [&'static str] {
    if has_clang() { &["none", "thread", "address"] } else { &["none", "thread"] }
}

/// A working directory, in which `threadbare` runs.
pub struct Workplace {
    directory: TempDir,
}

/// What the program said and how it left.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Workplace {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory") }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_threadbare"));
        let words: Vec<&str> = arguments.split_whitespace().collect();
        command.args(&words);
        // Most tests are about other things, and this takes its time.
        if matches!(words[..], ["check" | "fuzz" | "ci", ..]) && !words.contains(&"--minimise") {
            let place = words.iter().position(|word| *word == "--").unwrap_or(words.len());
            command = Command::new(env!("CARGO_BIN_EXE_threadbare"));
            command.args(&words[..place]).args(["--minimise", "off"]).args(&words[place..]);
        }
        self.prepared(&mut command);
        command
    }

    /// The same, to run here.
    fn prepared<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        // One for all tests, and not the user's.
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
        command.current_dir(self.path()).stdin(Stdio::null()).env("THREADBARE_CACHE", cache)
    }

    /// Writes a file, in a folder that is made if it is missing; its path.
    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, content).expect("written");
        path
    }

    /// Runs it to its end; arguments are separated by spaces.
    pub fn run(&self, arguments: &str) -> Ran {
        Ran::from(self.command(arguments).output().expect("threadbare runs"))
    }

    /// As `run`, in a folder of the directory, and with further arguments, which may hold spaces.
    pub fn run_in(&self, folder: &str, arguments: &str, more: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        Ran::from(command.args(more).current_dir(self.path().join(folder)).output().expect("threadbare runs"))
    }

    /// What a shell's command line prints, in which the program is `threadbare`.
    pub fn shell(&self, line: &str) -> String {
        let threadbare = Path::new(env!("CARGO_BIN_EXE_threadbare"));
        let folder = threadbare.parent().expect("a folder").display();
        let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec 2>&1; {line}")]).env("PATH", path);
        Ran::from(self.prepared(&mut command).output().expect("a shell runs")).stdout
    }

    /// Starts it and does not wait.
    pub fn start(&self, arguments: &str) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("threadbare runs")
    }

    pub fn json(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.path().join(name)).expect("the JSON file was written");
        serde_json::from_str(&text).expect("the JSON file is valid")
    }

    /// The cases in a directory, by name.
    pub fn cases(&self, directory: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path().join(directory)).into_iter().flatten().flatten();
        let mut cases: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| is_case(path)).collect();
        cases.sort();
        cases
    }
}

fn is_case(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "case")
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

impl Ran {
    /// Checks the exit code, and shows everything if it is another one.
    #[track_caller]
    pub fn left_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Checks that it refused with one clear line that holds each of the words.
    #[track_caller]
    pub fn refused(self, words: &[&str]) -> Self {
        let ran = self.left_with(COULD_NOT);
        let errors = ran.stderr.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(errors, 1, "{}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        for word in words {
            assert!(ran.stderr.contains(word), "no \"{word}\" in: {}", ran.stderr);
        }
        ran
    }
}
