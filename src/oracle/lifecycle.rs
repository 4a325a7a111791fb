//! The oracle of task lifecycles: every task runs once, in the order of its operations, to its end, on the
//! right thread, by one thread at a time, and its frame is destroyed exactly once.

use super::plan::{NONE, Plan, Planned};
use super::{Wrong, wrong};
use crate::model::execution::{Event, EventKind, ThreadId};
use crate::model::verdict::{Failure, OracleName, Verdict};
use crate::task_graph::{Affinity, OUT_OF_MEMORY};

/// Where a task is, as far as its events tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Unborn,
    /// It has a frame and has not begun.
    Made,
    /// Before an operation, or before its end.
    Between,
    /// Inside an operation.
    Inside,
    /// An operation failed and so does the task.
    Failing,
    Ended,
}

/// What is known of a task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub stage: Stage,
    pub freed: bool,
    /// The operation it is in made a task and destroyed it again before it began, so it must fail.
    pub discarded: bool,
    /// Where it may run from here on.
    affinity: Affinity,
    /// The operation it is in or before.
    pub next: u16,
    /// Where it was last seen.
    pub thread: ThreadId,
}

pub(super) struct Lifecycle {
    pub lives: Vec<Life>,
    unborn: Vec<Life>,
    /// Tasks with a frame, now.
    frames: u32,
    /// A task was destroyed in the middle, which only the shutdown does.
    shut: bool,
    /// A branch was begun on the main thread, which keeps its context.
    branched_on_main: bool,
    /// An allocation was made to fail.
    ran_out: bool,
}

impl Lifecycle {
    pub fn new(plan: &Plan) -> Self {
        let unborn: Vec<Life> = plan
            .tasks
            .iter()
            .map(|task| Life {
                stage: Stage::Unborn,
                freed: false,
                discarded: false,
                affinity: task.affinity,
                next: 0,
                thread: 0,
            })
            .collect();
        Self { lives: unborn.clone(), unborn, frames: 0, shut: false, branched_on_main: false, ran_out: false }
    }

    /// `ran_out`: an allocation was made to fail in what comes.
    pub fn reset(&mut self, ran_out: bool) {
        self.lives.copy_from_slice(&self.unborn);
        self.frames = 0;
        self.shut = false;
        self.branched_on_main = false;
        self.ran_out = ran_out;
    }

    /// Whether the root has begun, or has a frame and may yet.
    pub fn has_root(&self) -> bool {
        self.lives[0].stage != Stage::Unborn && !(self.lives[0].stage == Stage::Made && self.lives[0].freed)
    }

    /// Gives what is known of the operation that the event is of, if it is of one.
    #[inline]
    pub fn observe<'a>(&mut self, plan: &'a Plan, event: &Event) -> Result<Option<&'a Planned>, Wrong> {
        if let Some(planned) = self.step(plan, event) {
            return Ok(Some(planned));
        }
        self.look(plan, event)?;
        Ok(event.kind.is_of_operation().then(|| plan.planned(event)))
    }

    /// What most events are: a task's next operation begins, or the one that it is in ends, on a thread where it may.
    /// `None` for anything else, at which `look` looks closely.
    #[inline]
    fn step<'a>(&mut self, plan: &'a Plan, event: &Event) -> Option<&'a Planned> {
        let life = self.lives.get_mut(event.task as usize)?;
        let task = &plan.tasks[event.task as usize];
        // While nothing is shut down, a task that is between or inside operations has its frame.
        if event.operation != life.next || self.shut {
            return None;
        }
        // Past the last operation of the last task, it can only be an end out of order.
        let planned = plan.operations.get(task.first as usize + usize::from(event.operation))?;
        match (event.kind, life.stage) {
            (EventKind::OperationBegin, Stage::Between)
                if event.thread == life.thread && event.operation < task.count =>
            {
                life.stage = Stage::Inside;
                // At its call already: one that fails may have made the context all the same.
                self.branched_on_main |= event.thread == 0 && planned.begins_branch;
            }
            (EventKind::OperationEnd, Stage::Inside) if !life.discarded => {
                let affinity = planned.hops.unwrap_or(life.affinity);
                let may_move = planned.suspends && event.thread < plan.threads;
                let may_run = event.thread == 0 || affinity == Affinity::Worker;
                if !may_run || (event.thread != life.thread && !may_move) {
                    return None;
                }
                *life = Life { stage: Stage::Between, affinity, next: life.next + 1, thread: event.thread, ..*life };
            }
            _ => return None,
        }
        Some(planned)
    }

    #[inline(never)]
    fn look(&mut self, plan: &Plan, event: &Event) -> Result<(), Wrong> {
        let Some(life) = self.lives.get(event.task as usize).copied() else {
            return Err(broken(plan, event, "an event of a task that does not exist"));
        };
        match event.kind {
            EventKind::FrameMade => self.made(plan, event, life),
            EventKind::FrameFreed => self.freed(plan, event, life),
            EventKind::ContextsLeft => self.contexts_left(plan, event),
            _ => self.body(plan, event, life),
        }
    }

    fn made(&mut self, plan: &Plan, event: &Event, life: Life) -> Result<(), Wrong> {
        if life.stage != Stage::Unborn {
            return Err(broken(plan, event, "a second frame for one task"));
        }
        if event.task != 0 && !self.is_being_begun(plan, event) {
            return Err(broken(plan, event, "a frame made outside the operation that begins the task"));
        }
        let life = &mut self.lives[event.task as usize];
        life.stage = Stage::Made;
        self.frames += 1;
        Ok(())
    }

    /// Whether its parent is in the operation that begins the task.
    fn is_being_begun(&self, plan: &Plan, event: &Event) -> bool {
        let task = plan.task(event);
        let parent = self.lives[task.parent as usize];
        parent.stage == Stage::Inside && parent.next == task.operation
    }

    fn freed(&mut self, plan: &Plan, event: &Event, life: Life) -> Result<(), Wrong> {
        if life.freed {
            let rule = "a frame destroyed twice";
            return Err(wrong(plan, event, OracleName::Lifecycle, Verdict::FrameLeak, rule, ""));
        }
        match life.stage {
            Stage::Unborn => return Err(broken(plan, event, "a frame destroyed that was never made")),
            Stage::Ended => {}
            Stage::Between | Stage::Failing => {
                return Err(broken(plan, event, "a frame destroyed while its task runs"));
            }
            Stage::Made if self.ran_out && event.task == 0 => {}
            Stage::Made if self.ran_out && self.is_being_begun(plan, event) => {
                self.lives[plan.task(event).parent as usize].discarded = true;
            }
            Stage::Made | Stage::Inside => {
                if life.stage == Stage::Inside && !self.inside(plan, event, life).suspends {
                    return Err(broken(plan, event, "a frame destroyed while its task runs"));
                }
                if self.lives[0].stage != Stage::Ended || !plan.destroys {
                    return Err(broken(plan, event, "a frame destroyed before its task ended"));
                }
                self.shut = true;
            }
        }
        self.lives[event.task as usize].freed = true;
        self.frames -= 1;
        Ok(())
    }

    /// The operation that a task is inside of.
    #[inline]
    fn inside<'a>(&self, plan: &'a Plan, event: &Event, life: Life) -> &'a Planned {
        &plan.operations[plan.task(event).first as usize + usize::from(life.next)]
    }

    #[inline]
    fn body(&mut self, plan: &Plan, event: &Event, life: Life) -> Result<(), Wrong> {
        if self.shut {
            return Err(broken(plan, event, "a task ran on after the shutdown"));
        }
        if life.freed {
            return Err(broken(plan, event, "a task ran on after its frame was destroyed"));
        }
        let (next, may_move) = self.next(plan, event, life)?;
        may_run_there(plan, event, life, next.affinity, may_move)?;
        self.lives[event.task as usize] = Life { thread: event.thread, ..next };
        Ok(())
    }

    /// Where a task is after an event of its body, if that event may come now; and whether it may have changed threads since
    /// the event before, which only a suspension lets it.
    #[inline]
    fn next(&mut self, plan: &Plan, event: &Event, life: Life) -> Result<(Life, bool), Wrong> {
        let task = plan.task(event);
        let mut changed = life;
        let mut may_move = life.stage == Stage::Made;
        match (event.kind, life.stage) {
            (EventKind::TaskBegin, Stage::Made) => changed.stage = Stage::Between,
            (EventKind::OperationBegin, Stage::Between) => {
                if event.operation != life.next || event.operation >= task.count {
                    return Err(broken(plan, event, "an operation out of order"));
                }
                changed.stage = Stage::Inside;
                // At its call already: one that fails may have made the context all the same.
                self.branched_on_main |= event.thread == 0 && self.inside(plan, event, life).begins_branch;
            }
            (EventKind::OperationEnd | EventKind::OperationFail, Stage::Inside) => {
                if event.operation != life.next {
                    return Err(broken(plan, event, "an operation returned that was not called"));
                }
                if event.kind == EventKind::OperationEnd && life.discarded {
                    return Err(broken(plan, event, "an operation returned although it destroyed a task unbegun"));
                }
                changed.discarded = false;
                let planned = self.inside(plan, event, life);
                may_move = planned.suspends;
                if event.kind == EventKind::OperationFail && !planned.catches {
                    changed.stage = Stage::Failing;
                } else {
                    changed.stage = Stage::Between;
                    changed.next += 1;
                    changed.affinity = planned.hops.unwrap_or(life.affinity);
                }
            }
            (EventKind::Entered | EventKind::Leaving | EventKind::Callback, Stage::Inside) => {
                if event.operation != life.next {
                    return Err(broken(plan, event, "an event of an operation that was not called"));
                }
            }
            (EventKind::TaskEnd, Stage::Between) => {
                if life.next != task.count {
                    return Err(broken(plan, event, "a task ended before its last operation"));
                }
                changed.stage = Stage::Ended;
            }
            (EventKind::TaskFail, Stage::Failing) => changed.stage = Stage::Ended,
            // There was no memory for what it needs before its first operation.
            (EventKind::TaskFail, Stage::Between)
                if self.ran_out && life.next == 0 && event.value == i64::from(OUT_OF_MEMORY) =>
            {
                changed.stage = Stage::Ended;
            }
            (kind, stage) => return Err(broken(plan, event, out_of_place(kind, stage))),
        }
        Ok((changed, may_move))
    }

    /// Every branch's context is gone by then; what may be left is the one that the main thread keeps.
    fn contexts_left(&self, plan: &Plan, event: &Event) -> Result<(), Wrong> {
        if (0..=i64::from(self.branched_on_main)).contains(&event.value) {
            return Ok(());
        }
        let detail = format!("{} contexts were left", event.value);
        let rule = "contexts outlived their branches";
        Err(wrong(plan, event, OracleName::Lifecycle, Verdict::Leak, rule, &detail))
    }

    /// What must hold after an execution that came to its end.
    pub fn finish(&self, plan: &Plan) -> Result<(), Wrong> {
        let at_end = |task| Event { value: 0, task, operation: 0, thread: 0, kind: EventKind::TaskEnd };
        let never_began = self.ran_out && !self.has_root();
        if self.lives[0].stage != Stage::Ended && !never_began {
            return Err(broken(plan, &at_end(0), "the root did not come to its end"));
        }
        if self.frames > 0 {
            let leaked = self.lives.iter().position(|life| life.stage != Stage::Unborn && !life.freed);
            let event = at_end(leaked.map_or(NONE, |task| task as u32));
            let detail = format!("{} frames were not destroyed in all", self.frames);
            let rule = "a frame was never destroyed";
            return Err(wrong(plan, &event, OracleName::Lifecycle, Verdict::FrameLeak, rule, &detail));
        }
        Ok(())
    }
}

/// Whether a task may run where an event of its body says that it does.
#[inline]
fn may_run_there(plan: &Plan, event: &Event, life: Life, affinity: Affinity, may_move: bool) -> Result<(), Wrong> {
    let (rule, detail) = if event.thread != life.thread && !may_move {
        ("two threads in one task", format!("thread {} was in it, now thread {}", life.thread, event.thread))
    } else if event.thread >= plan.threads {
        ("a thread that nobody asked for", format!("thread {} of {}", event.thread, plan.threads))
    } else if event.thread != 0 && affinity == Affinity::Main {
        ("wrong thread", format!("thread {} ran what only the main thread may run", event.thread))
    } else {
        return Ok(());
    };
    let mut wrong = wrong(plan, event, OracleName::Lifecycle, Verdict::Lifecycle, rule, &detail);
    if rule != "wrong thread" {
        // Where a task is then is the task graph's.
        wrong.cause = rule.to_owned();
    }
    Err(wrong)
}

/// The rule that an event of a body breaks which may not come at all where its task is.
fn out_of_place(kind: EventKind, stage: Stage) -> &'static str {
    match (kind, stage) {
        (EventKind::TaskBegin, Stage::Unborn) => "a task began without a frame",
        (EventKind::TaskBegin, _) => "a task began twice",
        (_, Stage::Ended) => "a task ran on after its end",
        (_, Stage::Unborn | Stage::Made) => "a task ran before its beginning",
        (EventKind::TaskFail, _) => "a task failed without a failing operation",
        (EventKind::OperationBegin, Stage::Inside) => "an operation called inside another of its task",
        _ => "an operation out of order",
    }
}

fn broken(plan: &Plan, event: &Event, rule: &str) -> Wrong {
    let wrong = wrong(plan, event, OracleName::Lifecycle, Verdict::Lifecycle, rule, "");
    // In whichever operation it shows.
    Box::new(Failure { cause: rule.to_owned(), ..*wrong })
}

#[cfg(test)]
mod tests {
    use super::super::notation::{cause, failure, judge, judge_two};
    use crate::model::verdict::{Judgement, Verdict};

    const AWAIT: &str = "task 0 main int\nawait 1\ntask 1 worker int\ncompute 5\nyield";

    #[test]
    fn a_task_that_runs_once_to_its_end_is_right() {
        let history = "+0 0[ 0.0( +1 1[@1 1.0( 1.0) 1.1( 1.1)@2 1]=5 -1 0.0)=5 0]=5 -0";
        assert_eq!(judge(AWAIT, history), Judgement::Right);
        // The frame may as well be destroyed after the parent went on.
        let history = "+0 0[ 0.0( +1 1[@1 1.0( 1.0) 1.1( 1.1)@2 1]=5 0.0)=5 0]=5 -1 -0";
        assert_eq!(judge(AWAIT, history), Judgement::Right);
    }

    #[test]
    fn only_the_main_threads_context_outlives_its_branch() {
        let graph = "engines 1\ntask 0 main int\nawait 1\ntask 1 worker int\nbegin-branch 0\nend-branch";
        let judged = |thread: u16, left: u32| {
            judge(graph, &format!("+0 0[ 0.0( +1 1[@{thread} 1.0( 1.0) 1.1( 1.1) 1] -1 0.0) 0] -0 0%={left}"))
        };
        assert_eq!((judged(0, 1), judged(1, 0)), (Judgement::Right, Judgement::Right));
        for (thread, left) in [(1, 1), (0, 2)] {
            assert_eq!(cause(judged(thread, left)), "contexts outlived their branches");
        }
    }

    #[test]
    fn a_task_that_begins_twice_is_noticed() {
        let history = "+0 0[ 0.0( +1 1[@1 1[@2";
        assert_eq!(cause(judge(AWAIT, history)), "a task began twice");
    }

    #[test]
    fn a_thread_may_change_only_where_the_task_suspends() {
        let history = "+0 0[ 0.0( +1 1[@1 1.0( 1.0)@2";
        assert_eq!(cause(judge(AWAIT, history)), "two threads in one task");
        let history = "+0 0[ 0.0( +1 1[@1 1.0( 1.0) 1.1(@2";
        assert_eq!(cause(judge(AWAIT, history)), "two threads in one task");
    }

    #[test]
    fn a_main_task_on_a_worker_is_noticed() {
        assert_eq!(cause(judge(AWAIT, "+0 0[@1")), "wrong thread");
        let hop = "task 0 main int\nhop worker\nhop main";
        assert_eq!(cause(judge(hop, "+0 0[ 0.0( 0.0)@1 0.1( 0.1)@2")), "wrong thread: hop");
        assert_eq!(judge(hop, "+0 0[ 0.0( 0.0)@1 0.1( 0.1)@0 0]=0 -0"), Judgement::Right);
    }

    #[test]
    fn a_thread_beyond_those_asked_for_is_noticed() {
        assert_eq!(cause(judge(AWAIT, "+0 0[ 0.0( +1 1[@3")), "a thread that nobody asked for");
    }

    #[test]
    fn a_parent_that_goes_on_before_its_child_ended_is_noticed() {
        let history = "+0 0[ 0.0( +1 1[@1 1.0( 0.0)=0";
        let failure = failure(judge(AWAIT, history));
        assert_eq!(
            (failure.verdict, failure.cause.as_str()),
            (Verdict::Lifecycle, "resumed before what it waits for: await")
        );
    }

    #[test]
    fn frames_are_destroyed_exactly_once() {
        let body = "+0 0[ 0.0( +1 1[@1 1.0( 1.0) 1.1( 1.1) 1]=5 0.0)=5 0]=5";
        let never = failure(judge(AWAIT, &format!("{body} -0")));
        assert_eq!((never.verdict, never.cause.as_str()), (Verdict::FrameLeak, "a frame was never destroyed"));
        assert!(never.message.starts_with("task 1"), "{}", never.message);
        let twice = failure(judge(AWAIT, &format!("{body} -1 -1")));
        assert_eq!((twice.verdict, twice.cause.as_str()), (Verdict::FrameLeak, "a frame destroyed twice"));
    }

    #[test]
    fn a_frame_destroyed_under_a_running_task_is_noticed() {
        assert_eq!(cause(judge(AWAIT, "+0 0[ 0.0( +1 1[@1 -1")), "a frame destroyed while its task runs");
        let suspended = "+0 0[ 0.0( +1 1[@1 1.0( 1.0) 1.1( -1";
        assert_eq!(cause(judge(AWAIT, suspended)), "a frame destroyed before its task ended");
        let freed = "+0 0[ 0.0( +1 1[@1 1.0( 1.0) 1.1( 1.1) 1]=5 -1 1.0(";
        assert_eq!(cause(judge(AWAIT, freed)), "a task ran on after its frame was destroyed");
    }

    #[test]
    fn the_shutdown_destroys_detached_tasks_and_nothing_runs_after_it() {
        let detached = "task 0 main int\nstart 1\nstart 2\ntask 1 worker int\nyield\ntask 2 worker int";
        let body = "+0 0[ 0.0( +1 0.0) 0.1( +2 0.1) 1[@1 1.0( 0]=0 -0";
        assert_eq!(judge(detached, &format!("{body} -1 -2")), Judgement::Right);
        assert_eq!(cause(judge(detached, &format!("{body} -2 1.0)"))), "a task ran on after the shutdown");
        // While the root ends, another thread may still come to its next suspension.
        assert_eq!(judge(detached, &format!("{body} 1.0) 1]=0 2[@2 2]=0 -1 -2")), Judgement::Right);
    }

    #[test]
    fn operations_run_in_order_each_once() {
        assert_eq!(cause(judge(AWAIT, "+0 0[ 0.0( +1 1[@1 1.1(")), "an operation out of order");
        assert_eq!(cause(judge(AWAIT, "+0 0[ 0.0( +1 1[@1 1.0( 1.0) 1]=5")), "a task ended before its last operation");
        let twice = "1.0( 1.0) 1.0(";
        assert_eq!(cause(judge_two("", "yield", "yield", twice)), "an operation out of order");
        let resumed_twice = "1.0( 1.0) 1.0)";
        assert!(matches!(judge_two("", "yield", "yield", resumed_twice), Judgement::Wrong(_)));
    }
}
