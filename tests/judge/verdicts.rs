//! Comparing what the controller reached with what there is, and saying where they differ.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use super::enumerate::{Outcomes, enumerate};
use super::explore::Explored;
use super::generate::{Shape, generate};
use super::program::{Outcome, Program};
use super::shrink::smaller;
use super::{Setting, emit, execute};
use threadbare::target::Workshop;

/// States of a program whose outcomes are enumerated: at most.
const MOST_STATES: usize = 200_000;
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
    /// Programs that have too many states.
    pub too_large: usize,
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
    /// Reports of races, and there are none; or none, and there are.
    Races { reported: bool },
}

impl Batch {
    pub fn of(seeds: std::ops::Range<u64>, shape: Shape) -> Self {
        let mut batch = Self { cases: Vec::new(), too_large: 0 };
        for seed in seeds {
            let program = generate(seed, shape);
            match enumerate(&program, MOST_STATES) {
                Some(outcomes) => batch.cases.push(Case { seed, program, outcomes }),
                None => batch.too_large += 1,
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
    pub fn judge(&self, explored: &Explored) -> Verdict {
        let reached: BTreeSet<_> = explored.outcomes.iter().map(|(outcome, _)| outcome.clone()).collect();
        let missing: Vec<_> = self.outcomes.all.difference(&reached).cloned().collect();
        let extra: Vec<_> = reached.difference(&self.outcomes.all).cloned().collect();
        if !extra.is_empty() || explored.exhausted && !missing.is_empty() {
            return Verdict::Different { missing, extra };
        }
        if missing.is_empty() { Verdict::Equal } else { Verdict::Part }
    }

    /// A smaller case of the same kind of difference, if there is one.
    pub fn shrink(self, workshop: &Workshop, setting: &Setting) -> Self {
        let mut smallest = self;
        for _ in 0..MOST_ROUNDS {
            let seed = smallest.seed;
            let cases = smaller(&smallest.program).into_iter().filter_map(|program| {
                let outcomes = enumerate(&program, MOST_STATES)?;
                Some(Case { seed, program, outcomes })
            });
            let batch = Batch { cases: cases.collect(), too_large: 0 };
            let Ok(explored) = batch.execute(workshop, setting) else { break };
            let differs = |(case, explored): &(Case, Explored)| {
                matches!(case.judge(explored), Verdict::Different { .. } | Verdict::Races { .. })
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
            Self::Races { reported: true } => writeln!(formatter, "a race was reported, and there is none"),
            Self::Races { reported: false } => writeln!(formatter, "no race was reported, and there is one"),
        }
    }
}
