//! Task graphs as text that people can read and edit, and that reads back as the same task graph.
//!
//! ```text
//! task graph
//!   objects
//!     mutexes 1
//!     semaphores 0 2
//!     events manual auto
//!     latches 3
//!     barriers 2
//!     channels 4
//!     processors checked unchecked
//!     engines 1
//!     registries 1
//!     leases 1
//!   inject eio enospc short-write crash spurious-wake-up weak-failure
//!   fail-allocation 3
//!   task 0 main int
//!     start 1
//!     lock 0
//!     compute 7
//!     unlock 0
//!     join 1
//!   task 1 worker void
//!     send 0 1001
//!     start-arc 0 1 2
//!   end
//! ```
//!
//! The lines `inject` and `fail-allocation` are left out where nothing is to go wrong.
//!
//! Indentation is for the eye. Empty lines, and what follows a `#`, are skipped.

mod parse;

use std::fmt::{self, Display, Formatter};

pub use parse::{Mistake, parse, parse_lines};

use super::call::{Body, Call};
use super::{AccessChecks, Affinity, EventReset, Injections, Operation, ResultKind, TaskGraph};

/// Where the words of the calls begin.
const CALLS: usize = 28;
/// The operations' words, in the order of [`Operation`], then those of [`Call`].
const WORDS: [&str; CALLS + 18] = [
    "compute",
    "await",
    "await-catch",
    "when-all",
    "when-any",
    "start",
    "join",
    "detach",
    "hop",
    "yield",
    "sleep",
    "throw",
    "cancel",
    "check-cancel",
    "lock",
    "unlock",
    "acquire",
    "release",
    "set-event",
    "reset-event",
    "wait-event",
    "latch-arrive",
    "latch-wait",
    "barrier-arrive",
    "barrier-wait",
    "send",
    "receive",
    "close",
    "resume",
    "begin-branch",
    "nest-branch",
    "end-branch",
    "get-context",
    "put-context",
    "start-arc",
    "progress-arc",
    "complete-arc",
    "cancel-arc",
    "arc-status",
    "active-arcs",
    "process-arcs",
    "acquire-lease",
    "refresh-lease",
    "release-lease",
    "lease-holder",
    "cleanup-stale",
];

impl Operation {
    /// The kind of the operation in the words of the text format.
    #[must_use]
    pub fn word(&self) -> &'static str {
        WORDS[match self {
            Self::Call(call) => CALLS + usize::from(call.code()),
            _ => usize::from(self.code()),
        }]
    }
}

impl Display for Operation {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())?;
        match self {
            Self::Compute(value) => write!(formatter, " {value}"),
            Self::Hop(affinity) => write!(formatter, " {affinity}"),
            Self::Send(id, value) => write!(formatter, " {id} {value}"),
            Self::Call(call) => write_call(formatter, call),
            Self::WhenAll(children) | Self::WhenAny(children) => {
                children.iter().try_for_each(|child| write!(formatter, " {child}"))
            }
            plain => plain.operand().map_or(Ok(()), |operand| write!(formatter, " {operand}")),
        }
    }
}

fn write_call(formatter: &mut Formatter<'_>, call: &Call) -> fmt::Result {
    if let Some((_, id)) = call.object() {
        write!(formatter, " {id}")?;
    }
    match call {
        Call::BeginBranch(_)
        | Call::NestBranch
        | Call::EndBranch
        | Call::GetContext
        | Call::ActiveArcs(_)
        | Call::ProcessArcs(_)
        | Call::LeaseHolder(_) => Ok(()),
        Call::Resume(_, body) => write!(formatter, " {body}"),
        Call::PutContext(value) => write!(formatter, " {value}"),
        Call::StartArc(_, pair)
        | Call::ProgressArc(_, pair)
        | Call::CompleteArc(_, pair)
        | Call::CancelArc(_, pair)
        | Call::ArcStatus(_, pair) => write!(formatter, " {} {}", pair.a, pair.b),
        Call::AcquireLease(_, number)
        | Call::RefreshLease(_, number)
        | Call::ReleaseLease(_, number)
        | Call::CleanupStale(_, number) => write!(formatter, " {number}"),
    }
}

impl Display for Body {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Plain => "plain",
            Self::Nested => "nested",
            Self::Throwing => "throwing",
            Self::HandingOver => "handing-over",
        })
    }
}

impl Display for AccessChecks {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::On => "checked",
            Self::Off => "unchecked",
        })
    }
}

impl Display for Affinity {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Main => "main",
            Self::Worker => "worker",
        })
    }
}

impl Display for ResultKind {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Int => "int",
            Self::Unique => "unique",
            Self::Void => "void",
        })
    }
}

impl Display for EventReset {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Manual => "manual",
            Self::Auto => "auto",
        })
    }
}

/// The task graph's text, as [`parse`] reads it.
impl Display for TaskGraph {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let objects = &self.objects;
        writeln!(formatter, "task-graph")?;
        writeln!(formatter, "  objects")?;
        if objects.mutexes > 0 {
            writeln!(formatter, "    mutexes {}", objects.mutexes)?;
        }
        write_list(formatter, "semaphores", &objects.semaphores)?;
        write_list(formatter, "events", &objects.events)?;
        write_list(formatter, "latches", &objects.latches)?;
        write_list(formatter, "barriers", &objects.barriers)?;
        write_list(formatter, "channels", &objects.channels)?;
        write_list(formatter, "processors", &objects.processors)?;
        for (name, count) in
            [("engines", objects.engines), ("registries", objects.registries), ("leases", objects.leases)]
        {
            if count > 0 {
                writeln!(formatter, "    {name} {count}")?;
            }
        }
        write_injections(formatter, &self.injections)?;
        for (id, task) in self.tasks.iter().enumerate() {
            writeln!(formatter, "  task {id} {} {}", task.affinity, task.result)?;
            for operation in &task.operations {
                writeln!(formatter, "    {operation}")?;
            }
        }
        writeln!(formatter, "  end")
    }
}

fn write_injections(formatter: &mut Formatter<'_>, injections: &Injections) -> fmt::Result {
    let mut allowed = injections.iter().peekable();
    if allowed.peek().is_some() {
        write!(formatter, "    inject")?;
        allowed.try_for_each(|injection| write!(formatter, " {}", injection.word()))?;
        writeln!(formatter)?;
    }
    match injections.failing_allocation {
        Some(number) => writeln!(formatter, "    fail-allocation {number}"),
        None => Ok(()),
    }
}

fn write_list(formatter: &mut Formatter<'_>, name: &str, values: &[impl Display]) -> fmt::Result {
    if values.is_empty() {
        return Ok(());
    }
    write!(formatter, "    {name}")?;
    values.iter().try_for_each(|value| write!(formatter, " {value}"))?;
    writeln!(formatter)
}
