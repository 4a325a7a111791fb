//! Timers never fire early.

use super::super::Wrong;
use super::super::plan::Plan;
use super::broken;
use crate::model::execution::Event;

pub(super) struct Timers {
    /// By task: when its sleep began.
    began: Vec<i64>,
}

impl Timers {
    pub fn new(plan: &Plan) -> Self {
        Self { began: vec![0; plan.tasks.len()] }
    }

    pub fn called(&mut self, event: &Event) {
        self.began[event.task as usize] = event.value;
    }

    pub fn returned(&self, plan: &Plan, event: &Event, microseconds: u32) -> Result<(), Wrong> {
        let slept = event.value.saturating_sub(self.began[event.task as usize]);
        if slept < i64::from(microseconds) {
            let detail = format!("after {slept} microseconds");
            return Err(broken(plan, event, "a timer fired early", &detail));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::notation::{cause, judge_two};
    use crate::model::verdict::Judgement;

    #[test]
    fn timers_do_not_fire_early() {
        let judged = |middle: &str| judge_two("", "sleep 10", "yield", middle);
        assert_eq!(cause(judged("2.0( 2.0) 1.0(=100 1.0)=109")), "a timer fired early: sleep");
        assert_eq!(judged("2.0( 2.0) 1.0(=100 1.0)=110"), Judgement::Right);
    }
}
