//! The oracle of progress: why an execution stopped before its end, or did not stop.
//!
//! A stop is right only where the model, after the same history, is stuck too. If a task could go on there
//! in every explanation of the history, its wake-up was lost; if none could, it is a deadlock, unless the
//! task graph may get stuck.

use super::history::History;
use super::lifecycle::{Life, Lifecycle, Stage};
use super::plan::Plan;
use crate::model::execution::{BlockedThread, Ending, Execution};
use crate::model::verdict::{Failure, OracleName, Verdict};
use crate::task_graph::{Operation, TaskId};

/// Tasks named in a message: at most.
const MAX_NAMED: usize = 6;

/// The failure of an execution that did not come to its end, but whose events were right up to there. `None`
/// if it was right to stop, or if that cannot be told.
pub(super) fn explain(
    plan: &Plan,
    execution: &Execution,
    lifecycle: &Lifecycle,
    history: &mut History,
    may_stop: bool,
) -> Option<Failure> {
    let failure = |verdict, oracle, cause: String, message| Some(Failure { verdict, oracle, message, cause });
    match &execution.ending {
        Ending::OutOfSteps(steps) | Ending::TooLong(steps) => {
            let message = format!("no end after {steps} steps of fair scheduling: {}", waiting(plan, lifecycle));
            failure(Verdict::Livelock, OracleName::Progress, "livelock".into(), message)
        }
        Ending::TooManyEvents => {
            let message = format!("more events than the task graph can make: {}", execution.events.len());
            failure(
                Verdict::Lifecycle,
                OracleName::Lifecycle,
                "more events than the task graph can make".into(),
                message,
            )
        }
        Ending::Stuck(threads) => stuck(plan, lifecycle, history, may_stop, threads),
        // The judge has dealt with these.
        Ending::Completed
        | Ending::Crashed { .. }
        | Ending::Exited(_)
        | Ending::Misused { .. }
        | Ending::Dangling { .. }
        | Ending::Unsupported(_)
        | Ending::Diverged { .. } => {
            failure(Verdict::Livelock, OracleName::Progress, "no end".into(), "the execution did not end".into())
        }
    }
}

fn stuck(
    plan: &Plan,
    lifecycle: &Lifecycle,
    history: &mut History,
    may_stop: bool,
    threads: &[BlockedThread],
) -> Option<Failure> {
    let blocked: Vec<String> = threads.iter().map(ToString::to_string).collect();
    let blocked = blocked.join(", ");
    let lost_wakeup = |what: String| {
        // Which task was to be woken depends on the task graph, not on who forgot to; see campaign/fingerprint.rs.
        let cause = format!("lost wake-up: threads in {}", primitives(threads).join(", "));
        let message = format!("stuck ({blocked}): {what}");
        Some(Failure { verdict: Verdict::LostWakeup, oracle: OracleName::Progress, message, cause })
    };
    let failure = |verdict, cause: String, what: String| {
        let message = format!("stuck ({blocked}): {what}");
        Some(Failure { verdict, oracle: OracleName::Progress, message, cause })
    };
    let lives = || lifecycle.lives.iter().zip(0..).filter(|(life, _)| !life.freed);
    let running = lives().find(|(life, task)| match life.stage {
        Stage::Between | Stage::Failing => true,
        _ => operation(plan, life, *task).is_some_and(|operation| !operation.suspends()),
    });
    let in_lock = |blocked: &BlockedThread| blocked.primitive.contains("lock") || blocked.primitive.contains("once");
    if threads.iter().any(in_lock) {
        let cause = "deadlock: threads in a lock".to_owned();
        return failure(Verdict::Deadlock, cause, waiting(plan, lifecycle));
    }
    if let Some((_, task)) = running {
        let what = format!("task {task} was running; {}", waiting(plan, lifecycle));
        return failure(Verdict::Deadlock, "deadlock: inside a running task".into(), what);
    }
    if lifecycle.lives[0].stage == Stage::Ended {
        return lost_wakeup("the task graph had come to its end; the shutdown did not".to_owned());
    }
    let at = |life: &Life, task: TaskId| plan.tasks[task as usize].first as usize + usize::from(life.next);
    let waiting_tasks: Vec<(TaskId, usize)> =
        lives().filter(|(life, _)| life.stage == Stage::Inside).map(|(life, task)| (task, at(life, task))).collect();
    let woken = history.ready(&waiting_tasks);
    // Of several that could go on, the message names the one whose kind of operation comes first; a task that nobody even
    // began to run comes before all.
    let ready = lives()
        .filter(|(life, task)| woken.contains(task) || goes_on(plan, lifecycle, life, *task))
        .min_by_key(|(life, task)| (operation(plan, life, *task).map(|operation| operation.code()), *task));
    match ready {
        Some((life, task)) => {
            let what = match operation(plan, life, task) {
                Some(operation) => format!("task {task} could proceed in `{operation}`"),
                None => format!("task {task} was never begun"),
            };
            lost_wakeup(format!("{what}; {}", waiting(plan, lifecycle)))
        }
        None if may_stop && lifecycle.has_root() || history.lost().is_some() => None,
        None => {
            let mut words: Vec<&str> = lives()
                .filter_map(|(life, task)| operation(plan, life, task))
                .filter(|operation| operation.begins().is_empty() && !matches!(operation, Operation::Join(_)))
                .map(|operation| operation.word())
                .collect();
            words.sort_unstable();
            words.dedup();
            failure(Verdict::Deadlock, format!("deadlock: {}", words.join(", ")), waiting(plan, lifecycle))
        }
    }
}

/// What threads wait in, each word once.
fn primitives(threads: &[BlockedThread]) -> Vec<&'static str> {
    let mut primitives: Vec<&str> = threads.iter().map(|blocked| blocked.primitive).collect();
    primitives.sort_unstable();
    primitives.dedup();
    primitives
}

/// The operation that a task is inside of.
fn operation<'a>(plan: &'a Plan, life: &Life, task: TaskId) -> Option<&'a Operation> {
    if life.stage == Stage::Inside { plan.operation_of(task, life.next) } else { None }
}

/// What the tasks wait for, for people.
fn waiting(plan: &Plan, lifecycle: &Lifecycle) -> String {
    let inside = lifecycle.lives.iter().zip(0..).filter(|(life, _)| !life.freed);
    let mut named: Vec<String> = inside
        .filter_map(|(life, task)| {
            operation(plan, life, task).map(|operation| format!("task {task} is in `{operation}`"))
        })
        .collect();
    let more = named.len().saturating_sub(MAX_NAMED);
    named.truncate(MAX_NAMED);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    if named.is_empty() { "no task is in an operation".into() } else { named.join(", ") }
}

/// Whether the model would let the task go on where it is, in something that is about no object.
fn goes_on(plan: &Plan, lifecycle: &Lifecycle, life: &Life, task: TaskId) -> bool {
    let ended = |child: &TaskId| lifecycle.lives[*child as usize].stage == Stage::Ended;
    if life.discarded {
        return true;
    }
    match operation(plan, life, task) {
        None => life.stage == Stage::Made,
        Some(Operation::Join(child)) => ended(child),
        Some(Operation::Start(_) | Operation::Hop(_) | Operation::Yield | Operation::Sleep(_)) => true,
        Some(Operation::WhenAny(children)) if plan.losers_run_on => children.iter().any(ended),
        Some(operation) => !operation.begins().is_empty() && operation.begins().iter().all(ended),
    }
}

#[cfg(test)]
mod tests {
    use super::super::notation::{failure, judge_ending, judge_two_stuck, stuck};
    use crate::model::execution::{BlockedThread, Ending};
    use crate::model::verdict::{Incomparable, Judgement, Verdict};

    fn told(judgement: Judgement) -> (Verdict, String) {
        let failure = failure(judgement);
        (failure.verdict, failure.cause)
    }

    /// What the message of a lost wake-up says, whose cause is the same for all of them.
    fn lost(judgement: Judgement) -> String {
        let failure = failure(judgement);
        assert_eq!(
            (failure.verdict, failure.cause.as_str()),
            (Verdict::LostWakeup, "lost wake-up: threads in sem_wait")
        );
        let what = failure.message.strip_prefix("stuck (thread 0 in sem_wait): ").expect("who is stuck");
        what.split("; task").next().unwrap_or_default().to_owned()
    }

    #[test]
    fn tasks_that_wait_for_one_another_are_a_deadlock() {
        let both = ("lock 0, lock 1, unlock 1, unlock 0", "lock 1, lock 0, unlock 0, unlock 1");
        let judged = judge_two_stuck("mutexes 2", both.0, both.1, "1.0( 1.0) 2.0( 2.0) 1.1( 2.1(");
        assert_eq!(told(judged), (Verdict::Deadlock, "deadlock: lock".into()));
    }

    #[test]
    fn a_wait_that_could_go_on_has_lost_its_wake_up() {
        let free = judge_two_stuck("mutexes 1", "lock 0, unlock 0", "lock 0, unlock 0", "1.0( 1.0) 2.0( 1.1( 1.1) 1]");
        assert_eq!(lost(free), "task 2 could proceed in `lock 0`");
        let sent = judge_two_stuck("channels 1", "send 0 7", "receive 0", "2.0( 1.0( 1.0)=1 1]");
        assert_eq!(lost(sent), "task 2 could proceed in `receive 0`");
        let missing = judge_two_stuck("channels 1", "yield", "receive 0", "2.0( 1.0( 1.0) 1]");
        assert_eq!(told(missing), (Verdict::Deadlock, "deadlock: receive".into()));
    }

    #[test]
    fn a_wait_that_may_have_come_too_late_for_a_set_is_no_lost_wake_up() {
        let taken_back = "1.0( 2.0( 2.0) 2.1( 2.1) 2]";
        let late = judge_two_stuck("events manual", "wait-event 0", "set-event 0, reset-event 0", taken_back);
        assert_eq!(told(late), (Verdict::Deadlock, "deadlock: wait-event".into()));
        let free = judge_two_stuck("events manual", "wait-event 0", "set-event 0", "1.0( 2.0( 2.0) 2]");
        assert_eq!(lost(free), "task 1 could proceed in `wait-event 0`");
    }

    #[test]
    fn a_task_that_was_never_begun_or_whose_children_ended_has_lost_its_wake_up() {
        let graph = "task 0 main int\nawait 1\ntask 1 worker int";
        let lost = |history| lost(judge_ending(graph, history, stuck()));
        assert_eq!(lost("+0 0[ 0.0( +1"), "task 1 was never begun");
        assert_eq!(lost("+0 0[ 0.0( +1 1[@1 1]=0"), "task 0 could proceed in `await 1`");
        assert!(lost("+0 0[ 0.0( +1 1[@1 1]=0 0.0)=0 0]=0").ends_with("the shutdown did not"), "all tasks have ended");
    }

    #[test]
    fn threads_in_a_lock_are_a_deadlock_whatever_the_tasks_do() {
        let threads = vec![BlockedThread { thread: 1, primitive: "pthread_mutex_lock", descriptor: None }];
        let judged = judge_ending("task 0 main int\nyield", "+0 0[ 0.0(", Ending::Stuck(threads));
        assert_eq!(told(judged), (Verdict::Deadlock, "deadlock: threads in a lock".into()));
    }

    #[test]
    fn an_execution_without_end_is_a_livelock() {
        let judged = judge_ending("task 0 main int\nyield", "+0 0[ 0.0(", Ending::OutOfSteps(1000));
        assert_eq!(told(judged), (Verdict::Livelock, "livelock".into()));
    }

    #[test]
    fn wrong_events_come_before_the_way_it_stopped() {
        let judged = judge_ending("task 0 main int\nyield", "+0 0[ 0.0( 0.0)=3", Ending::TooManyEvents);
        assert_eq!(told(judged), (Verdict::WrongResult, "a wrong value: yield".into()));
        let judged = judge_ending("task 0 main int\nyield", "+0 0[ 0.0(", Ending::TooManyEvents);
        assert_eq!(told(judged).0, Verdict::Lifecycle);
    }

    #[test]
    fn what_was_not_carried_out_is_not_compared() {
        let judged = judge_ending("task 0 main int", "+0", Ending::Unsupported("pthread_cancel".into()));
        assert_eq!(judged, Judgement::Incomparable(Incomparable::UnsupportedPrimitive, "pthread_cancel".into()));
    }
}
