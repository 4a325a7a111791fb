//! What the controller makes of the programs: executes them in a process of its own, and reads what they left in memory.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use threadbare::check;
use threadbare::control::{Loading, Mode, Session};
use threadbare::model::execution::{Ending, Execution, Exit};
use threadbare::model::settings::{Engine, Settings, StrategyName};

use super::program::{ATOMICS, Outcome, PLAINS, RECORDS, STUCK, THREADS};
use crate::harness::{open, settings};

/// Scheduling points of an execution: none of the programs comes near.
const STEP_BUDGET: u64 = 20_000;
const EXPECTED_POINTS: u64 = 40;

/// What such a process is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    pub object: PathBuf,
    pub engine: Engine,
    pub strategy: StrategyName,
    /// By program, how many threads it has.
    pub threads: Vec<usize>,
    /// The first program that is executed.
    pub first: usize,
    /// Executions of each program: at most.
    pub executions: u64,
}

/// What came of one program.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Explored {
    pub executions: u64,
    /// The strategy says that it tried everything.
    pub search_ended: bool,
    /// An execution stopped midway where the process cannot go on.
    pub spent: bool,
    /// Reports of the sanitizer.
    pub reports: u64,
    /// How often each came, as pairs, since keys of JSON are texts.
    pub outcomes: Vec<(Outcome, u64)>,
}

/// Executes the programs one after the other, and ends early with one after which the process cannot go on.
pub fn explore(job: &Job) -> Vec<Explored> {
    let settings = Settings { runtime: check::RUNTIME.to_owned(), ..settings(job.engine, job.strategy) };
    let mut session = open(&settings, Loading::Later);
    session.load_image(&job.object, &[]).expect("it loads");
    let memory = Memory::of(&job.object);
    let mut all = Vec::new();
    for program in job.first..job.threads.len() {
        let explored = explore_one(&mut session, &memory, program, job);
        let spent = explored.spent;
        all.push(explored);
        if spent {
            break;
        }
    }
    all
}

fn explore_one(session: &mut Session, memory: &Memory, program: usize, job: &Job) -> Explored {
    session.set_arguments(&[program.to_string()]).expect("a number");
    session.forget();
    let mut explored = Explored::default();
    let mut outcomes = BTreeMap::new();
    while explored.executions < job.executions && !explored.search_ended && !explored.spent {
        let seed = explored.executions;
        let execution = session.execute_image(seed, Mode::Explore { seed }, STEP_BUDGET, EXPECTED_POINTS);
        explored.reports += u64::from(execution.reports);
        *outcomes.entry(memory.outcome(execution, program, job.threads[program])).or_default() += 1;
        explored.executions += 1;
        explored.search_ended = session.search_ended();
        explored.spent = session.is_spent();
    }
    explored.outcomes = outcomes.into_iter().collect();
    explored
}

/// What the programs declare for the test; see prelude.hpp.
struct Memory {
    counts: *const [i32; THREADS],
    records: *const [[i32; RECORDS]; THREADS],
    atomics: *const [Apart; ATOMICS],
    /// Of the first program; the others' come after it.
    plains: *const [Apart; PLAINS],
}

#[repr(C, align(64))]
struct Apart(i32);

impl Memory {
    fn of(object: &Path) -> Self {
        let name = CString::new(object.as_os_str().as_bytes()).expect("a path");
        // SAFETY: the object is loaded already, so none of its code runs.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD) };
        assert!(!handle.is_null(), "the object was loaded");
        let find = |name: &std::ffi::CStr| {
            // SAFETY: a handle that was just opened.
            let found = unsafe { libc::dlsym(handle, name.as_ptr()) };
            assert!(!found.is_null(), "{name:?} is declared");
            found
        };
        Self {
            counts: find(c"judge_counts").cast(),
            records: find(c"judge_records").cast(),
            atomics: find(c"judge_atomics").cast(),
            plains: find(c"judge_plains").cast(),
        }
    }

    fn outcome(&self, execution: &Execution, program: usize, threads: usize) -> Outcome {
        let stopped = match &execution.ending {
            Ending::Exited(Exit::Status(0)) => None,
            Ending::Stuck(_) => Some(STUCK.to_owned()),
            other => Some(format!("{other:?}")),
        };
        // SAFETY: variables of an object that stays loaded, declared with these types; none of its threads runs.
        let (counts, records, atomics, plains) =
            unsafe { (self.counts.read(), self.records.read(), self.atomics.read(), self.plains.add(program).read()) };
        let record = |thread: usize| records[thread][..counts[thread] as usize].to_vec();
        Outcome {
            stopped,
            records: (0..threads).map(record).collect(),
            atomics: atomics.map(|atomic| atomic.0),
            plains: plains.map(|plain| plain.0),
        }
    }
}
