//! What one branch puts into its context no other sees, except that the main thread keeps one for all of its own.
//!
//! What a thread does is in order, so there is nothing to search: the reference's contexts say what is seen.

use super::super::plan::Plan;
use super::super::{Wrong, wrong};
use crate::model::execution::Event;
use crate::model::verdict::{OracleName, Verdict};
use crate::reference::systems::Contexts;
use crate::task_graph::Call;

#[derive(Default)]
pub(super) struct ThreadContexts {
    contexts: Contexts,
    /// Whether there was a branch.
    used: bool,
}

impl ThreadContexts {
    pub fn reset(&mut self) {
        if std::mem::take(&mut self.used) {
            self.contexts.clear();
        }
    }

    pub fn returned(&mut self, plan: &Plan, event: &Event, call: &Call) -> Result<(), Wrong> {
        let Some(expected) = self.contexts.apply(event.task, event.thread, call) else { return Ok(()) };
        self.used = true;
        if event.value != expected {
            let detail = format!("it gave {}, where the reference has {expected}", event.value);
            let rule = "another branch's context";
            return Err(wrong(plan, event, OracleName::History, Verdict::WrongHistory, rule, &detail));
        }
        Ok(())
    }

    /// A task that fails leaves its branches.
    pub fn failed(&mut self, event: &Event) {
        if self.used {
            self.contexts.end_all(event.task);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::notation::{cause, judge, judge_two};
    use crate::model::verdict::Judgement;

    const BRANCHES: &str = "begin-branch 0, get-context, put-context 5, nest-branch, get-context, end-branch, \
                            get-context, end-branch";

    #[test]
    fn a_branch_on_a_worker_begins_fresh_and_keeps_what_it_was_given() {
        let judged = |inner: &str, outer: &str| {
            let first = format!("1.0( 1.0) 1.1( 1.1) 1.2( 1.2) 1.3( 1.3) 1.4( 1.4){inner} 1.5( 1.5) 1.6( 1.6){outer}");
            judge_two(
                "engines 1",
                BRANCHES,
                "begin-branch 0, get-context, end-branch",
                &format!("{first} 2.0( 2.0) 2.1( 2.1) 2.2( 2.2) 1.7( 1.7)"),
            )
        };
        assert_eq!(judged("=0", "=5"), Judgement::Right);
        assert_eq!(cause(judged("=5", "=5")), "another branch's context: get-context");
        assert_eq!(cause(judged("=0", "=0")), "another branch's context: get-context");
    }

    #[test]
    fn the_main_thread_keeps_one_context_for_all_its_branches() {
        let lines = BRANCHES.replace(", ", "\n");
        let graph = format!("engines 1\ntask 0 main int\n{lines}\nbegin-branch 0\nget-context\nend-branch");
        let judged = |inner: &str, later: &str| {
            judge(
                &graph,
                &format!(
                    "+0 0[ 0.0( 0.0) 0.1( 0.1) 0.2( 0.2) 0.3( 0.3) 0.4( 0.4){inner} 0.5( 0.5) 0.6( 0.6)=5 0.7( 0.7) \
                 0.8( 0.8) 0.9( 0.9){later} 0.10( 0.10) 0]=0 -0"
                ),
            )
        };
        assert_eq!(judged("=5", "=5"), Judgement::Right);
        assert_eq!(cause(judged("=0", "=5")), "another branch's context: get-context");
        assert_eq!(cause(judged("=5", "=0")), "another branch's context: get-context");
    }

    #[test]
    fn a_task_that_fails_leaves_its_branch() {
        let graph = "engines 1\ntask 0 main int\nawait-catch 1\nbegin-branch 0\nget-context\nend-branch\n\
            task 1 main int\nbegin-branch 0\nput-context 3\nthrow 7";
        let history = "+0 0[ 0.0( +1 1[ 1.0( 1.0) 1.1( 1.1) 1.2( 1.2!7 1!7 -1 0.0!7 0.1( 0.1) 0.2( 0.2)=3 0.3( 0.3) \
            0]=1000010 -0";
        assert_eq!(judge(graph, history), Judgement::Right);
    }
}
