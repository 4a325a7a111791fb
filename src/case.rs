//! A case: a workload, its schedule and the settings, in one text file that replays.
//!
//! ```text
//! threadbare case 1
//! runtime bundled
//! threads 2
//! sanitizer none
//! engine fibers
//! strategy random
//! seed 17
//! bug lost-notify
//! verdict lost-wakeup
//! oracle progress
//! fingerprint 0123456789abcdef
//! task-graph
//!   ...
//!   end
//! schedule
//!   0*12#3fa1 wake*1 1*4#0b7c cut
//!   end
//! report
//! | what the oracle or the sanitizer said
//! ```
//!
//! The workload is a task graph, as here, or a check: then its block stands in place of the task graph's (see
//! [`crate::check::text`]), the runtime is `check`, `threads` is 1 and there is no bug.
//!
//! A choice of the schedule is a run, `thread*points#digest`, a wake, `wake*thread`, or a failure of the file
//! call that comes next, such as `inject*eio`. The lines `bug`, `oracle` and the blocks `schedule` and `report`
//! are left out where there is nothing to say.

mod read;

use std::fmt::{self, Display, Formatter};
use std::path::Path;

use anyhow::{Result, anyhow};

use crate::check::Check;
use crate::model::schedule::{Choice, Schedule};
use crate::model::settings::{MemoryModel, Races, Settings};
use crate::model::verdict::{OracleName, Verdict};
use crate::model::word;
use crate::regular::{self, Unread};
use crate::task_graph::TaskGraph;
use crate::task_graph::text::Mistake;

/// The version that this threadbare writes, and the newest that it reads.
pub const VERSION: u32 = 1;
/// Bytes of a case file: at most.
pub const MAX_BYTES: u64 = 64 << 20;
/// Columns after which the lines of a schedule are wrapped.
const WIDTH: usize = 100;

/// One execution that can be repeated, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub settings: Settings,
    pub workload: Workload,
    /// None: the strategy makes the choices, from the seed of the settings.
    pub schedule: Option<Schedule>,
    pub verdict: Verdict,
    pub oracle: Option<OracleName>,
    /// Equal for findings of the same cause.
    pub fingerprint: String,
    /// What was reported, for people. Carriage returns are not kept.
    pub report: String,
}

/// What a case executes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Workload {
    TaskGraph(TaskGraph),
    Check(Check),
}

impl From<TaskGraph> for Workload {
    fn from(graph: TaskGraph) -> Self {
        Self::TaskGraph(graph)
    }
}

impl From<Check> for Workload {
    fn from(check: Check) -> Self {
        Self::Check(check)
    }
}

impl Display for Workload {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::TaskGraph(graph) => graph.fmt(formatter),
            Self::Check(check) => check.fmt(formatter),
        }
    }
}

impl Case {
    /// Reads a case from its text.
    ///
    /// # Errors
    /// The first mistake: its line, what is wrong there and what would be right.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        read::case(text)
    }

    /// Reads a case file.
    ///
    /// # Errors
    /// The file cannot be read, is larger than [`MAX_BYTES`], is no UTF-8, or holds no case; the error names it.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display();
        let bytes = regular::read(path, MAX_BYTES).map_err(|why| match why {
            Unread::Irregular => anyhow!("{name}: {}, so no case; name a case file", regular::IRREGULAR),
            Unread::TooLarge => {
                anyhow!("{name}: larger than {} MiB, which no case is; name a case file", MAX_BYTES >> 20)
            }
            Unread::Failed(error) => anyhow!(error).context(format!("{name}: cannot be read")),
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
            anyhow!("{name}: line {line}: not UTF-8 text, so no case; name a case file")
        })?;
        Self::parse(&text).map_err(|mistake| anyhow!("{name}: {mistake}"))
    }
}

/// The case's text, as [`Case::parse`] reads it.
impl Display for Case {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let settings = &self.settings;
        writeln!(formatter, "threadbare case {VERSION}")?;
        writeln!(formatter, "runtime {}", settings.runtime)?;
        writeln!(formatter, "threads {}", settings.threads)?;
        writeln!(formatter, "sanitizer {}", word(&settings.sanitizer))?;
        writeln!(formatter, "engine {}", word(&settings.engine))?;
        writeln!(formatter, "strategy {}", word(&settings.strategy))?;
        writeln!(formatter, "seed {}", settings.seed)?;
        if settings.memory != MemoryModel::Sc {
            writeln!(formatter, "memory {}", word(&settings.memory))?;
        }
        if settings.races != Races::Off {
            writeln!(formatter, "races {}", word(&settings.races))?;
        }
        if let Some(bug) = &settings.bug {
            writeln!(formatter, "bug {bug}")?;
        }
        writeln!(formatter, "verdict {}", word(&self.verdict))?;
        if let Some(oracle) = &self.oracle {
            writeln!(formatter, "oracle {}", word(oracle))?;
        }
        writeln!(formatter, "fingerprint {}", self.fingerprint)?;
        write!(formatter, "{}", self.workload)?;
        if let Some(schedule) = &self.schedule {
            write_schedule(formatter, schedule)?;
        }
        if !self.report.is_empty() {
            writeln!(formatter, "report")?;
            for line in self.report.split('\n') {
                writeln!(formatter, "| {}", line.replace('\r', ""))?;
            }
        }
        Ok(())
    }
}

fn write_schedule(formatter: &mut Formatter<'_>, schedule: &Schedule) -> fmt::Result {
    writeln!(formatter, "schedule")?;
    let mut column = 0;
    let words = schedule.choices.iter().map(|choice| match choice {
        Choice::Run { thread, points, digest } => format!("{thread}*{points}#{digest:04x}"),
        Choice::Wake { thread } => format!("wake*{thread}"),
        Choice::Inject { injection } => format!("inject*{}", injection.word()),
        Choice::Older { by } => format!("older*{by}"),
    });
    for word in words.chain(schedule.cut.then(|| "cut".to_owned())) {
        if column > 0 && column + 1 + word.len() > WIDTH {
            writeln!(formatter)?;
            column = 0;
        }
        let gap = if column == 0 { "  " } else { " " };
        write!(formatter, "{gap}{word}")?;
        column += gap.len() + word.len();
    }
    if column > 0 {
        writeln!(formatter)?;
    }
    writeln!(formatter, "  end")
}
