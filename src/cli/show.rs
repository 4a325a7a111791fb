//! `threadbare show`: a case for people, for Graphviz or for programs.

mod told;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::limits::{AtMost, duration_or_off};
use super::opened::Trusted;
use super::world::World;
use crate::case::{Case, Workload};
use crate::check::Check;
use crate::input::Input;
use crate::model::execution::ThreadId;
use crate::model::schedule::{Choice, Schedule};
use crate::model::settings::{MemoryModel, Races, Sanitizer, Settings};
use crate::model::word;
use crate::report::{graph, grouped};
use crate::strategy::bytes;
use crate::task_graph::TaskGraph;
use crate::terminal;
use crate::whole_file::{can_write, write_whole};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare show found.case                                       what the case holds
  threadbare show found.case --format html --output found.html     its execution, step by step, in a browser
  threadbare show found.case --format perfetto --output trace.json  the same for ui.perfetto.dev")]
pub struct Flags {
    /// The case, or the input that a fuzz target saved.
    case: PathBuf,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Write to this file, not to standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Time to look for why it fails, with the formats that execute the case, or `off` not to look.
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = duration_or_off)]
    budget: AtMost,
    #[command(flatten)]
    trusted: Trusted,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Settings, task graph or check, schedule and evidence.
    Text,
    /// The task graph, for Graphviz.
    Dot,
    /// Everything.
    Json,
    /// A page of its own: the case is executed once more, and each step shown by thread, with source and stack.
    Html,
    /// The same execution as a trace, which Perfetto and chrome://tracing show.
    Perfetto,
}

pub fn run(flags: &Flags, world: &World) -> Result<bool> {
    flags.output.iter().try_for_each(|path| can_write(path))?;
    let shown = match flags.format {
        Format::Html | Format::Perfetto => told::shown(flags, world)?,
        Format::Text | Format::Dot | Format::Json => recorded(flags)?,
    };
    match &flags.output {
        Some(path) => write_whole(path, shown.as_bytes())?,
        None => terminal::print(&shown),
    }
    Ok(false)
}

/// What the case or input itself holds.
fn recorded(flags: &Flags) -> Result<String> {
    let (case, choices) = match Input::read(&flags.case)? {
        Some(input) => {
            let (case, choices) = input.into_case(None, Sanitizer::None);
            (case, Some(choices))
        }
        None => (Case::read(&flags.case)?, None),
    };
    Ok(match (flags.format, choices) {
        (Format::Html | Format::Perfetto, _) => unreachable!("these execute the case"),
        (Format::Text, Some(choices)) => text_of_input(&case, &choices),
        (Format::Json, Some(choices)) => {
            format!("{:#}\n", json_of_input(&case, &choices))
        }
        (Format::Text, None) => text(&case),
        (Format::Dot, _) => match &case.workload {
            Workload::TaskGraph(graph) => graph::dot(graph),
            Workload::Check(_) => bail!(
                "{}: the case is of a check, which has no task graph to draw; leave `--format dot` out",
                flags.case.display()
            ),
        },
        (Format::Json, None) => format!("{:#}\n", json_of(&case)),
    })
}

fn text(case: &Case) -> String {
    let settings = &case.settings;
    let mut shown = String::new();
    let mut fact = |name: &str, value: &str| shown.push_str(&format!("{name:<12} {value}\n"));
    fact("verdict", &word(&case.verdict));
    if let Some(oracle) = &case.oracle {
        fact("oracle", &word(oracle));
    }
    fact("fingerprint", &case.fingerprint);
    fact("runtime", &settings.runtime);
    if let Some(bug) = &settings.bug {
        fact("bug", bug);
    }
    // A check begins as many threads as it likes.
    if let Workload::TaskGraph(_) = case.workload {
        fact("threads", &settings.threads.to_string());
    }
    fact("sanitizer", &word(&settings.sanitizer));
    if settings.memory != MemoryModel::Sc {
        fact("memory", &word(&settings.memory));
    }
    if settings.races != Races::Off {
        fact("races", &word(&settings.races));
    }
    fact("engine", &word(&settings.engine));
    fact("strategy", &format!("{}, seed {}", word(&settings.strategy), settings.seed));
    fact(
        "schedule",
        &case.schedule.as_ref().map_or_else(|| "none".to_owned(), |schedule| Statistics::of(schedule).text()),
    );
    shown.push_str(&format!("\n{}\n", case.workload.to_string().trim_end()));
    if !case.report.is_empty() {
        shown.push_str(&format!("\n{}\n", case.report.trim_end()));
    }
    shown
}

/// What an input holds, which has no result.
fn text_of_input(case: &Case, choices: &[u16]) -> String {
    let Settings { threads, seed, .. } = case.settings;
    let turns = choices.iter().map(|&number| {
        let (who, points) = bytes::parts(number);
        format!("{who}*{points}")
    });
    let turns = match turns.collect::<Vec<_>>() {
        turns if turns.is_empty() => "none".to_owned(),
        turns => turns.join(" "),
    };
    format!("threads      {threads}\nchoices      {turns}\nthen         random, seed {seed}\n\n{}", case.workload)
}

fn json_of_input(case: &Case, choices: &[u16]) -> Value {
    let mut shown = json!({"threads": case.settings.threads, "seed": case.settings.seed, "choices": choices});
    if let Workload::TaskGraph(graph) = &case.workload {
        shown["task_graph"] = json_of_task_graph(graph);
    }
    shown
}

fn json_of(case: &Case) -> Value {
    let schedule = case.schedule.as_ref().map(|schedule| {
        let statistics = Statistics::of(schedule);
        let choice = |choice: &Choice| match choice {
            Choice::Run { thread, points, digest } => json!({"run": thread, "points": points, "digest": digest}),
            Choice::Wake { thread } => json!({"wake": thread}),
            Choice::Inject { injection } => json!({"inject": injection.word()}),
            Choice::Older { by } => json!({"older": by}),
        };
        let choices: Vec<Value> = schedule.choices.iter().map(choice).collect();
        json!({
            "points": statistics.points,
            "switches": statistics.switches,
            "wakes": statistics.wakes,
            "injections": statistics.injections,
            "older": statistics.older,
            "points_by_thread": statistics.by_thread,
            "cut": schedule.cut,
            "choices": choices,
        })
    });
    let mut shown = json!({
        "settings": case.settings,
        "verdict": case.verdict,
        "oracle": case.oracle,
        "fingerprint": case.fingerprint,
        "schedule": schedule,
        "report": case.report,
    });
    let (name, workload) = match &case.workload {
        Workload::TaskGraph(graph) => ("task_graph", json_of_task_graph(graph)),
        Workload::Check(check) => ("check", json_of_check(check)),
    };
    shown[name] = workload;
    shown
}

fn json_of_task_graph(graph: &TaskGraph) -> Value {
    let tasks: Vec<Value> = graph
        .tasks
        .iter()
        .map(|task| {
            let operations: Vec<String> = task.operations.iter().map(ToString::to_string).collect();
            json!({
                "affinity": task.affinity.to_string(),
                "result": task.result.to_string(),
                "operations": operations,
            })
        })
        .collect();
    json!({"text": graph.to_string(), "tasks": tasks})
}

fn json_of_check(check: &Check) -> Value {
    json!({
        "text": check.to_string(),
        "sources": check.sources,
        "flags": check.flags,
        "arguments": check.arguments,
        "points": check.points,
        "digest": check.recorded,
    })
}

/// A schedule in numbers.
struct Statistics {
    points: u64,
    switches: u64,
    /// Times one of several waiters was chosen.
    wakes: u64,
    /// File calls that were made to fail.
    injections: u64,
    /// Atomic operations on a store that was not the newest.
    older: u64,
    by_thread: BTreeMap<ThreadId, u64>,
    cut: bool,
}

impl Statistics {
    fn of(schedule: &Schedule) -> Self {
        let mut statistics = Self {
            points: 0,
            switches: 0,
            wakes: 0,
            injections: 0,
            older: 0,
            by_thread: BTreeMap::new(),
            cut: schedule.cut,
        };
        let mut last = None;
        for choice in &schedule.choices {
            match *choice {
                Choice::Wake { .. } => statistics.wakes += 1,
                Choice::Inject { .. } => statistics.injections += 1,
                Choice::Older { .. } => statistics.older += 1,
                Choice::Run { thread, points, .. } => {
                    statistics.points += u64::from(points);
                    *statistics.by_thread.entry(thread).or_default() += u64::from(points);
                    statistics.switches += u64::from(last.is_some_and(|last| last != thread));
                    last = Some(thread);
                }
            }
        }
        statistics
    }

    fn text(&self) -> String {
        let threads: Vec<String> =
            self.by_thread.iter().map(|(thread, points)| format!("{} of thread {thread}", grouped(*points))).collect();
        let injections = match self.injections {
            0 => String::new(),
            count => format!(", {} injections", grouped(count)),
        };
        let older = match self.older {
            0 => String::new(),
            count => format!(", {} on older stores", grouped(count)),
        };
        format!(
            "{} scheduling points ({}), {} switches, {} wakes{injections}{older}{}",
            grouped(self.points),
            threads.join(", "),
            grouped(self.switches),
            grouped(self.wakes),
            if self.cut { ", cut short" } else { "" }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn a_schedule_is_counted_by_thread_and_switch() {
        let run = |thread, points| Choice::Run { thread, points, digest: 0 };
        let choices = vec![run(0, 5), run(1, 2), Choice::Wake { thread: 2 }, run(1, 1), run(0, 1)];
        let text = Statistics::of(&Schedule { choices, cut: true }).text();
        assert_eq!(text, "9 scheduling points (6 of thread 0, 3 of thread 1), 2 switches, 1 wakes, cut short");
    }
}
