//! Watches a running worker from outside: does it move, and how much memory does it take.

use std::fs;
use std::time::{Duration, Instant};

use super::death::Killed;
use crate::campaign::job::Job;
use crate::model::settings::Engine;

/// How often the files in /proc are read.
const INTERVAL: Duration = Duration::from_millis(50);
/// A worker that burns so much CPU time without reaching a scheduling point hangs.
const MAX_IDLE_CPU: Duration = Duration::from_secs(10);
/// The same for a program, of which the one thread that loops is all that runs.
const MAX_IDLE_CPU_OF_PROGRAM: Duration = Duration::from_secs(2);
/// A worker that does not reach a point for so long hangs, even if it burns no CPU time.
const MAX_IDLE: Duration = Duration::from_secs(60);
/// The same for engine `free`, where a stop is seen only by nobody using the CPU.
const MAX_IDLE_FREE: Duration = Duration::from_secs(2);
/// Who looks no more often than this is kept off the CPU, as workers may be then.
const KEPT_FROM_LOOKING: Duration = Duration::from_secs(1);
/// The unit of the times in /proc/PID/stat; the same on every Linux that Rust supports.
const TICKS_PER_SECOND: u64 = 100;
/// The unit of the sizes in /proc/PID/statm, for a worst case; larger pages only make the limit larger.
const PAGE: u64 = 4096;
/// Bytes by which a process that fills memory grows from one look to the next, at least.
const NOTICEABLE: u64 = 1 << 20;
/// No worker may take more, however large the machine.
const MAX_MEMORY: u64 = 8 << 30;

/// The memory in bytes that each of `jobs` workers may take, so that all of them fit the machine.
#[must_use]
pub fn memory_limit(jobs: usize) -> u64 {
    let total = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    });
    total.map_or(MAX_MEMORY, |kib| (kib * 1024 / 4 * 3 / jobs.max(1) as u64).min(MAX_MEMORY))
}

/// What was last seen of one worker.
pub struct Watch {
    pid: u32,
    engine: Engine,
    max_idle_cpu: Duration,
    memory_limit: u64,
    looked: Instant,
    heartbeat: u64,
    moved: Instant,
    /// CPU time when `heartbeat` last changed.
    cpu: Duration,
    /// When the CPU time last changed, and to what.
    busy: (Instant, Duration),
    /// Bytes that were resident, at most.
    peak: u64,
}

/// What the system tells of a process.
#[derive(Clone, Copy, Default)]
struct Memory {
    /// Bytes that are its own.
    own: u64,
    /// All that is resident, what it shares as well.
    resident: u64,
}

impl Watch {
    #[must_use]
    pub fn new(pid: u32, job: &Job, memory_limit: u64) -> Self {
        let now = Instant::now();
        Self {
            pid,
            engine: job.settings.engine,
            max_idle_cpu: if job.is_of_program() { MAX_IDLE_CPU_OF_PROGRAM } else { MAX_IDLE_CPU },
            memory_limit,
            looked: now,
            heartbeat: 0,
            moved: now,
            cpu: Duration::ZERO,
            busy: (now, Duration::ZERO),
            peak: 0,
        }
    }

    /// Looks, unless it did just now. Says why the worker should be ended, if it should.
    pub fn look(&mut self, heartbeat: u64) -> Option<Killed> {
        let since = self.looked.elapsed();
        if since < INTERVAL {
            return None;
        }
        self.looked = Instant::now();
        self.leave_out(since);
        let mut processes = vec![self.pid];
        processes.extend(children_of(self.pid));
        let memory: Vec<Memory> = processes.iter().filter_map(|&pid| memory_of(pid)).collect();
        if memory.iter().map(|memory| memory.own).sum::<u64>() > self.memory_limit {
            return Some(Killed::Memory(self.memory_limit));
        }
        let now = Instant::now();
        // Whoever stopped it from outside may let it go on.
        if is_stopped(self.pid) {
            (self.moved, self.busy.0) = (now, now);
            return None;
        }
        let cpu = cpu_of(self.pid)? + processes[1..].iter().filter_map(|&pid| cpu_of(pid)).sum();
        self.fills(memory.iter().map(|memory| memory.resident).sum(), cpu);
        let killed = self.judge(heartbeat, cpu, now)?;
        // What burns no CPU time because others have the processors does not hang.
        if cpu.saturating_sub(self.cpu) < self.max_idle_cpu && processes.iter().any(|&pid| is_runnable(pid)) {
            (self.moved, self.busy.0) = (now, now);
            return None;
        }
        Some(killed)
    }

    /// A time without a look counts only if it is a short one.
    fn leave_out(&mut self, since: Duration) {
        if since > KEPT_FROM_LOOKING {
            self.moved += since;
            self.busy.0 += since;
        }
    }

    /// Memory that is touched for the first time is no loop, however long the system and the sanitizer take for it.
    fn fills(&mut self, resident: u64, cpu: Duration) {
        if resident > self.peak + NOTICEABLE {
            self.peak = resident;
            self.cpu = cpu;
        }
    }

    fn judge(&mut self, heartbeat: u64, cpu: Duration, now: Instant) -> Option<Killed> {
        if cpu != self.busy.1 {
            self.busy = (now, cpu);
        }
        if heartbeat != self.heartbeat {
            self.heartbeat = heartbeat;
            self.moved = now;
            self.cpu = cpu;
            return None;
        }
        let still = now.duration_since(self.moved);
        let idle = now.duration_since(self.busy.0).min(still);
        let burnt = cpu.saturating_sub(self.cpu);
        if self.engine == Engine::Free && idle >= MAX_IDLE_FREE {
            let seconds = MAX_IDLE_FREE.as_secs();
            Some(Killed::Hang(format!("uncontrolled threads made no progress and used no CPU time for {seconds} s")))
        } else if burnt >= self.max_idle_cpu {
            Some(Killed::Hang(format!(
                "no scheduling point was reached in {} s of CPU time",
                self.max_idle_cpu.as_secs()
            )))
        } else if still >= MAX_IDLE {
            Some(Killed::Hang(format!("no scheduling point was reached for {} s", MAX_IDLE.as_secs())))
        } else {
            None
        }
    }
}

/// A worker may let another one execute.
fn children_of(pid: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

fn cpu_of(pid: u32) -> Option<Duration> {
    let ticks = ticks_in(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?;
    Some(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

/// User and system time in a line of /proc/PID/stat: fields 14 and 15, see proc(5).
fn ticks_in(stat: &str) -> Option<u64> {
    // The name in the second field may hold anything, spaces and brackets too.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut time = || fields.next()?.parse::<u64>().ok();
    Some(time()? + time()?)
}

/// Whether the process was sent a signal that stops it, as far as /proc/PID/stat tells.
fn is_stopped(pid: u32) -> bool {
    matches!(state_in(&fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default()), Some('T' | 't'))
}

/// Whether some thread of the process runs or would, if others let it.
fn is_runnable(pid: u32) -> bool {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let mut stats = tasks.filter_map(|task| fs::read_to_string(task.path().join("stat")).ok());
    stats.any(|stat| state_in(&stat) == Some('R'))
}

/// The state in a line of /proc/PID/stat: field 3.
fn state_in(stat: &str) -> Option<char> {
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

fn memory_of(pid: u32) -> Option<Memory> {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let resident: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    let shared: u64 = statm.split_whitespace().nth(2)?.parse().ok()?;
    Some(Memory { own: resident.saturating_sub(shared) * PAGE, resident: resident * PAGE })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::job::{Replay, Work};
    use crate::check;
    use crate::model::settings::{MemoryModel, Races, Sanitizer, Settings, StrategyName};
    use crate::target::Built;

    const SECOND: Duration = Duration::from_secs(1);

    fn watch_of(engine: Engine, runtime: &str) -> (Watch, Instant) {
        let settings = Settings {
            runtime: runtime.to_owned(),
            threads: 1,
            sanitizer: Sanitizer::None,
            engine,
            strategy: StrategyName::Random,
            seed: 0,
            memory: MemoryModel::Sc,
            races: Races::Off,
            bug: None,
        };
        let target = Built { object: "program.so".into(), loader: "ld.so".into(), ..Built::default() };
        let work = Work::Replay(Replay { from: 0, times: 1, explains: false });
        let watch = Watch::new(1, &Job { settings, target, work }, u64::MAX);
        let start = watch.moved;
        (watch, start)
    }

    fn watch(engine: Engine) -> (Watch, Instant) {
        watch_of(engine, "bundled")
    }

    #[test]
    fn a_worker_that_moves_is_left_alone() {
        let (mut watch, start) = watch(Engine::Fibers);
        for second in 1..300 {
            assert_eq!(watch.judge(second.into(), SECOND * second, start + SECOND * second), None);
        }
    }

    #[test]
    fn filling_memory_is_no_loop_and_going_over_it_again_is_one() {
        let (mut watch, start) = watch_of(Engine::Fibers, check::RUNTIME);
        for second in 1..10 {
            watch.fills(u64::from(second) << 30, SECOND * second);
            assert_eq!(watch.judge(1, SECOND * second, start + SECOND * second), None, "{second}");
        }
        watch.fills(9 << 30, SECOND * 12);
        assert!(watch.judge(1, SECOND * 12, start + SECOND * 12).is_some());
    }

    #[test]
    fn burning_cpu_time_without_a_point_is_a_hang_after_ten_seconds() {
        let (mut watch, start) = watch(Engine::Fibers);
        assert_eq!(watch.judge(0, SECOND * 9, start + SECOND * 9), None);
        assert!(matches!(watch.judge(0, SECOND * 10, start + SECOND * 10), Some(Killed::Hang(_))));
    }

    #[test]
    fn a_program_under_check_hangs_after_two_seconds() {
        let (mut watch, start) = watch_of(Engine::Fibers, check::RUNTIME);
        assert_eq!(watch.judge(0, SECOND, start + SECOND), None);
        assert!(matches!(watch.judge(0, SECOND * 2, start + SECOND * 2), Some(Killed::Hang(_))));
    }

    #[test]
    fn a_worker_that_is_kept_off_the_cpu_gets_a_minute() {
        let (mut watch, start) = watch(Engine::Threads);
        assert_eq!(watch.judge(0, Duration::ZERO, start + SECOND * 59), None);
        assert!(matches!(watch.judge(0, Duration::ZERO, start + SECOND * 60), Some(Killed::Hang(_))));
    }

    #[test]
    fn uncontrolled_threads_hang_once_nothing_moves_and_nothing_computes() {
        let (mut watch, start) = watch(Engine::Free);
        assert_eq!(watch.judge(5, SECOND, start + SECOND), None);
        assert_eq!(watch.judge(5, SECOND * 2, start + SECOND * 2), None, "it still computes");
        assert_eq!(watch.judge(5, SECOND * 2, start + SECOND * 3), None);
        assert!(matches!(watch.judge(5, SECOND * 2, start + SECOND * 4), Some(Killed::Hang(_))));
    }

    #[test]
    fn the_times_of_a_process_are_found_behind_a_hostile_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 1 0 9 0 0";
        assert_eq!(ticks_in(stat), Some(300));
        assert_eq!(ticks_in("7 (a"), None);
    }

    #[test]
    fn while_the_supervisor_stands_still_nothing_hangs() {
        let (mut watch, start) = watch(Engine::Threads);
        watch.leave_out(SECOND / 10);
        watch.leave_out(SECOND * 90);
        assert_eq!(watch.judge(0, Duration::ZERO, start + SECOND * 149), None);
        assert!(matches!(watch.judge(0, Duration::ZERO, start + SECOND * 150), Some(Killed::Hang(_))));
    }

    #[test]
    fn who_runs_is_told_from_who_sleeps() {
        assert!(is_runnable(std::process::id()), "it runs this");
        let mut sleeps = std::process::Command::new("sleep").arg("100").spawn().expect("sleep runs");
        let start = Instant::now();
        while is_runnable(sleeps.id()) && start.elapsed() < SECOND * 20 {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(!is_runnable(sleeps.id()));
        sleeps.kill().expect("it ran");
        sleeps.wait().expect("it ended");
    }

    #[test]
    fn this_process_has_a_time_and_a_size() {
        assert!(cpu_of(std::process::id()).is_some());
        assert!(memory_of(std::process::id()).is_some_and(|memory| memory.own > 0));
    }

    #[test]
    fn the_children_of_a_process_are_found() {
        let mut shell = std::process::Command::new("sh");
        let mut shell = shell.args(["-c", "sleep 100 & wait"]).spawn().expect("sh runs");
        let start = Instant::now();
        while children_of(shell.id()).is_empty() && start.elapsed() < SECOND * 20 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let children = children_of(shell.id());
        shell.kill().expect("it ran");
        shell.wait().expect("it ended");
        assert_eq!(children.len(), 1);
        for child in children {
            let killed = std::process::Command::new("kill").arg(child.to_string()).status().expect("kill runs");
            assert!(killed.success());
        }
    }
}
