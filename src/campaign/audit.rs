//! The determinism audit: two executions under the same choices must pass the same steps, and end the same in other engines
//! and under other sanitizers.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Result, bail, ensure};

use super::explorer::Campaign;
use super::interrupt;
use super::job::{Audited, Comparison, Divergence, Job, Work};
use super::loaded::Ran;
use super::plan::Cell;
use super::supervisor::Supervisor;
use super::targets::Targets;
use crate::model::execution::{Ending, Object, Step};
use crate::model::settings::{Engine, Settings};
use crate::model::word;

/// The likely causes, by what differs.
const ADDRESSES: &str = "likely an order that depends on addresses (a container ordered by pointers, a hash of one)";
const READY: &str = "likely a thread that threadbare does not control (made in a library, or by a system call)";
const OUTSIDE: &str = "likely something from outside the program: real time (`rdtsc`), random numbers, a file, \
                       or a library's state that an earlier execution changed";

/// Where an execution and the replay of its schedule differ, and why they probably do.
pub(super) fn difference(first: &Ran, second: &Ran) -> Option<Divergence> {
    of_steps(first.steps(), second.steps()).or_else(|| match &second.ending {
        Ending::Diverged { step, why } => Some(Divergence { step: *step, why: format!("{why}; {OUTSIDE}") }),
        other if *other != first.ending => {
            let why = format!("one execution ended as {}, the other as {other}; {OUTSIDE}", first.ending);
            Some(Divergence { step: first.points, why })
        }
        _ if first.events() != second.events() => divergence(first.points, "their events", OUTSIDE),
        _ => None,
    })
}

/// Replays what the audit executed, by thread count, with these engines under every sanitizer, each in fresh processes, and
/// gives how many replays there were.
///
/// # Errors
/// A schedule did not come to the same, or a worker cannot do what it is asked.
pub(super) fn compare(
    campaign: &Campaign,
    audited: &BTreeMap<u16, Vec<Audited>>,
    cells: &[Cell],
    targets: &Targets<'_>,
    engines: impl Iterator<Item = Engine>,
) -> Result<u64> {
    let mut supervisor = Supervisor::new(campaign.jobs)?;
    let pairs = engines.flat_map(|engine| cells.iter().map(move |cell| (cell, engine)));
    let mut waiting: VecDeque<(&Cell, Engine, usize)> = pairs.map(|(cell, engine)| (cell, engine, 0)).collect();
    let mut compared = 0;
    while !interrupt::requested() {
        while supervisor.has_room()
            && let Some((cell, engine, first)) = waiting.pop_front()
        {
            let left = audited.get(&cell.threads).and_then(|audited| audited.get(first..)).unwrap_or_default();
            let Some(target) = targets.of(cell.sanitizer).filter(|_| !left.is_empty()).cloned() else { continue };
            let comparison = Comparison {
                executed: campaign.searched.executed(),
                seed: campaign.seed,
                first: first as u64,
                audited: left.to_vec(),
            };
            let settings = Settings { engine, ..campaign.settings(cell, campaign.seed) };
            let job = Job { settings, target, work: Work::Compare(comparison) };
            supervisor.start((cell, engine, first), job, None)?;
        }
        if supervisor.is_idle() {
            break;
        }
        for ((cell, engine, first), ended) in supervisor.poll()? {
            let done = ended.outcome.executions;
            // A sanitizer that ends the process has seen more than the others could; that schedule is not compared.
            compared += done.saturating_sub(u64::from(ended.found.is_some()));
            ensure!(done > 0 || ended.found.is_some(), "a worker that was to replay schedules made none");
            if let Some(Divergence { step, why }) = &ended.outcome.diverged {
                let number = first as u64 + done;
                let under = format!("{} under {}", word(&engine), word(&cell.sanitizer));
                bail!("schedule {number} replayed with {under} diverged at step {step}: {why}");
            }
            waiting.push_back((cell, engine, first + done.max(1) as usize));
        }
    }
    Ok(compared)
}

/// The first step at which two logs differ.
fn of_steps(first: &[Step], second: &[Step]) -> Option<Divergence> {
    let mut moved = false;
    for (number, (step, other)) in (1..).zip(first.iter().zip(second)) {
        let what = if step.thread != other.thread {
            format!("thread {} and thread {}", step.thread, other.thread)
        } else if step.kind != other.kind {
            format!("{} and {} by thread {}", word(&step.kind), word(&other.kind), step.thread)
        } else if !same(step.object, other.object) {
            format!("{} by thread {} on different objects", word(&step.kind), step.thread)
        } else if step.runnable != other.runnable {
            return divergence(number, "different threads can run", READY);
        } else {
            moved |= step.object != other.object;
            continue;
        };
        return divergence(number, &what, if moved { ADDRESSES } else { OUTSIDE });
    }
    if first.len() == second.len() {
        return None;
    }
    let shorter = first.len().min(second.len()) as u64;
    divergence(shorter + 1, "one execution goes on", if moved { ADDRESSES } else { OUTSIDE })
}

fn divergence(step: u64, what: &str, cause: &str) -> Option<Divergence> {
    Some(Divergence { step, why: format!("two executions of one schedule differ: {what}; {cause}") })
}

/// Whether two steps can be on the same object. Memory that was allocated may be what was freed before in one execution
/// and not in the other, so of it nothing is asked: what comes of such a difference shows in other steps.
fn same(object: Object, other: Object) -> bool {
    matches!((object, other), (Object::Memory(_), Object::Memory(_))) || object == other
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::op::OpKind;

    fn step(thread: u16, kind: OpKind, object: Object) -> Step {
        Step { thread, kind, object, runnable: 3, point: 0, frames: vec![], stack: vec![], value: None, older: 0 }
    }

    fn why(first: &[Step], second: &[Step]) -> (u64, String) {
        let divergence = of_steps(first, second).expect("a difference");
        (divergence.step, divergence.why)
    }

    #[test]
    fn the_same_steps_on_memory_elsewhere_are_the_same() {
        let at = |address| [step(0, OpKind::Lock, Object::Memory(address)), step(1, OpKind::Load, Object::Variable(8))];
        assert_eq!(of_steps(&at(0x1000), &at(0x2000)), None);
    }

    #[test]
    fn the_first_difference_names_its_step_and_the_likely_cause() {
        let start = step(0, OpKind::Load, Object::Memory(1));
        let elsewhere = step(0, OpKind::Load, Object::Memory(2));
        let store = step(0, OpKind::Store, Object::Nothing);
        let fence = step(0, OpKind::Fence, Object::Nothing);
        let (number, cause) = why(&[start.clone(), store.clone()], &[start.clone(), fence.clone()]);
        assert!(number == 2 && cause.contains("from outside"), "{cause}");
        let (number, cause) = why(&[start.clone(), store.clone()], &[elsewhere, fence]);
        assert!(number == 2 && cause.contains("addresses"), "{cause}");
        let alone = Step { runnable: 1, ..store.clone() };
        let (number, cause) = why(&[start.clone(), store.clone()], &[start.clone(), alone]);
        assert!(number == 2 && cause.contains("does not control"), "{cause}");
        let (number, cause) = why(&[start.clone(), store], &[start]);
        assert!(number == 2 && cause.contains("goes on"), "{cause}");
    }

    #[test]
    fn another_variable_is_a_difference() {
        let on = |offset| [step(0, OpKind::Load, Object::Variable(offset))];
        assert_eq!(why(&on(8), &on(16)).0, 1);
    }
}
