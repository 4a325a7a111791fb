//! What a worker has loaded: a task graph or a program. The one place that executes and judges.

use super::fingerprint::fingerprint;
use super::known::Known;
use super::printed;
use crate::check::framework::Framework;
use crate::control::{Budget, Mode, Session};
use crate::evidence::timeline;
use crate::feedback::States;
use crate::model::execution::{Ending, Event, Step};
use crate::model::offers::Offers;
use crate::model::schedule::Schedule;
use crate::model::settings::MemoryModel;
use crate::model::verdict::{Judgement, Verdict};
use crate::oracle::{Judge, exit};
use crate::reference::Expectations;
use crate::task_graph::TaskGraph;

/// Step budget of an execution of a program.
const MOST_POINTS: u64 = 1 << 20;
/// Half of that, but no more than this times the longest execution that ended, everyone gets their share; at least half of
/// `FEWEST_POINTS`.
const BUDGET_FACTOR: u64 = 50;
const FEWEST_POINTS: u64 = 20_000;
/// An execution that is at work for so many times the longest that ended does not end.
const MUCH_LONGER: u64 = 4;
/// What strategies plan with while nothing is known.
const EXPECTED_POINTS: u64 = 100;

/// What is executed.
pub(crate) enum Loaded {
    TaskGraph(Box<LoadedGraph>),
    Program(Pace),
}

/// The task graph that is executed now, and its judge.
pub(crate) struct LoadedGraph {
    graph: TaskGraph,
    judge: Judge,
    states: Option<States>,
}

/// How long a program takes.
#[derive(Default)]
pub(crate) struct Pace {
    /// Scheduling points of the longest execution that ended by itself.
    longest: Option<u64>,
    /// Some execution did not come to its end.
    has_livelock: bool,
    /// The step budget of a schedule that is replayed.
    replayed: Option<u64>,
    /// Whose test it is.
    framework: Option<Framework>,
}

/// One execution, judged.
pub(crate) struct Ran {
    pub is_of_program: bool,
    pub ending: Ending,
    pub points: u64,
    /// Those of them that no strategy was asked at.
    pub stayed: u64,
    /// Reports of the sanitizer.
    pub reports: u32,
    pub judgement: Judgement,
    /// What is kept of it beside that, which is seldom anything.
    pub evidence: Option<Box<Evidence>>,
    /// More can be executed in the process. One whose threads all came to their end is as good as new; of a task graph, one
    /// that was left in the middle is not.
    pub is_intact: bool,
}

/// What is kept of an execution: of a failure that is not known, and of one that is logged.
#[derive(Default)]
pub(crate) struct Evidence {
    /// The events of a task graph, for people.
    pub timeline: String,
    /// Where the process goes on after it, so that the trace will hold others.
    pub schedule: Option<Schedule>,
    /// Tell the sanitizer's reports from each other, of a program.
    pub signatures: Vec<u64>,
    /// Everything that is to be the same in another execution of the schedule, if it is logged.
    pub steps: Vec<Step>,
    pub events: Vec<Event>,
}

impl Loaded {
    /// A task graph on a runtime with these offers, with feedback of its states or not.
    pub fn graph(session: &mut Session, graph: TaskGraph, threads: u16, offers: &Offers, has_states: bool) -> Self {
        session.load(&graph);
        let judge = Judge::of_runtime(&graph, threads, Expectations::of(&graph), offers);
        let judge = if session.memory() == MemoryModel::Sc { judge } else { judge.under_weak_memory() };
        let states = has_states.then(|| States::of(&graph));
        Self::TaskGraph(Box::new(LoadedGraph { graph, judge, states }))
    }

    /// What is replayed next is this schedule, which did or did not end.
    pub fn expect(&mut self, schedule: &Schedule, is_endless: bool) {
        if let Self::Program(pace) = self {
            // What did not end within a budget does not end within it again.
            pace.replayed = Some(if is_endless { schedule.points() } else { MOST_POINTS });
        }
    }

    /// What is executed next are variations of this schedule, which did or did not end.
    pub fn expect_like(&mut self, schedule: &Schedule, is_endless: bool) {
        if let Self::Program(pace) = self {
            let points = schedule.points();
            let most = (points * BUDGET_FACTOR).clamp(FEWEST_POINTS, MOST_POINTS);
            pace.replayed = Some(if is_endless { points } else { most });
        }
    }

    /// Executes and judges once; `is_logged` keeps what an audit compares and an explanation tells.
    pub fn execute(
        &mut self,
        session: &mut Session,
        number: u64,
        mode: Mode<'_>,
        known: &Known,
        is_logged: bool,
    ) -> Ran {
        match self {
            Self::TaskGraph(loaded) => loaded.execute(session, number, mode, known, is_logged),
            Self::Program(pace) => pace.execute(session, number, mode, known, is_logged),
        }
    }
}

impl LoadedGraph {
    fn execute(&mut self, session: &mut Session, number: u64, mode: Mode<'_>, known: &Known, is_logged: bool) -> Ran {
        let (execution, steps) = match is_logged {
            true => session.log_task_graph(number, mode),
            false => (session.execute(number, mode), Vec::new()),
        };
        if let Some(states) = &mut self.states {
            states.look(execution);
        }
        let is_diverged = matches!(execution.ending, Ending::Diverged { .. });
        let judgement = if is_diverged { Judgement::Right } else { self.judge.judge(execution) };
        let is_new = is_new(&judgement, execution.reports, known);
        let evidence = (is_new || is_logged).then(|| {
            let timeline = if is_new { timeline::text(&self.graph, &execution.events) } else { String::new() };
            let events = if is_logged { execution.events.clone() } else { Vec::new() };
            Box::new(Evidence { timeline, events, steps, ..Evidence::default() })
        });
        Ran {
            is_of_program: false,
            points: execution.points,
            stayed: execution.stayed,
            reports: execution.reports,
            is_intact: execution.ending == Ending::Completed,
            ending: session.take_ending(),
            judgement,
            evidence,
        }
    }
}

impl Pace {
    /// Of a program that is a test of a framework, or is none.
    pub fn of(framework: Option<Framework>) -> Self {
        Self { framework, ..Self::default() }
    }

    /// Everyone gets their share soon, by what others took. But an execution that takes longer than those may yet end, so
    /// only what does not end within all the points is a livelock; once one is known, others need not take so long.
    fn budget(&self) -> Budget {
        if let Some(points) = self.replayed {
            return points.into();
        }
        let soon =
            self.longest.map_or(MOST_POINTS, |longest| (longest * BUDGET_FACTOR).clamp(FEWEST_POINTS, MOST_POINTS));
        Budget { points: if self.has_livelock { soon } else { MOST_POINTS }, fair_after: soon / 2 }
    }

    // Inlined, since what comes of it is copied otherwise.
    #[inline(always)]
    fn execute(&mut self, session: &mut Session, number: u64, mode: Mode<'_>, known: &Known, is_logged: bool) -> Ran {
        let budget = self.budget();
        let (execution, steps) = if is_logged {
            session.log_image(number, mode, budget)
        } else {
            let expected = self.longest.unwrap_or(EXPECTED_POINTS);
            (session.execute_image(number, mode, budget, expected), Vec::new())
        };
        let (points, stayed, reports) = (execution.points, execution.stayed, execution.reports);
        let ending = self.compared(session.take_ending());
        let mut judgement = exit::judge(&ending);
        printed::tell(&mut judgement, self.framework, || session.printed());
        let is_new = is_new(&judgement, reports, known);
        let evidence = (is_new || is_logged).then(|| {
            let schedule = is_new.then(|| session.schedule());
            let signatures = if is_new { session.report_signatures() } else { Vec::new() };
            Box::new(Evidence { schedule, signatures, steps, ..Evidence::default() })
        });
        let is_intact = !session.is_spent();
        Ran { is_of_program: true, ending, points, stayed, reports, judgement, evidence, is_intact }
    }

    /// How an execution ended, by what others took: what is much longer than any that ended is no matter of its size.
    fn compared(&self, ending: Ending) -> Ending {
        match ending {
            Ending::TooLong(points) if self.longest.is_some_and(|longest| points >= longest * MUCH_LONGER) => {
                Ending::OutOfSteps(points)
            }
            ending => ending,
        }
    }

    /// Takes in how long an execution took.
    pub fn learn(&mut self, ran: &Ran) {
        match &ran.judgement {
            Judgement::Right if ran.reports == 0 => self.longest = self.longest.max(Some(ran.points - ran.stayed)),
            Judgement::Wrong(failure) => self.has_livelock |= failure.verdict == Verdict::Livelock,
            Judgement::Right | Judgement::Incomparable(..) => {}
        }
    }
}

impl Ran {
    pub fn steps(&self) -> &[Step] {
        self.evidence.as_deref().map_or(&[], |evidence| &evidence.steps)
    }

    pub fn events(&self) -> &[Event] {
        self.evidence.as_deref().map_or(&[], |evidence| &evidence.events)
    }
}

/// Whether there is something to tell.
fn is_new(judgement: &Judgement, reports: u32, known: &Known) -> bool {
    let is_wrong = |judgement: &Judgement| match judgement {
        Judgement::Wrong(failure) => !known.fingerprints.contains(&fingerprint(failure)),
        Judgement::Right | Judgement::Incomparable(..) => false,
    };
    reports > 0 || is_wrong(judgement)
}

#[cfg(test)]
impl Default for Ran {
    /// One of a task graph that was right and did nothing.
    fn default() -> Self {
        Self {
            is_of_program: false,
            ending: Ending::Completed,
            points: 0,
            stayed: 0,
            reports: 0,
            judgement: Judgement::Right,
            evidence: None,
            is_intact: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::verdict::{Failure, OracleName};

    fn ran(judgement: Judgement, points: u64) -> Ran {
        Ran { points, judgement, ..Ran::default() }
    }

    fn livelock() -> Judgement {
        let (message, cause) = (String::new(), String::new());
        Judgement::Wrong(Failure { verdict: Verdict::Livelock, oracle: OracleName::Progress, message, cause })
    }

    #[test]
    fn everyone_gets_their_share_sooner_once_it_is_known_how_long_a_program_takes() {
        let mut pace = Pace::default();
        let of = |pace: &Pace| (pace.budget().points, pace.budget().fair_after);
        assert_eq!(of(&pace), (MOST_POINTS, MOST_POINTS / 2));
        pace.learn(&ran(Judgement::Right, 1_000));
        pace.learn(&ran(Judgement::Right, 10));
        assert_eq!(of(&pace), (MOST_POINTS, 25_000), "what takes longer may yet end");
        pace.learn(&ran(livelock(), 9_999_999));
        assert_eq!(of(&pace), (50_000, 25_000), "a livelock is known");
    }

    #[test]
    fn a_schedule_that_did_not_end_is_replayed_no_further() {
        let mut program = Loaded::Program(Pace::default());
        let schedule = Schedule::default();
        let points = |program: &Loaded| match program {
            Loaded::Program(pace) => pace.budget().points,
            Loaded::TaskGraph(_) => unreachable!("it is a program"),
        };
        program.expect(&schedule, true);
        assert_eq!(points(&program), schedule.points());
        program.expect(&schedule, false);
        assert_eq!(points(&program), MOST_POINTS);
    }

    #[test]
    fn what_is_at_work_for_much_longer_than_others_took_does_not_end() {
        let ended = |longest| Pace { longest, ..Pace::default() }.compared(Ending::TooLong(MOST_POINTS));
        assert_eq!(ended(None), Ending::TooLong(MOST_POINTS));
        assert_eq!(ended(Some(MOST_POINTS / 2)), Ending::TooLong(MOST_POINTS));
        assert_eq!(ended(Some(MOST_POINTS / 8)), Ending::OutOfSteps(MOST_POINTS));
    }
}
