//! The command line: one file per subcommand. Flags parse into plain structs, which are then resolved
//! against the world: which compiler there is, which bugs, where files may go.

mod bench;
mod bugs;
mod cache;
mod check;
mod ci;
mod compile;
mod corpus;
mod debug;
mod doctor;
mod each_test;
mod explain;
mod export;
mod fuzz;
mod generated;
mod install;
mod limits;
mod minimise;
mod opened;
mod outputs;
mod program;
mod replay;
mod report;
mod resolve;
mod runtime;
mod search;
mod setting;
mod show;
mod targets;
mod verify;
mod worker;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};

use world::World;

use crate::model::exit;
use crate::terminal;

/// Tests the concurrency of C and C++20: coroutine runtimes and whole programs, under schedules that it fully controls.
///
/// Exit codes: 0 nothing was found, 1 something was found, 2 the tool could not do what was asked.
#[derive(Debug, Parser)]
#[command(name = "threadbare", version)]
struct Arguments {
    /// The C++ compiler: clang++ 17 or g++ 12, or newer [default: CXX of the environment, else `cxx` of threadbare.toml,
    /// else the newest clang++, else the newest g++].
    #[arg(long, global = true, value_name = "COMPILER")]
    cxx: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Explore task graphs and schedules, and keep what is found as cases.
    Fuzz(fuzz::Flags),
    /// Explore the schedules of any C or C++ program with a `main`: sources, or a name in threadbare.toml.
    Check(check::Flags),
    /// Replay the regression cases and explore for the rest of the time, as a CI job does: each target of
    /// threadbare.toml, or the bundled runtime.
    Ci(ci::Flags),
    /// Look at, share and minimise what coverage-guided campaigns keep.
    Corpus(corpus::Flags),
    /// Replay cases and check that each shows its recorded verdict.
    Replay(replay::Flags),
    /// Make the task graph, the threads, the arguments and the schedule of a case as small as they can be.
    Minimise(minimise::Flags),
    /// Judge a fix: replay cases that failed, try the schedules near theirs, and search.
    Verify(verify::Flags),
    /// Say why the schedule of a case fails: the step that decides, and the order of two operations.
    Explain(explain::Flags),
    /// Open the execution of a case under a debugger, stopped at a step.
    Debug(debug::Flags),
    /// Show a case: its task graph, schedule and evidence, or its execution as a page of HTML.
    Show(show::Flags),
    /// Write a regression test of CMake and C++ that fails for as long as a case does.
    Export(export::Flags),
    /// Report the findings in a directory, one for each bug: as a table, HTML, Markdown, JUnit, SARIF or annotations.
    Report(report::Flags),
    /// Measure how many executions it takes to find each seeded bug.
    Bugs(bugs::Flags),
    /// Measure the throughput under control against that of uncontrolled stress.
    Bench(bench::Flags),
    /// Begin an adapter of a coroutine runtime, or check one.
    Runtime(runtime::Flags),
    /// List the runtimes and programs that can be explored, the seeded bugs and what the compiler can do.
    Targets,
    /// Compile and link C as the native compiler does, for `CC`: `threadbare check` explores the executables.
    #[command(disable_help_flag = true)]
    Cc(compile::Words),
    /// The same for C++ and `CXX`.
    #[command(name = "c++", disable_help_flag = true)]
    Cpp(compile::Words),
    /// The same with the compiler that is named first, as CMake calls a launcher.
    #[command(disable_help_flag = true)]
    Launch(compile::Words),
    /// Put the compiler wrappers, the CMake package and the pkg-config file where build systems find them.
    Install(install::Flags),
    /// Look whether this system has what threadbare needs, and say what to do where it does not.
    Doctor(doctor::Flags),
    /// Print a script that completes the command line in a shell.
    Completions(generated::Completions),
    /// Write man pages.
    Man(generated::Man),
    /// Show or clear the cache of built targets.
    Cache(cache::Flags),
    #[command(hide = true)]
    Worker(worker::Flags),
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(code) = compile::run() {
        return code;
    }
    let Arguments { cxx, command } = Arguments::parse();
    let done = run(command, &World::new(cxx));
    let (code, failure) = match done {
        Ok(found) => (if found { exit::FOUND } else { exit::CLEAN }, None),
        Err(error) => (exit::COULD_NOT, Some(error)),
    };
    let failures = failure.into_iter().chain(terminal::finish().err()).collect::<Vec<_>>();
    failures.iter().for_each(|error| terminal::complain(format_args!("error: {error:#}")));
    ExitCode::from(if failures.is_empty() { code } else { exit::COULD_NOT })
}

/// Says whether something was found.
fn run(command: Command, world: &World) -> Result<bool> {
    let found_nothing = |()| false;
    match command {
        Command::Fuzz(flags) => fuzz::run(&flags, world),
        Command::Check(flags) => check::run(&flags, world),
        Command::Ci(flags) => ci::run(&flags, world),
        Command::Replay(flags) => replay::run(flags, world),
        Command::Minimise(flags) => minimise::run(flags, world).map(found_nothing),
        Command::Verify(flags) => verify::run(&flags, world),
        Command::Explain(flags) => explain::run(&flags, world).map(found_nothing),
        Command::Debug(flags) => debug::run(&flags, world).map(found_nothing),
        Command::Show(flags) => show::run(&flags, world),
        Command::Export(flags) => export::run(&flags, world).map(found_nothing),
        Command::Report(flags) => report::run(&flags, world).map(found_nothing),
        Command::Bugs(flags) => bugs::run(&flags, world),
        Command::Corpus(flags) => corpus::run(&flags, world),
        Command::Bench(flags) => bench::run(&flags, world).map(found_nothing),
        Command::Runtime(flags) => runtime::run(&flags, world),
        Command::Targets => targets::run(world).map(found_nothing),
        Command::Install(flags) => install::run(&flags).map(found_nothing),
        Command::Doctor(flags) => doctor::run(&flags, world),
        Command::Completions(flags) => {
            generated::completions(&flags);
            Ok(false)
        }
        Command::Man(flags) => generated::man(&flags).map(found_nothing),
        Command::Cache(flags) => cache::run(&flags).map(found_nothing),
        Command::Cc(_) | Command::Cpp(_) | Command::Launch(_) => bail!("name it first, before other options"),
        Command::Worker(flags) => worker::run(&flags),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_of_all_subcommands_are_consistent() {
        Arguments::command().debug_assert();
    }

    /// The words of a command line, which may be quoted; what follows two spaces or `#` is said about it.
    fn words(line: &str) -> Vec<String> {
        let command = line.split("  ").next().unwrap_or_default().split(" #").next().unwrap_or_default();
        let quoted = command.split('"').zip([false, true].into_iter().cycle());
        let words = quoted.flat_map(|(part, is_quoted)| match is_quoted {
            true => vec![part],
            false => part.split_whitespace().take_while(|word| !matches!(*word, "|" | ">")).collect(),
        });
        words.map(str::to_owned).collect()
    }

    fn parses(line: &str) {
        Arguments::try_parse_from(words(line)).unwrap_or_else(|error| panic!("{line}: {error}"));
    }

    #[test]
    fn the_examples_of_the_help_are_commands() {
        let mut arguments = Arguments::command();
        let helps = arguments.get_subcommands_mut().filter_map(|command| command.get_after_help().cloned());
        let examples: Vec<String> =
            helps.flat_map(|help| help.to_string().lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        let examples: Vec<&str> = examples.iter().filter_map(|line| line.strip_prefix("  ")).collect();
        assert!(examples.len() > 10, "{examples:?}");
        examples.into_iter().for_each(parses);
    }

    /// Transcripts are executed as well: tests/cli/transcripts.rs.
    #[test]
    fn the_commands_of_the_pages_are_commands() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let docs = std::fs::read_dir(root.join("docs")).expect("docs/").flatten().map(|entry| entry.path());
        let mut commands = 0;
        for page in docs.chain([root.join("README.md"), root.join("examples/check/README.md")]) {
            let text = std::fs::read_to_string(page).expect("a page");
            let blocks = text.split("\n```").skip(1).step_by(2);
            let lines = blocks.flat_map(str::lines).map(|line| line.strip_prefix("$ ").unwrap_or(line));
            let lines = lines.map(|line| line.replace("cargo run --release -- ", "threadbare "));
            for line in lines.filter(|line| line.starts_with("threadbare ") && !line.starts_with("threadbare case")) {
                parses(&line);
                commands += 1;
            }
        }
        assert!(commands > 20, "{commands} commands");
    }

    #[test]
    fn thread_counts_out_of_bounds_are_refused_with_the_bound() {
        for count in ["0", "257", "100000", "-1", "x", ""] {
            let error =
                Arguments::try_parse_from(["threadbare", "fuzz", &format!("--threads={count}")]).expect_err(count);
            assert!(error.to_string().contains("1 to 256"), "{error}");
            assert_eq!(error.exit_code(), i32::from(exit::COULD_NOT));
        }
    }
}
