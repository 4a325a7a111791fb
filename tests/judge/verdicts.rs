//! Comparing what the controller reached with what there is, and saying where they differ.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use super::enumerate::{Outcomes, enumerate};
use super::explore::Explored;
use super::generate::{Shape, generate};
use super::minimise::smaller;
use super::program::{Outcome, Program};
use super::{Setting, emit, execute};
use threadbare::model::settings::Sanitizer;
use threadbare::target::Workshop;

/// States of a program whose outcomes are enumerated: at most.
const MOST_STATES: usize = 200_000;
/// Programs of a seed, of which the first that is of interest is taken: at most.
const ATTEMPTS: u64 = 8;
/// Rounds of making a program smaller: at most.
const MOST_ROUNDS: usize = 40;

/// A program and all that can come of it.
pub struct Case {
    pub seed: u64,
    pub program: Program,
    pub outcomes: Outcomes,
}

/// Cases that are built together.
pub struct Batch {
    pub cases: Vec<Case>,
    /// Programs with too many states.
    pub left_out: usize,
}

/// How the controller did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It reached exactly what there is.
    Equal,
    /// It reached a part of what there is, and does not say that it tried everything.
    Part,
    Different {
        missing: Vec<Outcome>,
        extra: Vec<Outcome>,
    },
    /// The sanitizer reported something, and nothing is wrong; or nothing, and there is a race.
    Reports {
        reported: bool,
    },
}

impl Batch {
    pub fn of(seeds: std::ops::Range<u64>, shape: Shape) -> Self {
        let mut batch = Self { cases: Vec::new(), left_out: 0 };
        for seed in seeds {
            match Case::of(seed, shape) {
                Some(case) => batch.cases.push(case),
                None => batch.left_out += 1,
            }
        }
        batch
    }

    pub fn execute(&self, workshop: &Workshop, setting: &Setting) -> Result<Vec<Explored>, String> {
        let programs: Vec<_> = self.cases.iter().map(|case| case.program.clone()).collect();
        execute(workshop, &programs, setting)
    }
}

impl Case {
    /// The first program of the seed, of some, that has more than one outcome; `None` if it has too many states.
    fn of(seed: u64, shape: Shape) -> Option<Self> {
        let case = |attempt| {
            let program = generate(seed, attempt, shape);
            enumerate(&program, MOST_STATES).map(|outcomes| Self { seed, program, outcomes })
        };
        let is_dull = |case: &Option<Self>| case.as_ref().is_some_and(|case| case.outcomes.all.len() == 1);
        (0..ATTEMPTS).map(case).find(|case| !is_dull(case)).unwrap_or_else(|| case(0))
    }

    pub fn judge(&self, explored: &Explored, setting: &Setting) -> Verdict {
        let reached: BTreeSet<_> = explored.outcomes.iter().map(|(outcome, _)| outcome.clone()).collect();
        let missing: Vec<_> = self.outcomes.all.difference(&reached).cloned().collect();
        let extra: Vec<_> = reached.difference(&self.outcomes.all).cloned().collect();
        if !extra.is_empty() || explored.search_ended && !missing.is_empty() {
            return Verdict::Different { missing, extra };
        }
        if let Some(wrong) = self.judge_reports(explored, setting) {
            return wrong;
        }
        if missing.is_empty() { Verdict::Equal } else { Verdict::Part }
    }

    /// What is wrong with what the sanitizer reported, or did not.
    fn judge_reports(&self, explored: &Explored, setting: &Setting) -> Option<Verdict> {
        let (reported, can_race) = (explored.reports > 0, self.outcomes.races);
        let wrong = match setting.sanitizer {
            Sanitizer::Thread if can_race => !reported && explored.search_ended,
            Sanitizer::Thread => reported && self.program.orders_as_it_waits(),
            _ => reported,
        };
        wrong.then_some(Verdict::Reports { reported })
    }

    /// A smaller case of the same kind of difference, if there is one.
    pub fn minimise(self, workshop: &Workshop, setting: &Setting) -> Self {
        let mut smallest = self;
        for _ in 0..MOST_ROUNDS {
            let seed = smallest.seed;
            let cases = smaller(&smallest.program).into_iter().filter_map(|program| {
                let outcomes = enumerate(&program, MOST_STATES)?;
                Some(Case { seed, program, outcomes })
            });
            let batch = Batch { cases: cases.collect(), left_out: 0 };
            let Ok(explored) = batch.execute(workshop, setting) else { break };
            let differs = |(case, explored): &(Case, Explored)| {
                matches!(case.judge(explored, setting), Verdict::Different { .. } | Verdict::Reports { .. })
            };
            match batch.cases.into_iter().zip(explored).find(differs) {
                Some((case, _)) => smallest = case,
                None => break,
            }
        }
        smallest
    }
}

impl Display for Case {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "seed {}:\n{}", self.seed, emit::functions(0, &self.program))?;
        writeln!(formatter, "expected:")?;
        self.outcomes.all.iter().try_for_each(|outcome| writeln!(formatter, "  {outcome}"))
    }
}

impl Display for Verdict {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal => writeln!(formatter, "equal"),
            Self::Part => writeln!(formatter, "a part"),
            Self::Different { missing, extra } => {
                missing.iter().try_for_each(|outcome| writeln!(formatter, "missing: {outcome}"))?;
                extra.iter().try_for_each(|outcome| writeln!(formatter, "impossible: {outcome}"))
            }
            Self::Reports { reported: true } => writeln!(formatter, "something was reported, and nothing is wrong"),
            Self::Reports { reported: false } => writeln!(formatter, "no race was reported, and there is one"),
        }
    }
}
