//! The oracle of programs under check: they must end, with status 0, by returning from `main` or by `exit`.

use super::{dangling, misused};
use crate::model::execution::{BlockedThread, Ending, Exit};
use crate::model::verdict::{Failure, Incomparable, Judgement, OracleName, Verdict};

/// Judges how an execution of a program under check ended.
#[must_use]
#[inline]
pub fn judge(ending: &Ending) -> Judgement {
    match ending {
        Ending::Exited(Exit::Status(0)) | Ending::Completed => Judgement::Right,
        Ending::Exited(exit) => Judgement::Wrong(of_exit(exit)),
        Ending::Stuck(threads) => Judgement::Wrong(deadlock(threads)),
        Ending::OutOfSteps(steps) => {
            let message =
                format!("no end after {steps} scheduling points, the second half of which was scheduled fairly");
            Judgement::Wrong(failure(Verdict::Livelock, OracleName::Progress, message, "livelock".to_owned()))
        }
        Ending::TooLong(points) => Judgement::Incomparable(
            Incomparable::TooLong,
            format!(
                "the program did not end within {points} scheduling points and was still at work: one thread did more than half of \
                 them while no other could run, or threads got to ever more memory; give it less to do, or choose fewer \
                 scheduling points with `--points sync`"
            ),
        ),
        Ending::Misused { thread, primitive, how } => Judgement::Wrong(misused(*thread, primitive, how)),
        Ending::Dangling { thread, primitive, how } => Judgement::Wrong(dangling(*thread, primitive, how)),
        Ending::Unsupported(what) => Judgement::Incomparable(Incomparable::UnsupportedPrimitive, what.clone()),
        Ending::Diverged { step, why } => {
            Judgement::Incomparable(Incomparable::Diverged, format!("diverged at step {step}: {why}"))
        }
        Ending::TooManyEvents | Ending::Crashed { .. } => {
            unreachable!("a program under check records no events and gets no crashes")
        }
    }
}

fn of_exit(exit: &Exit) -> Failure {
    let (verdict, message) = match exit {
        Exit::Status(status) => (Verdict::ExitStatus, format!("the program ended with status {status}")),
        Exit::FailedAssertion(assertion) => (Verdict::FailedAssertion, format!("failed assertion at {assertion}")),
        Exit::UncaughtException(exception) => {
            (Verdict::UncaughtException, format!("nobody caught an exception of type {exception}"))
        }
        Exit::Aborted => (Verdict::Abort, "abort was called".to_owned()),
        Exit::Signal(name) if name == "SIGABRT" => (Verdict::Abort, format!("{name} ended the program")),
        Exit::Signal(name) => (Verdict::Crash, format!("{name} ended the program, which does not handle it")),
    };
    failure(verdict, OracleName::Process, message.clone(), message)
}

fn deadlock(threads: &[BlockedThread]) -> Failure {
    let waits: Vec<String> = threads.iter().map(ToString::to_string).collect();
    let mut primitives: Vec<&str> = threads.iter().map(|blocked| blocked.primitive).collect();
    primitives.sort_unstable();
    let message = format!("no thread can proceed: {}", waits.join(", "));
    failure(Verdict::Deadlock, OracleName::Progress, message, format!("stuck in {}", primitives.join(", ")))
}

fn failure(verdict: Verdict, oracle: OracleName, message: String, cause: String) -> Failure {
    Failure { verdict, oracle, message, cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(ending: &Ending) -> Option<Verdict> {
        match judge(ending) {
            Judgement::Wrong(failure) => Some(failure.verdict),
            Judgement::Right | Judgement::Incomparable(..) => None,
        }
    }

    #[test]
    fn only_status_0_is_right() {
        assert_eq!(judge(&Ending::Exited(Exit::Status(0))), Judgement::Right);
        let wrong = [
            (Exit::Status(3), Verdict::ExitStatus),
            (Exit::FailedAssertion("a.c:1: `x`".to_owned()), Verdict::FailedAssertion),
            (Exit::UncaughtException("int".to_owned()), Verdict::UncaughtException),
            (Exit::Aborted, Verdict::Abort),
            (Exit::Signal("SIGUSR1".to_owned()), Verdict::Crash),
            (Exit::Signal("SIGABRT".to_owned()), Verdict::Abort),
        ];
        for (exit, expected) in wrong {
            assert_eq!(verdict(&Ending::Exited(exit)), Some(expected));
        }
    }

    #[test]
    fn deadlocks_in_the_same_primitives_have_one_cause() {
        let stuck = |order: [u16; 2]| {
            let primitives = ["pthread_join", "pthread_mutex_lock"];
            let threads = order.map(|thread| BlockedThread {
                thread,
                primitive: primitives[usize::from(thread)],
                descriptor: None,
            });
            match judge(&Ending::Stuck(threads.to_vec())) {
                Judgement::Wrong(failure) => failure,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(stuck([0, 1]).verdict, Verdict::Deadlock);
        assert_eq!(stuck([0, 1]).cause, stuck([1, 0]).cause);
    }

    #[test]
    fn what_does_not_end_is_a_livelock() {
        assert_eq!(verdict(&Ending::OutOfSteps(9)), Some(Verdict::Livelock));
    }

    #[test]
    fn what_is_still_at_work_is_long_and_no_finding() {
        let judged = judge(&Ending::TooLong(1_000));
        let Judgement::Incomparable(Incomparable::TooLong, why) = judged else { panic!("{judged:?}") };
        assert!(why.contains("1000 scheduling points"), "{why}");
    }

    #[test]
    fn a_misuse_has_one_cause_whoever_it_was() {
        let misused = |thread| {
            let ending = Ending::Misused { thread, primitive: "pthread_mutex_unlock", how: "on a free mutex" };
            match judge(&ending) {
                Judgement::Wrong(failure) => failure,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(misused(1).verdict, Verdict::Misuse);
        assert_eq!(misused(1).message, "thread 1 called pthread_mutex_unlock on a free mutex");
        assert_eq!(misused(1).cause, misused(2).cause);
    }

    #[test]
    fn a_refused_primitive_is_nobodys_fault() {
        let judged = judge(&Ending::Unsupported("fork".to_owned()));
        assert_eq!(judged, Judgement::Incomparable(Incomparable::UnsupportedPrimitive, "fork".to_owned()));
    }
}
