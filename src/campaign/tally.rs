//! What came of a worker's executions so far, and whether its process can go on after the last one.

use std::ops::ControlFlow;
use std::path::PathBuf;

use super::fingerprint::fingerprint;
use super::job::{self, Divergence, Failed, Outcome};
use super::known::Known;
use super::loaded::{Evidence, Ran};
use crate::model::execution::{Ending, not_emulated};
use crate::model::verdict::{Failure, Incomparable, Judgement};
use crate::process;

/// The account of a worker.
pub(super) struct Tally {
    pub outcome: Outcome,
    /// Counted, not reported again.
    pub known: Known,
    /// A known finding was made here again, and may have lost memory as it did before.
    pub repeats: bool,
    /// Where the outcome is kept whenever it changes by something that is not in the trace.
    so_far: PathBuf,
}

impl Tally {
    pub fn new(so_far: PathBuf) -> Self {
        Self { outcome: Outcome::default(), known: Known::default(), repeats: false, so_far }
    }

    /// Keeps what was counted, for the case that the process dies. Ends it if that cannot be written.
    pub fn keep(&self) {
        if let Err(error) = job::replace(&self.so_far, &self.outcome) {
            eprintln!("error: {error:#}");
            process::end_now(crate::model::exit::COULD_NOT.into());
        }
    }

    /// A schedule did not come to what it came to before.
    pub fn diverged(&mut self, points: u64, divergence: Option<Divergence>) {
        self.outcome.executions += 1;
        self.outcome.points += points;
        self.outcome.diverged = divergence;
    }

    /// Takes in an execution, and says whether the process can go on.
    pub fn take(&mut self, number: u64, ran: Ran) -> ControlFlow<()> {
        if let Ending::Diverged { step, why } = ran.ending {
            self.diverged(ran.points, Some(Divergence { step, why }));
            return ControlFlow::Break(());
        }
        self.outcome.executions += 1;
        self.outcome.points += ran.points;
        let mut counted = false;
        let failure = match ran.judgement {
            Judgement::Right => None,
            Judgement::Wrong(failure) => Some(failure),
            // Of a program that is all that there is to say.
            Judgement::Incomparable(reason, what) if ran.is_of_program => {
                self.outcome.refused = Some(match reason {
                    Incomparable::UnsupportedPrimitive => not_emulated(&what),
                    _ => what,
                });
                return ControlFlow::Break(());
            }
            Judgement::Incomparable(reason, _) => {
                *self.outcome.incomparable.entry(reason).or_default() += 1;
                counted = true;
                None
            }
        };
        let print = failure.as_ref().map(fingerprint);
        let is_known = print.as_ref().is_some_and(|print| self.known.fingerprints.contains(print));
        // A report is told from known ones by the supervisor, from its text: the process ends with it. So it does with what
        // is new of a task graph, since what a finding leaves behind is not to be trusted; a program begins anew.
        let ends = ran.reports > 0 || (failure.is_some() && !is_known && !ran.is_of_program);
        if ends {
            self.outcome.failed = Some(failed(number, failure, ran.reports, ran.evidence));
        } else if let Some(print) = print {
            if is_known {
                *self.outcome.repeated.entry(print).or_default() += 1;
                self.repeats = true;
                counted = true;
            } else {
                self.known.fingerprints.insert(print);
                self.outcome.earlier.push(failed(number, failure, 0, ran.evidence));
            }
        }
        // Of programs it is kept now and then, since there may be much.
        if counted && !ran.is_of_program {
            self.keep();
        }
        if ran.is_intact && !ends { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

fn failed(execution: u64, failure: Option<Failure>, reports: u32, evidence: Option<Box<Evidence>>) -> Failed {
    let Evidence { timeline, schedule, signatures, .. } = evidence.map(|evidence| *evidence).unwrap_or_default();
    Failed { execution, failures: Vec::from_iter(failure), reports, timeline, schedule, signatures }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::verdict::{OracleName, Verdict};

    fn tally() -> (Tally, tempfile::TempDir) {
        let directory = tempfile::tempdir().expect("a directory");
        (Tally::new(directory.path().join("so-far.json")), directory)
    }

    fn ran(judgement: Judgement, is_of_program: bool) -> Ran {
        Ran { judgement, is_of_program, ..Ran::default() }
    }

    fn wrong(cause: &str) -> Judgement {
        let (verdict, oracle) = (Verdict::Deadlock, OracleName::Progress);
        Judgement::Wrong(Failure { verdict, oracle, message: String::new(), cause: cause.to_owned() })
    }

    #[test]
    fn what_is_right_goes_on_as_long_as_the_process_is_intact() {
        let (mut tally, _directory) = tally();
        assert!(tally.take(0, Ran { points: 7, ..ran(Judgement::Right, false) }).is_continue());
        assert!(tally.take(1, Ran { points: 5, is_intact: false, ..ran(Judgement::Right, true) }).is_break());
        assert_eq!((tally.outcome.executions, tally.outcome.points), (2, 12));
        assert!(tally.outcome.failed.is_none());
    }

    #[test]
    fn a_task_graph_that_fails_ends_the_worker_and_a_program_goes_on_after_it() {
        let (mut tally, _directory) = self::tally();
        assert!(tally.take(3, ran(wrong("a"), true)).is_continue());
        assert!(tally.take(4, ran(wrong("a"), true)).is_continue());
        assert_eq!(tally.outcome.earlier.iter().map(|failed| failed.execution).collect::<Vec<_>>(), [3]);
        assert_eq!(tally.outcome.repeated.values().sum::<u64>(), 1, "it is known by then");
        let (mut tally, _directory) = self::tally();
        assert!(tally.take(3, ran(wrong("a"), false)).is_break());
        assert_eq!(tally.outcome.failed.as_ref().map(|failed| failed.execution), Some(3));
    }

    #[test]
    fn what_is_known_of_a_task_graph_is_counted_and_survives_the_worker() {
        let (mut tally, directory) = tally();
        let Judgement::Wrong(failure) = wrong("a") else { panic!("it is wrong") };
        tally.known.fingerprints.insert(fingerprint(&failure));
        assert!(tally.take(3, ran(wrong("a"), false)).is_continue());
        assert!(tally.repeats && tally.outcome.failed.is_none());
        let kept: Outcome = job::read(&directory.path().join("so-far.json")).expect("it was kept");
        assert_eq!(kept.repeated, tally.outcome.repeated);
    }

    #[test]
    fn a_report_of_the_sanitizer_ends_every_worker_even_if_the_oracles_know_the_failure() {
        for is_of_program in [false, true] {
            let (mut tally, _directory) = tally();
            let reported = Ran { reports: 1, ..ran(Judgement::Right, is_of_program) };
            assert!(tally.take(9, reported).is_break());
            assert!(tally.outcome.failed.as_ref().is_some_and(|failed| failed.reports == 1));
        }
    }

    #[test]
    fn what_cannot_be_judged_is_counted_of_a_task_graph_and_refused_of_a_program() {
        let unsupported = || Judgement::Incomparable(Incomparable::UnsupportedPrimitive, "fork".to_owned());
        let (mut tally, _directory) = self::tally();
        assert!(tally.take(0, ran(unsupported(), false)).is_continue());
        assert_eq!(tally.outcome.incomparable.values().sum::<u64>(), 1);
        let (mut tally, _directory) = self::tally();
        assert!(tally.take(0, ran(unsupported(), true)).is_break());
        assert!(tally.outcome.refused.is_some_and(|why| why.contains("fork")));
    }

    #[test]
    fn a_divergence_ends_the_worker_and_is_no_failure() {
        let (mut tally, _directory) = tally();
        let ending = Ending::Diverged { step: 3, why: "thread 2 cannot run".to_owned() };
        assert!(tally.take(0, Ran { ending, ..ran(Judgement::Right, false) }).is_break());
        assert_eq!(tally.outcome.diverged.as_ref().map(|divergence| divergence.step), Some(3));
        assert!(tally.outcome.failed.is_none());
    }
}
