//! Replays cases in fresh workers and says whether each shows its recorded verdict.

mod going_on;
mod read;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::path::PathBuf;

use anyhow::{Error, Result};
use serde::Serialize;

use super::fingerprint::fingerprint;
use super::interrupt;
use super::job::{Divergence, Job, Replay, Work};
use super::prebuilt;
use super::supervisor::{Ended, Supervisor};
use crate::case::{Case, Workload};
use crate::check::trust::Trust;
use crate::model::settings::{Engine, Sanitizer, Settings};
use crate::model::verdict::{Failure, Verdict};
use crate::model::word;
use crate::oracle::sanitizer::LOST_STACK;
use crate::target::prebuilt::of_target;
use crate::target::{Builds, Failed, Progress, Target, Workshop};

/// Executions that a case without a schedule gets, since engine `free` shows it only by luck.
pub const FREE_ATTEMPTS: u64 = 1000;

/// What one replay of a case showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    Clean,
    /// At least one failure; the first is what it is reported as.
    Failed(Vec<Failure>),
    Diverged(Divergence),
    /// The oracles could not say; the reason.
    Incomparable(String),
}

impl Seen {
    /// Reads a worker's end.
    #[must_use]
    pub fn of(ended: &Ended) -> Self {
        if let Some(found) = &ended.found {
            Self::Failed(found.failures.clone())
        } else if let Some(divergence) = &ended.outcome.diverged {
            Self::Diverged(divergence.clone())
        } else if let Some(reason) = ended.outcome.incomparable.keys().next() {
            Self::Incomparable(word(reason))
        } else if let Some(why) = &ended.outcome.refused {
            Self::Incomparable(why.clone())
        } else {
            Self::Clean
        }
    }

    /// Whether the verdict of the case is among what was seen.
    #[must_use]
    pub fn shows(&self, case: &Case) -> bool {
        self.verdicts().contains(&case.verdict)
    }

    /// Whether the failure of the case is among what was seen when the code that it is of was executed again. One that was
    /// recorded without control shows by luck, as does one of its kind, and one whose calls were lost has other ones.
    #[must_use]
    pub fn confirms(&self, case: &Case) -> bool {
        match self {
            Self::Failed(failures) if case.schedule.is_some() && !case.report.contains(LOST_STACK) => {
                failures.iter().any(|failure| fingerprint(failure) == case.fingerprint)
            }
            _ => self.shows(case),
        }
    }

    fn verdicts(&self) -> Vec<Verdict> {
        match self {
            Self::Clean => vec![Verdict::Clean],
            Self::Failed(failures) => failures.iter().map(|failure| failure.verdict).collect(),
            Self::Diverged(_) | Self::Incomparable(_) => Vec::new(),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clean => write!(f, "was clean"),
            Self::Failed(failures) => {
                let first = failures.first().map_or_else(String::new, |failure| failure.message.clone());
                let verdict = failures.first().map_or_else(String::new, |failure| word(&failure.verdict));
                write!(f, "showed {verdict}: {first}")
            }
            Self::Diverged(divergence) => write!(f, "diverged at step {}: {}", divergence.step, divergence.why),
            Self::Incomparable(reason) => write!(f, "could not be compared: {reason}"),
        }
    }
}

/// What a replay means for its case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conclusion {
    AsExpected,
    Diverged(Divergence),
    Unexpected,
    /// The sanitizer or engine that was asked for cannot show this verdict.
    NotShown,
}

/// Judges what was seen of a case that was executed under `settings`, of code that is the same or may have changed.
#[must_use]
pub fn conclude(case: &Case, settings: &Settings, seen: &Seen, is_same_code: bool) -> Conclusion {
    let is_same = is_same_code && settings.sanitizer == case.settings.sanitizer;
    if if is_same { seen.confirms(case) } else { seen.shows(case) } {
        return Conclusion::AsExpected;
    }
    let verdicts = seen.verdicts();
    match seen {
        Seen::Diverged(divergence) => Conclusion::Diverged(divergence.clone()),
        _ if !can_show(case, settings) => Conclusion::NotShown,
        Seen::Failed(_) if explains(case, settings, &verdicts) => Conclusion::AsExpected,
        _ => Conclusion::Unexpected,
    }
}

/// Whether the verdict of a case can be seen under other settings than its own.
fn can_show(case: &Case, settings: &Settings) -> bool {
    if settings.engine == Engine::Free {
        return false;
    }
    settings.sanitizer == case.settings.sanitizer
        || match case.verdict {
            Verdict::DataRace => settings.sanitizer == Sanitizer::Thread,
            Verdict::MemoryError | Verdict::UndefinedBehaviour | Verdict::Leak => {
                settings.sanitizer == Sanitizer::Address
            }
            Verdict::SanitizerReport => false,
            _ => true,
        }
}

/// Whether another sanitizer than the case's own saw the reason of the failure before it came to show.
fn explains(case: &Case, settings: &Settings, verdicts: &[Verdict]) -> bool {
    let sees_reasons = [Verdict::DataRace, Verdict::MemoryError, Verdict::UndefinedBehaviour, Verdict::Crash];
    case.verdict != Verdict::Clean
        && settings.sanitizer != case.settings.sanitizer
        && verdicts.iter().any(|verdict| sees_reasons.contains(verdict))
}

/// What to replay and how.
pub struct Plan {
    pub paths: Vec<PathBuf>,
    /// Replays of each case, each in a fresh worker.
    pub repeat: u64,
    /// The engine, in place of the case's own.
    pub engine: Option<Engine>,
    pub sanitizer: Option<Sanitizer>,
    /// Switched on for inputs of a fuzzer, which name none.
    pub bug: Option<String>,
    pub jobs: usize,
    /// Cases of checks that reach outside are refused, but for those that are named and trusted.
    pub trust: Trust,
    pub trusts_named: bool,
}

/// A case and what its replays came to.
pub struct Replayed {
    pub path: PathBuf,
    pub case: Case,
    /// The input of a fuzzer, encoded, which says nothing of what is to come of it.
    pub input: Option<Vec<u8>>,
    /// The settings it was executed under.
    pub settings: Settings,
    /// What is built for it.
    pub target: Target,
    /// The sources of a check are not those that the case was recorded with.
    pub sources_changed: bool,
    pub seen: Vec<Seen>,
    /// The worst of its replays.
    pub conclusion: Conclusion,
    /// Time spent executing and judging.
    pub seconds: f64,
}

/// A file that cannot be replayed.
#[derive(Clone, Debug, Serialize)]
pub struct Refused {
    pub path: PathBuf,
    /// With the name of the file.
    pub why: String,
}

impl Refused {
    fn of(case: Replayed, error: &Error) -> Self {
        let why = format!("{}: {error:#}", case.path.display());
        Self { path: case.path, why }
    }
}

impl Replayed {
    /// Whether it is known that the code is that of which the case is. Of a runtime it is not.
    fn is_same_code(&self) -> bool {
        matches!(&self.case.workload, Workload::Check(check) if check.recorded.is_some()) && !self.sources_changed
    }

    /// Whether it got its turn before Ctrl-C.
    #[must_use]
    pub fn was_replayed(&self) -> bool {
        !self.seen.is_empty()
    }
}

impl Plan {
    /// Replays what was read, until Ctrl-C. Takes those away whose target does not compile or whose worker cannot do what it is
    /// asked, and gives them.
    ///
    /// # Errors
    /// Nothing can be built, or no worker can be supervised.
    pub fn replay(
        &self,
        workshop: &Workshop,
        results: &mut Vec<Replayed>,
        observe: impl FnMut(&Progress) -> bool,
    ) -> Result<Vec<Refused>> {
        let wanted = results.iter().map(|result| (result.target.clone(), result.settings.sanitizer));
        let (builds, failed) = workshop.build_what_compiles(wanted, observe)?;
        let mut refused = take_unbuilt(results, &failed);
        refused.extend(self.settle_engines(results, &builds)?);
        let mut impossible: BTreeMap<usize, Error> = BTreeMap::new();
        let mut supervisor = Supervisor::new(self.jobs)?;
        let mut waiting: VecDeque<(usize, Option<Divergence>)> =
            (0..results.len()).flat_map(|index| (0..self.repeat).map(move |_| (index, None))).collect();
        while !interrupt::requested() {
            while supervisor.has_room()
                && let Some((index, diverged)) = waiting.pop_front()
            {
                let Replayed { case, input, settings, target, .. } = &results[index];
                let times = if case.schedule.is_some() { 1 } else { FREE_ATTEMPTS };
                let work = match input {
                    Some(input) => Work::Input { input: input.clone(), number: 0 },
                    None if diverged.is_some() => going_on::work(case),
                    None => Work::Replay(Replay { from: 0, times, explains: false }),
                };
                let target = builds.of(target, settings.sanitizer)?.clone();
                let job = Job { settings: settings.clone(), target, work };
                if let Err(error) = supervisor.start((index, diverged), job, Some(case)) {
                    impossible.entry(index).or_insert(error);
                }
            }
            if supervisor.is_idle() {
                break;
            }
            for ((index, diverged), ended) in supervisor.poll_each()? {
                let result = &mut results[index];
                let ended = match ended {
                    Ok(ended) => ended,
                    Err(error) => {
                        impossible.entry(index).or_insert(error);
                        continue;
                    }
                };
                let seen = match diverged {
                    Some(divergence) => Seen::Diverged(going_on::told(divergence, &result.case, &ended)),
                    None => Seen::of(&ended),
                };
                result.seconds += ended.outcome.seconds;
                if let Seen::Diverged(divergence) = &seen
                    && matches!(ended.job.work, Work::Replay(_))
                    && result.case.schedule.is_some()
                {
                    waiting.push_front((index, Some(divergence.clone())));
                    continue;
                }
                let conclusion = conclude(&result.case, &result.settings, &seen, result.is_same_code());
                if severity(&conclusion) > severity(&result.conclusion) {
                    result.conclusion = conclusion;
                }
                result.seen.push(seen);
            }
        }
        // From the last to the first, so that the others keep their places.
        for (index, error) in impossible.into_iter().rev() {
            refused.push(Refused::of(results.remove(index), &error));
        }
        Ok(refused)
    }
}

impl Plan {
    /// Has threads execute what fibers cannot, and takes away the cases that fibers are asked for all the same.
    fn settle_engines(&self, results: &mut Vec<Replayed>, builds: &Builds) -> Result<Vec<Refused>> {
        let mut refused = Vec::new();
        for mut case in std::mem::take(results) {
            // Not there if Ctrl-C came first: then it is not replayed either.
            let built = builds.of(&case.target, case.settings.sanitizer).ok();
            let found = built.map(|built| of_target(&case.target, built)).transpose()?.unwrap_or_default();
            match prebuilt::engine(case.settings.engine, self.engine.is_some(), &found) {
                Ok(engine) => {
                    case.settings.engine = engine;
                    results.push(case);
                }
                Err(error) => refused.push(Refused::of(case, &error)),
            }
        }
        Ok(refused)
    }
}

/// Takes away the cases whose target could not be built.
fn take_unbuilt(results: &mut Vec<Replayed>, failed: &Failed) -> Vec<Refused> {
    let mut refused = Vec::new();
    for case in std::mem::take(results) {
        let is_of = |(target, sanitizer, _): &&(Target, Sanitizer, Error)| {
            *target == case.target && *sanitizer == case.settings.sanitizer
        };
        match failed.iter().find(is_of) {
            None => results.push(case),
            Some((.., error)) => refused.push(Refused::of(case, error)),
        }
    }
    refused
}

fn severity(conclusion: &Conclusion) -> u8 {
    match conclusion {
        Conclusion::AsExpected => 0,
        Conclusion::NotShown => 1,
        Conclusion::Diverged(_) => 2,
        Conclusion::Unexpected => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schedule::Schedule;
    use crate::model::verdict::OracleName;
    use crate::task_graph;

    fn settings(sanitizer: Sanitizer, engine: Engine) -> Settings {
        Settings { sanitizer, engine, ..Settings::sample() }
    }

    fn case(verdict: Verdict, sanitizer: Sanitizer) -> Case {
        Case {
            settings: settings(sanitizer, Engine::Fibers),
            workload: task_graph::TaskGraph::default().into(),
            schedule: None,
            verdict,
            oracle: None,
            fingerprint: String::new(),
            report: String::new(),
        }
    }

    fn failed(verdict: Verdict) -> Seen {
        let failure = Failure { verdict, oracle: OracleName::Sanitizer, message: String::new(), cause: String::new() };
        Seen::Failed(vec![failure])
    }

    fn concluded(expected: Verdict, recorded: Sanitizer, replayed: Sanitizer, seen: &Seen) -> Conclusion {
        conclude(&case(expected, recorded), &settings(replayed, Engine::Fibers), seen, false)
    }

    #[test]
    fn the_recorded_verdict_is_as_expected_and_any_other_is_not() {
        use Sanitizer::None;
        assert_eq!(concluded(Verdict::Deadlock, None, None, &failed(Verdict::Deadlock)), Conclusion::AsExpected);
        assert_eq!(concluded(Verdict::Deadlock, None, None, &failed(Verdict::Crash)), Conclusion::Unexpected);
        assert_eq!(concluded(Verdict::Deadlock, None, None, &Seen::Clean), Conclusion::Unexpected);
        assert_eq!(concluded(Verdict::Clean, None, None, &Seen::Clean), Conclusion::AsExpected);
    }

    #[test]
    fn another_failure_of_the_same_verdict_is_unexpected_unless_the_code_may_have_changed() {
        let of = |cause: &str| {
            let (verdict, oracle) = (Verdict::DataRace, OracleName::Sanitizer);
            Failure { verdict, oracle, message: String::new(), cause: cause.to_owned() }
        };
        let schedule = Some(Schedule::default());
        let case = Case { schedule, fingerprint: fingerprint(&of("b")), ..case(Verdict::DataRace, Sanitizer::Thread) };
        let concluded = |causes: &[&str], is_same_code| {
            let seen = Seen::Failed(causes.iter().map(|cause| of(cause)).collect());
            conclude(&case, &settings(Sanitizer::Thread, Engine::Fibers), &seen, is_same_code)
        };
        assert_eq!(concluded(&["a", "b"], true), Conclusion::AsExpected);
        assert_eq!(concluded(&["a"], true), Conclusion::Unexpected);
        assert_eq!(concluded(&["a"], false), Conclusion::AsExpected);
    }

    #[test]
    fn a_clean_case_that_fails_is_unexpected_under_every_sanitizer() {
        for sanitizer in [Sanitizer::None, Sanitizer::Thread, Sanitizer::Address] {
            let seen = failed(Verdict::DataRace);
            assert_eq!(concluded(Verdict::Clean, Sanitizer::None, sanitizer, &seen), Conclusion::Unexpected);
        }
    }

    #[test]
    fn a_verdict_that_a_sanitizer_cannot_show_is_not_shown_rather_than_passed() {
        let conclusion = concluded(Verdict::DataRace, Sanitizer::Thread, Sanitizer::None, &Seen::Clean);
        assert_eq!(conclusion, Conclusion::NotShown);
        let free = settings(Sanitizer::None, Engine::Free);
        let seen = Seen::Clean;
        assert_eq!(conclude(&case(Verdict::Deadlock, Sanitizer::None), &free, &seen, false), Conclusion::NotShown);
    }

    #[test]
    fn another_sanitizer_may_see_the_reason_before_the_failure_shows() {
        let seen = failed(Verdict::MemoryError);
        let conclusion = concluded(Verdict::Crash, Sanitizer::None, Sanitizer::Address, &seen);
        assert_eq!(conclusion, Conclusion::AsExpected);
        assert_eq!(concluded(Verdict::Crash, Sanitizer::None, Sanitizer::None, &seen), Conclusion::Unexpected);
    }

    #[test]
    fn a_divergence_is_never_passed() {
        let divergence = Divergence { step: 3, why: "thread 2 cannot run".to_owned() };
        let seen = Seen::Diverged(divergence.clone());
        for expected in [Verdict::Clean, Verdict::Deadlock, Verdict::DataRace] {
            let conclusion = concluded(expected, Sanitizer::Thread, Sanitizer::None, &seen);
            assert_eq!(conclusion, Conclusion::Diverged(divergence.clone()));
        }
    }
}
