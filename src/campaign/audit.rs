//! The determinism audit: two executions under the same choices must pass the same steps.

use super::job::Divergence;
use crate::model::execution::{Object, Step};

/// The likely causes, by what differs.
const ADDRESSES: &str = "likely an order that depends on addresses (a container ordered by pointers, a hash of one)";
const READY: &str = "likely a thread that threadbare does not control (made in a library, or by a system call)";
pub(super) const OUTSIDE: &str = "likely something from outside the program: real time (`rdtsc`), random numbers, a file, \
                       or a library's state that an earlier execution changed";

/// The first step at which two logs of one schedule differ, and why they probably do.
#[must_use]
pub fn difference(first: &[Step], second: &[Step]) -> Option<Divergence> {
    let mut moved = false;
    for (number, (step, other)) in (1..).zip(first.iter().zip(second)) {
        let what = if step.thread != other.thread {
            format!("thread {} and thread {}", step.thread, other.thread)
        } else if step.kind != other.kind {
            format!("{:?} and {:?} by thread {}", step.kind, other.kind, step.thread)
        } else if !same(step.object, other.object) {
            format!("{:?} by thread {} on different objects", step.kind, step.thread)
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
        Step { thread, kind, object, runnable: 3, frames: vec![] }
    }

    fn why(first: &[Step], second: &[Step]) -> (u64, String) {
        let divergence = difference(first, second).expect("a difference");
        (divergence.step, divergence.why)
    }

    #[test]
    fn the_same_steps_on_memory_elsewhere_are_the_same() {
        let at = |address| [step(0, OpKind::Lock, Object::Memory(address)), step(1, OpKind::Load, Object::Variable(8))];
        assert_eq!(difference(&at(0x1000), &at(0x2000)), None);
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
