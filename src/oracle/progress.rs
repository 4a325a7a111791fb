//! The oracle of progress: why an execution stopped before its end, or did not stop.
//!
//! Generated programs cannot get stuck on a correct runtime, so a stop is always wrong. What it is called
//! follows from the model: if a task could go on there after the same history, its wake-up was lost; if none
//! could, it is a deadlock.

use super::lifecycle::{Life, Lifecycle, Stage};
use super::plan::Plan;
use crate::execution::{BlockedThread, Ending, Event, EventKind, Execution};
use crate::finding::{Failure, OracleName, Verdict};
use crate::program::{CLOSED, Operation, TaskId};

/// Tasks named in a message: at most.
const MAX_NAMED: usize = 6;

/// The failure of an execution that did not come to its end, but whose events were right up to there.
pub(super) fn explain(plan: &Plan, execution: &Execution, lifecycle: &Lifecycle) -> Failure {
    let failure = |verdict, oracle, cause: String, message| Failure { verdict, oracle, message, cause };
    match &execution.ending {
        Ending::OutOfSteps(steps) => {
            let message = format!("no end after {steps} steps of fair scheduling: {}", waiting(plan, lifecycle));
            failure(Verdict::Livelock, OracleName::Progress, "livelock".into(), message)
        }
        Ending::TooManyEvents => {
            let message = format!("more events than the program can make: {}", execution.events.len());
            failure(Verdict::Lifecycle, OracleName::Lifecycle, "more events than the program can make".into(), message)
        }
        Ending::Stuck(threads) => stuck(plan, &execution.events, lifecycle, threads),
        // The judge has dealt with these.
        Ending::Completed | Ending::Crashed { .. } | Ending::Unsupported(_) | Ending::Diverged { .. } => {
            failure(Verdict::Livelock, OracleName::Progress, "no end".into(), "the execution did not end".into())
        }
    }
}

fn stuck(plan: &Plan, events: &[Event], lifecycle: &Lifecycle, threads: &[BlockedThread]) -> Failure {
    let blocked: Vec<String> =
        threads.iter().map(|blocked| format!("thread {} in {}", blocked.thread, blocked.primitive)).collect();
    let blocked = blocked.join(", ");
    let failure = |verdict, cause: String, what: String| Failure {
        verdict,
        oracle: OracleName::Progress,
        message: format!("stuck ({blocked}): {what}"),
        cause,
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
        let what = "the program had come to its end; the shutdown did not".to_owned();
        return failure(Verdict::LostWakeup, "lost wake-up: shutdown".into(), what);
    }
    let history = History::of(plan, events);
    // Of several that could go on, the cause names the one whose kind of operation comes first, whatever
    // the program's numbers are; a task that nobody even began to run comes before all.
    let ready = lives()
        .filter(|(life, task)| history.lets_go_on(plan, lifecycle, life, *task))
        .min_by_key(|(life, task)| (operation(plan, life, *task).map(|operation| operation.code()), *task));
    match ready {
        Some((life, task)) => {
            let (cause, what) = match operation(plan, life, task) {
                Some(operation) => (operation.word(), format!("task {task} could go on in `{operation}`")),
                None => ("beginning", format!("task {task} was never begun")),
            };
            let what = format!("{what}; {}", waiting(plan, lifecycle));
            failure(Verdict::LostWakeup, format!("lost wake-up: {cause}"), what)
        }
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

/// What the objects have come to, by the operations that returned.
struct History {
    /// Mutexes that somebody holds.
    held: Vec<bool>,
    permits: Vec<i64>,
    set: Vec<bool>,
    latches: Vec<u32>,
    arrivals: Vec<u32>,
    /// By the place of an arrival: the arrivals by its own return, its own included.
    arrived: Vec<u32>,
    /// Values in each channel, and whether it is closed.
    channels: Vec<(i64, bool)>,
}

impl History {
    fn of(plan: &Plan, events: &[Event]) -> Self {
        let objects = &plan.objects;
        let mut history = Self {
            held: vec![false; objects.mutexes as usize],
            permits: objects.semaphores.iter().copied().map(i64::from).collect(),
            set: vec![false; objects.events.len()],
            latches: objects.latches.clone(),
            arrivals: vec![0; objects.barriers.len()],
            arrived: vec![0; plan.operations.len()],
            channels: vec![(0, false); objects.channels.len()],
        };
        let mut holding: Vec<(TaskId, u32)> = vec![];
        for event in events {
            match event.kind {
                EventKind::OperationEnd => history.returned(plan, event, &mut holding),
                EventKind::TaskFail => holding.retain(|&(task, mutex)| {
                    if task == event.task {
                        history.held[mutex as usize] = false;
                    }
                    task != event.task
                }),
                _ => {}
            }
        }
        history
    }

    fn returned(&mut self, plan: &Plan, event: &Event, holding: &mut Vec<(TaskId, u32)>) {
        match *plan.operation(event) {
            Operation::Lock(id) => {
                self.held[id as usize] = true;
                holding.push((event.task, id));
            }
            Operation::Unlock(id) => {
                self.held[id as usize] = false;
                holding.retain(|&held| held != (event.task, id));
            }
            Operation::Acquire(id) => self.permits[id as usize] -= 1,
            Operation::Release(id) => self.permits[id as usize] += 1,
            Operation::SetEvent(id) => self.set[id as usize] = true,
            Operation::ResetEvent(id) => self.set[id as usize] = false,
            Operation::WaitEvent(id) if plan.is_auto(id) => self.set[id as usize] = false,
            Operation::LatchArrive(id) => {
                let left = &mut self.latches[id as usize];
                *left = left.saturating_sub(1);
            }
            Operation::BarrierArrive(id) => {
                self.arrivals[id as usize] += 1;
                self.arrived[plan.at(event)] = self.arrivals[id as usize];
            }
            Operation::Send(id, _) => self.channels[id as usize].0 += event.value,
            Operation::Receive(id) if event.value != CLOSED => self.channels[id as usize].0 -= 1,
            Operation::Close(id) => self.channels[id as usize].1 = true,
            _ => {}
        }
    }

    /// Whether the model would let the task go on where it is.
    fn lets_go_on(&self, plan: &Plan, lifecycle: &Lifecycle, life: &Life, task: TaskId) -> bool {
        if life.stage == Stage::Made {
            return true;
        }
        let Some(operation) = operation(plan, life, task) else { return false };
        let ended = |child: &TaskId| lifecycle.lives[*child as usize].stage == Stage::Ended;
        match operation {
            Operation::Join(child) => ended(child),
            Operation::Lock(id) => !self.held[*id as usize],
            Operation::Acquire(id) => self.permits[*id as usize] > 0,
            Operation::WaitEvent(id) => self.set[*id as usize],
            Operation::LatchWait(id) => self.latches[*id as usize] == 0,
            Operation::BarrierWait(id) => {
                let participants = plan.objects.barriers[*id as usize];
                let place = plan.tasks[task as usize].first as usize + usize::from(life.next);
                let own = self.arrived[plan.operations[place].arrival as usize];
                self.arrivals[*id as usize] >= own.div_ceil(participants) * participants
            }
            Operation::Send(id, _) => {
                let (values, closed) = self.channels[*id as usize];
                closed || values < i64::from(plan.objects.channels[*id as usize])
            }
            Operation::Receive(id) => {
                let (values, closed) = self.channels[*id as usize];
                closed || values > 0
            }
            // The others wait for nothing, or for children that have all ended.
            _ => operation.begins().iter().all(ended),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::history::{failure, judge_ending, judge_two_stuck};
    use crate::execution::{BlockedThread, Ending};
    use crate::finding::{Incomparable, Judgement, Verdict};

    fn told(judgement: Judgement) -> (Verdict, String) {
        let failure = failure(judgement);
        (failure.verdict, failure.cause)
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
        assert_eq!(told(free), (Verdict::LostWakeup, "lost wake-up: lock".into()));
        let sent = judge_two_stuck("channels 1", "send 0 7", "receive 0", "2.0( 1.0( 1.0)=1 1]");
        assert_eq!(told(sent), (Verdict::LostWakeup, "lost wake-up: receive".into()));
        let missing = judge_two_stuck("channels 1", "yield", "receive 0", "2.0( 1.0( 1.0) 1]");
        assert_eq!(told(missing), (Verdict::Deadlock, "deadlock: receive".into()));
    }

    #[test]
    fn a_task_that_was_never_begun_or_whose_children_ended_has_lost_its_wake_up() {
        let program = "task 0 main int\nawait 1\ntask 1 worker int";
        let stuck = |history| judge_ending(program, history, Ending::Stuck(vec![]));
        assert_eq!(told(stuck("+0 0[ 0.0( +1")), (Verdict::LostWakeup, "lost wake-up: beginning".into()));
        assert_eq!(told(stuck("+0 0[ 0.0( +1 1[@1 1]=0")), (Verdict::LostWakeup, "lost wake-up: await".into()));
        let ended = stuck("+0 0[ 0.0( +1 1[@1 1]=0 0.0)=0 0]=0");
        assert_eq!(told(ended), (Verdict::LostWakeup, "lost wake-up: shutdown".into()));
    }

    #[test]
    fn threads_in_a_lock_are_a_deadlock_whatever_the_tasks_do() {
        let threads = vec![BlockedThread { thread: 1, primitive: "pthread_mutex_lock" }];
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
