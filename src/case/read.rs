//! The parser of case files.

use std::iter::{Peekable, Zip};
use std::ops::RangeFrom;
use std::str::{FromStr, Lines};

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};

use super::{Case, VERSION, Workload};
use crate::check;
use crate::model::schedule::{Choice, Injection, Schedule};
use crate::model::settings::{MAX_THREADS, MemoryModel, Races, Settings};
use crate::number;
use crate::strategy::ThreadSet;
use crate::task_graph::text::{Mistake, parse_lines};

/// Bytes of a runtime's, bug's or fingerprint's name: at most.
const MAX_NAME: usize = 64;

/// Lines with their numbers, from 1, of which the next can be looked at first.
type Numbered<'a> = Peekable<Zip<RangeFrom<usize>, Lines<'a>>>;

pub(super) fn case(text: &str) -> Result<Case, Mistake> {
    let mut lines = (1..).zip(text.lines()).peekable();
    version(lines.next())?;
    let runtime = name(&mut lines, "runtime")?;
    let threads = threads(&mut lines)?;
    let sanitizer = worded(&mut lines, "sanitizer")?;
    let engine = worded(&mut lines, "engine")?;
    let strategy = worded(&mut lines, "strategy")?;
    let seed = numbered(&mut lines, "seed")?;
    let memory = if next_is(&mut lines, "memory") { worded(&mut lines, "memory")? } else { MemoryModel::Sc };
    let races = if next_is(&mut lines, "races") { worded(&mut lines, "races")? } else { Races::Off };
    let bug = if next_is(&mut lines, "bug") { Some(name(&mut lines, "bug")?) } else { None };
    let verdict = worded(&mut lines, "verdict")?;
    let oracle = if next_is(&mut lines, "oracle") { Some(worded(&mut lines, "oracle")?) } else { None };
    let fingerprint = name(&mut lines, "fingerprint")?;
    let (begin, workload) = workload(&mut lines)?;
    let schedule = if next_is(&mut lines, "schedule") { Some(schedule(&mut lines)?) } else { None };
    let report = if next_is(&mut lines, "report") { report(&mut lines) } else { String::new() };
    if let Some((line, extra)) = lines.find(|(_, line)| !line.trim().is_empty()) {
        let what = format!("`{}` is not understood here; a case ends after its report", short(extra));
        return Err(Mistake { line, what });
    }
    let settings = Settings { runtime, threads, sanitizer, engine, strategy, seed, memory, races, bug };
    agree(&settings, &workload).map_err(|what| Mistake { line: begin, what })?;
    Ok(Case { settings, workload, schedule, verdict, oracle, fingerprint, report })
}

fn version(first: Option<(usize, &str)>) -> Result<(), Mistake> {
    let wrong = |what| Err(Mistake { line: 1, what });
    let Some(version) = first.and_then(|(_, line)| line.strip_prefix("threadbare case ")) else {
        return wrong(format!("not a threadbare case; the first line of one is `threadbare case {VERSION}`"));
    };
    match number::whole(version.trim()) {
        Some(VERSION) => Ok(()),
        Some(newer) if newer > VERSION => wrong(format!(
            "case version {newer} is newer than this threadbare, which reads {VERSION}; update threadbare"
        )),
        _ => wrong(format!("`{}` is no version of case files; this threadbare reads {VERSION}", short(version))),
    }
}

fn next_is(lines: &mut Numbered<'_>, key: &str) -> bool {
    lines.peek().is_some_and(|(_, line)| line.split_whitespace().next() == Some(key))
}

/// The value in a line of the form `key value`.
fn value<'a>(lines: &mut Numbered<'a>, key: &str) -> Result<(usize, &'a str), Mistake> {
    let Some((line, whole)) = lines.next() else {
        return Err(Mistake { line: 1, what: format!("the case ends before its `{key}` line; it was cut off") });
    };
    match whole.trim().strip_prefix(key).and_then(|rest| rest.strip_prefix(' ')) {
        Some(value) => Ok((line, value.trim())),
        None => Err(Mistake { line, what: format!("`{}` where `{key} ...` belongs", short(whole)) }),
    }
}

fn name(lines: &mut Numbered<'_>, key: &str) -> Result<String, Mistake> {
    let (line, value) = value(lines, key)?;
    let fits = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    if value.is_empty() || value.len() > MAX_NAME || !value.chars().all(fits) {
        let what = format!("`{}` is no {key}; write letters, digits, `-`, `_` and `.`", short(value));
        return Err(Mistake { line, what });
    }
    Ok(value.to_owned())
}

fn numbered<T: FromStr>(lines: &mut Numbered<'_>, key: &str) -> Result<T, Mistake> {
    let (line, value) = value(lines, key)?;
    let what = || format!("`{}` is no {key} that fits; write a whole number", short(value));
    number::whole(value).ok_or_else(|| Mistake { line, what: what() })
}

fn threads(lines: &mut Numbered<'_>) -> Result<u16, Mistake> {
    let line = lines.peek().map_or(1, |(line, _)| *line);
    match numbered(lines, "threads")? {
        threads @ 1..=MAX_THREADS => Ok(threads),
        threads => Err(Mistake { line, what: format!("{threads} threads; write 1 to {MAX_THREADS}") }),
    }
}

fn worded<T: for<'de> Deserialize<'de>>(lines: &mut Numbered<'_>, key: &str) -> Result<T, Mistake> {
    let (line, value) = value(lines, key)?;
    // A word of unbearable length must not end up in the error.
    let value = if value.len() <= MAX_NAME { value } else { "a very long word" };
    let reader: StrDeserializer<'_, Error> = value.into_deserializer();
    T::deserialize(reader).map_err(|error| Mistake { line, what: format!("{key}: {error}") })
}

/// The workload, and the line that it begins in.
fn workload(lines: &mut Numbered<'_>) -> Result<(usize, Workload), Mistake> {
    while lines.next_if(|(_, line)| line.trim().is_empty()).is_some() {}
    let Some((begin, _)) = lines.peek().copied() else {
        return Err(Mistake { line: 1, what: "the case ends before its task graph or check; it was cut off".into() });
    };
    let workload = if next_is(lines, "check") {
        Workload::Check(check::text::parse_lines(lines)?)
    } else {
        Workload::TaskGraph(parse_lines(lines)?)
    };
    Ok((begin, workload))
}

/// Whether the settings are of the kind that the workload needs; else what to change.
fn agree(settings: &Settings, workload: &Workload) -> Result<(), String> {
    let is_check = matches!(workload, Workload::Check(_));
    match settings.runtime == check::RUNTIME {
        false if is_check => {
            Err(format!("a check, but `runtime {}`; write `runtime {}`", settings.runtime, check::RUNTIME))
        }
        true if !is_check => {
            Err(format!("a task graph, but `runtime {}`; name the runtime that it is for", check::RUNTIME))
        }
        true if settings.threads != 1 => {
            Err(format!("a check, but `threads {}`; write `threads 1`, since it begins its own", settings.threads))
        }
        true if settings.bug.is_some() => Err("a check, but a `bug` line; leave it out".to_owned()),
        _ => Ok(()),
    }
}

fn schedule(lines: &mut Numbered<'_>) -> Result<Schedule, Mistake> {
    let mut schedule = Schedule::default();
    let mut last = 0;
    lines.next();
    for (line, whole) in lines {
        last = line;
        for word in whole.split_whitespace() {
            if word == "end" {
                return Ok(schedule);
            }
            if schedule.cut {
                let what = format!("`{}` after `cut`; only `end` comes after it", short(word));
                return Err(Mistake { line, what });
            }
            if word == "cut" {
                schedule.cut = true;
            } else {
                let choice = choice(word).ok_or_else(|| Mistake {
                    line,
                    what: format!("`{}` is no choice; one looks like `0*12#3fa1` or `wake*1`", short(word)),
                })?;
                if let Choice::Run { thread, .. } | Choice::Wake { thread } = choice
                    && usize::from(thread) >= ThreadSet::CAPACITY
                {
                    let most = ThreadSet::CAPACITY - 1;
                    let what = format!("`{}` is of thread {thread}; no execution has one above {most}", short(word));
                    return Err(Mistake { line, what });
                }
                schedule.choices.push(choice);
            }
        }
    }
    Err(Mistake { line: last + 1, what: "the text ends inside the schedule; it was cut off".into() })
}

fn choice(word: &str) -> Option<Choice> {
    let (thread, rest) = word.split_once('*')?;
    if thread == "wake" {
        return Some(Choice::Wake { thread: number::whole(rest)? });
    }
    if thread == "inject" {
        return Some(Choice::Inject { injection: Injection::by_word(rest)? });
    }
    if thread == "older" {
        return Some(Choice::Older { by: number::whole(rest)? });
    }
    let (points, digest) = rest.split_once('#')?;
    if digest.len() > 4 {
        return None;
    }
    Some(Choice::Run {
        thread: number::whole(thread)?,
        points: number::whole(points)?,
        digest: number::hexadecimal(digest)?,
    })
}

/// The lines that begin with `|`, joined as they were before they were split.
fn report(lines: &mut Numbered<'_>) -> String {
    lines.next();
    let mut report: Vec<&str> = vec![];
    while let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with('|')) {
        let line = &line[1..];
        report.push(line.strip_prefix(' ').unwrap_or(line));
    }
    report.join("\n")
}

fn short(text: &str) -> String {
    text.trim().chars().take(MAX_NAME).collect()
}
