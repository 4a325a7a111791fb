//! The parser of task graph text. Its errors name the line, what is wrong there and what would be right.

use std::fmt::{self, Display, Formatter};
use std::str::{FromStr, SplitWhitespace};

use super::{CALLS, WORDS};
use crate::model::schedule::Injection;
use crate::number;
use crate::task_graph::call::{Body, Call, Pair};
use crate::task_graph::validate::{MAX_OBJECTS, MAX_OPERATIONS, MAX_TASKS, validate};
use crate::task_graph::{AccessChecks, Affinity, EventReset, Injections, Operation, ResultKind, Task, TaskGraph};

/// What is wrong with a text, and in which line (from 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub line: usize,
    pub what: String,
}

impl Display for Mistake {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for Mistake {}

/// Reads a task graph and checks that it is valid.
///
/// # Errors
/// The first mistake in the text.
pub fn parse(text: &str) -> Result<TaskGraph, Mistake> {
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    let graph = parse_lines(&mut lines)?;
    match lines.find(|(_, line)| !meat(line).is_empty()) {
        Some((line, _)) => Err(Mistake { line, what: "text after the task graph's `end`; remove it".into() }),
        None => Ok(graph),
    }
}

/// Reads a task graph off the start of numbered lines, up to and with its `end`.
///
/// # Errors
/// The first mistake in the text.
pub fn parse_lines<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>) -> Result<TaskGraph, Mistake> {
    let mut text = Text { graph: TaskGraph::default(), tasks: vec![], operations: vec![], part: Part::Start };
    let mut last = 0;
    for (line, whole) in lines {
        last = line;
        let mut words = meat(whole).split_whitespace();
        let Some(first) = words.next() else { continue };
        let done = text.line(line, first, &mut words).map_err(|what| Mistake { line, what })?;
        if let Some(extra) = words.next() {
            return Err(Mistake { line, what: format!("`{extra}` is one word too many after `{first}`; remove it") });
        }
        if done {
            return text.finish(line);
        }
    }
    Err(Mistake { line: last + 1, what: "the text ends inside the task graph; finish it with `end`".into() })
}

/// A line without its comment.
fn meat(line: &str) -> &str {
    line.split('#').next().unwrap_or("").trim()
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Start,
    Header,
    Objects,
    Tasks,
}

struct Text {
    graph: TaskGraph,
    /// The line of each task, and of each operation of each task.
    tasks: Vec<usize>,
    operations: Vec<Vec<usize>>,
    part: Part,
}

impl Text {
    /// Takes one line in; true when it was the task graph's last.
    fn line(&mut self, line: usize, first: &str, words: &mut SplitWhitespace<'_>) -> Result<bool, String> {
        let objects = &mut self.graph.objects;
        match (self.part, first) {
            (Part::Start, "task-graph") => self.part = Part::Header,
            (Part::Start, _) => {
                return Err(format!("`{}` where a task graph begins; write `task-graph`", short(first)));
            }
            (Part::Header, "objects") => self.part = Part::Objects,
            (Part::Objects, "mutexes") => objects.mutexes = bounded(number(words, "the number of mutexes")?)?,
            (Part::Objects, "semaphores") => objects.semaphores = counts(words)?,
            (Part::Objects, "latches") => objects.latches = counts(words)?,
            (Part::Objects, "barriers") => objects.barriers = counts(words)?,
            (Part::Objects, "channels") => objects.channels = counts(words)?,
            (Part::Objects, "events") => {
                objects.events = list(words, MAX_OBJECTS, |word| match word {
                    "manual" => Ok(EventReset::Manual),
                    "auto" => Ok(EventReset::Auto),
                    _ => Err(format!("`{}` is no kind of event; write `manual` or `auto`", short(word))),
                })?;
            }
            (Part::Objects, "processors") => {
                objects.processors = list(words, MAX_OBJECTS, |word| match word {
                    "checked" => Ok(AccessChecks::On),
                    "unchecked" => Ok(AccessChecks::Off),
                    _ => Err(format!("`{}` is no kind of processor; write `checked` or `unchecked`", short(word))),
                })?;
            }
            (Part::Objects, "engines") => objects.engines = bounded(number(words, "the number of engines")?)?,
            (Part::Objects, "registries") => objects.registries = bounded(number(words, "the number of registries")?)?,
            (Part::Objects, "leases") => objects.leases = bounded(number(words, "the number of leases")?)?,
            (Part::Header | Part::Objects, "inject") => injections(&mut self.graph.injections, words)?,
            (Part::Header | Part::Objects, "fail-allocation") => {
                let number = number(words, "the allocation's number")?;
                if number == 0 {
                    return Err("allocation 0; allocations are counted from 1".into());
                }
                self.graph.injections.failing_allocation = Some(number);
            }
            (_, "task") => self.task(line, words)?,
            (Part::Tasks, "end") => return Ok(true),
            (Part::Tasks, _) => {
                let operation = operation(first, words)?;
                let (Some(task), Some(lines)) = (self.graph.tasks.last_mut(), self.operations.last_mut()) else {
                    return Err("an operation before the first task; write `task 0 main int` above it".into());
                };
                if task.operations.len() == MAX_OPERATIONS {
                    return Err(format!("more than {MAX_OPERATIONS} operations in one task; split it"));
                }
                task.operations.push(operation);
                lines.push(line);
            }
            _ => {
                return Err(format!(
                    "`{}` is not understood here; expected `objects`, a list of objects \
                    such as `mutexes 1`, `inject`, `fail-allocation` or `task`",
                    short(first)
                ));
            }
        }
        Ok(false)
    }

    fn task(&mut self, line: usize, words: &mut SplitWhitespace<'_>) -> Result<(), String> {
        self.part = Part::Tasks;
        let id: usize = number(words, "the task's number")?;
        let next = self.graph.tasks.len();
        if id != next {
            return Err(format!("task {id} where task {next} comes next; number tasks from 0 without gaps"));
        }
        if next == MAX_TASKS {
            return Err(format!("more than {MAX_TASKS} tasks; split the task graph"));
        }
        let affinity = affinity(words)?;
        let result = match words.next() {
            Some("int") => ResultKind::Int,
            Some("unique") => ResultKind::Unique,
            Some("void") => ResultKind::Void,
            other => return Err(wrong(other, "a result: `int`, `unique` or `void`")),
        };
        self.graph.tasks.push(Task { affinity, result, operations: vec![] });
        self.tasks.push(line);
        self.operations.push(vec![]);
        Ok(())
    }

    fn finish(self, end: usize) -> Result<TaskGraph, Mistake> {
        validate(&self.graph).map_err(|invalid| {
            let line = match invalid.place {
                Some((task, Some(operation))) => self.operations[task as usize][operation],
                Some((task, None)) => self.tasks[task as usize],
                None => end,
            };
            Mistake { line, what: invalid.to_string() }
        })?;
        Ok(self.graph)
    }
}

fn operation(word: &str, words: &mut SplitWhitespace<'_>) -> Result<Operation, String> {
    let Some(code) = WORDS.iter().position(|&known| known == word) else {
        return Err(format!("`{}` is no operation; the operations are {}", short(word), WORDS.join(", ")));
    };
    let mut id = || number(words, "a number");
    Ok(match code {
        0 => Operation::Compute(number(words, "a constant")?),
        1 => Operation::Await(id()?),
        2 => Operation::AwaitCatch(id()?),
        3 => Operation::WhenAll(list(words, MAX_TASKS, parse_number)?),
        4 => Operation::WhenAny(list(words, MAX_TASKS, parse_number)?),
        5 => Operation::Start(id()?),
        6 => Operation::Join(id()?),
        7 => Operation::Detach(id()?),
        8 => Operation::Hop(affinity(words)?),
        9 => Operation::Yield,
        10 => Operation::Sleep(id()?),
        11 => Operation::Throw(id()?),
        12 => Operation::Cancel(id()?),
        13 => Operation::CheckCancel,
        14 => Operation::Lock(id()?),
        15 => Operation::Unlock(id()?),
        16 => Operation::Acquire(id()?),
        17 => Operation::Release(id()?),
        18 => Operation::SetEvent(id()?),
        19 => Operation::ResetEvent(id()?),
        20 => Operation::WaitEvent(id()?),
        21 => Operation::LatchArrive(id()?),
        22 => Operation::LatchWait(id()?),
        23 => Operation::BarrierArrive(id()?),
        24 => Operation::BarrierWait(id()?),
        25 => Operation::Send(id()?, number(words, "a value")?),
        26 => Operation::Receive(id()?),
        27 => Operation::Close(id()?),
        _ => Operation::Call(call(code - CALLS, words)?),
    })
}

fn call(code: usize, words: &mut SplitWhitespace<'_>) -> Result<Call, String> {
    let mut id = || number(words, "a number");
    Ok(match code {
        0 => {
            let processor = id()?;
            let body = match words.next() {
                Some("plain") => Body::Plain,
                Some("nested") => Body::Nested,
                Some("throwing") => Body::Throwing,
                Some("handing-over") => Body::HandingOver,
                other => return Err(wrong(other, "a body: `plain`, `nested`, `throwing` or `handing-over`")),
            };
            Call::Resume(processor, body)
        }
        1 => Call::BeginBranch(id()?),
        2 => Call::NestBranch,
        3 => Call::EndBranch,
        4 => Call::GetContext,
        5 => Call::PutContext(number(words, "a value")?),
        6 => Call::StartArc(id()?, pair(words)?),
        7 => Call::ProgressArc(id()?, pair(words)?),
        8 => Call::CompleteArc(id()?, pair(words)?),
        9 => Call::CancelArc(id()?, pair(words)?),
        10 => Call::ArcStatus(id()?, pair(words)?),
        11 => Call::ActiveArcs(id()?),
        12 => Call::ProcessArcs(id()?),
        13 => Call::AcquireLease(id()?, number(words, "an agent")?),
        14 => Call::RefreshLease(id()?, number(words, "an agent")?),
        15 => Call::ReleaseLease(id()?, number(words, "an agent")?),
        16 => Call::LeaseHolder(id()?),
        _ => Call::CleanupStale(id()?, number(words, "a time in microseconds")?),
    })
}

fn pair(words: &mut SplitWhitespace<'_>) -> Result<Pair, String> {
    Ok(Pair { a: number(words, "an agent")?, b: number(words, "the other agent")? })
}

fn affinity(words: &mut SplitWhitespace<'_>) -> Result<Affinity, String> {
    match words.next() {
        Some("main") => Ok(Affinity::Main),
        Some("worker") => Ok(Affinity::Worker),
        other => Err(wrong(other, "an affinity: `main` or `worker`")),
    }
}

fn injections(injections: &mut Injections, words: &mut SplitWhitespace<'_>) -> Result<(), String> {
    let first = words.next();
    for word in std::iter::once(first).chain(words.map(Some)) {
        match word.and_then(Injection::by_word) {
            Some(injection) => injections.set(injection, true),
            None => {
                let words = Injection::ALL.map(|injection| format!("`{}`", injection.word())).join(", ");
                return Err(wrong(word, &format!("an injection: {words}")));
            }
        }
    }
    Ok(())
}

fn counts(words: &mut SplitWhitespace<'_>) -> Result<Vec<u32>, String> {
    list(words, MAX_OBJECTS, parse_number)
}

/// The rest of the line as values, at most so many.
fn list<T>(
    words: &mut SplitWhitespace<'_>,
    most: usize,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let mut values = vec![];
    for word in words {
        if values.len() == most {
            return Err(format!("more than {most} values in one line; use fewer"));
        }
        values.push(read(word)?);
    }
    Ok(values)
}

fn bounded(count: u32) -> Result<u32, String> {
    if count as usize > MAX_OBJECTS {
        Err(format!("more than {MAX_OBJECTS} objects of one kind; use fewer"))
    } else {
        Ok(count)
    }
}

fn number<T: FromStr>(words: &mut SplitWhitespace<'_>, what: &str) -> Result<T, String> {
    match words.next() {
        Some(word) => parse_number(word),
        None => Err(format!("the line ends where {what} is missing; add it")),
    }
}

fn parse_number<T: FromStr>(word: &str) -> Result<T, String> {
    number::whole(word).ok_or_else(|| format!("`{}` is no number that fits here; write a whole number", short(word)))
}

fn wrong(word: Option<&str>, expected: &str) -> String {
    match word {
        Some(word) => format!("`{}` is not {expected}", short(word)),
        None => format!("the line ends where there should be {expected}"),
    }
}

/// A word cut to a length that an error message can bear.
fn short(word: &str) -> String {
    const LONGEST: usize = 40;
    if word.chars().count() <= LONGEST {
        return word.to_owned();
    }
    word.chars().take(LONGEST).chain(['…']).collect()
}
