//! A registry calls back exactly once for each change, inside the call that made it, and for nothing else.

use super::super::Wrong;
use super::super::plan::Plan;
use super::broken;
use crate::model::execution::Event;
use crate::reference::systems::callback;
use crate::task_graph::{Call, Operation};

pub(super) struct Callbacks {
    /// By task: whether its present call was called back.
    seen: Vec<bool>,
}

impl Callbacks {
    pub fn new(plan: &Plan) -> Self {
        Self { seen: vec![false; plan.tasks.len()] }
    }

    pub fn called(&mut self, event: &Event) {
        self.seen[event.task as usize] = false;
    }

    pub fn called_back(&mut self, plan: &Plan, event: &Event, operation: &Operation) -> Result<(), Wrong> {
        // What it is called back with if it succeeds; whether it does, its end tells.
        let expected = if let Operation::Call(call) = operation { callback(call, 1) } else { None };
        if expected != Some(event.value) {
            let detail = format!("it was called back with {}", event.value);
            return Err(broken(plan, event, "a callback of another event", &detail));
        }
        if std::mem::replace(&mut self.seen[event.task as usize], true) {
            return Err(broken(plan, event, "an event called back twice", ""));
        }
        Ok(())
    }

    /// A call that ran out of memory changed nothing.
    pub fn failed(&self, plan: &Plan, event: &Event) -> Result<(), Wrong> {
        if self.seen[event.task as usize] {
            return Err(broken(plan, event, "a callback of what did not happen", "it failed"));
        }
        Ok(())
    }

    pub fn returned(&self, plan: &Plan, event: &Event, call: &Call) -> Result<(), Wrong> {
        let gave = || format!("it gave {}", event.value);
        match (callback(call, event.value), self.seen[event.task as usize]) {
            (Some(_), false) => Err(broken(plan, event, "an event was not called back", &gave())),
            (None, true) => Err(broken(plan, event, "a callback of what did not happen", &gave())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::notation::{cause, judge_two};
    use crate::model::verdict::Judgement;
    use crate::task_graph::Pair;
    use crate::task_graph::call::ArcEvent;

    #[test]
    fn a_change_is_called_back_once_inside_its_call_and_a_refusal_never() {
        let pair = Pair { a: 1, b: 2 };
        let started = ArcEvent::Started.of(pair);
        let cancelled = ArcEvent::Cancelled.of(pair);
        let judged = |middle: &str| judge_two("registries 1", "start-arc 0 1 2, yield", "start-arc 0 1 2", middle);
        let rest = "1.1( 1.1)";
        let right = format!("1.0( 1.0*={started} 2.0( 1.0)=1 2.0)=0 {rest}");
        assert_eq!(judged(&right), Judgement::Right);
        let twice = format!("1.0( 1.0*={started} 1.0*={started} 1.0)=1");
        assert_eq!(cause(judged(&twice)), "an event called back twice: start-arc");
        assert_eq!(cause(judged("1.0( 1.0)=1")), "an event was not called back: start-arc");
        let refused = format!("1.0( 1.0*={started} 1.0)=1 2.0( 2.0*={started} 2.0)=0");
        assert_eq!(cause(judged(&refused)), "a callback of what did not happen: start-arc");
        let other = format!("1.0( 1.0*={cancelled} 1.0)=1");
        assert_eq!(cause(judged(&other)), "a callback of another event: start-arc");
        let elsewhere = format!("1.0( 1.0*={started} 1.0)=1 1.1( 1.1*={started}");
        assert_eq!(cause(judged(&elsewhere)), "a callback of another event: yield");
    }
}
