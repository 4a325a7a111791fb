//! Divides a campaign's executions over its cells, a slice at a time.
//!
//! Execution number `i` of a cell is the same whoever executes it and when (see [`super::seed`]), so how a campaign is
//! sliced changes nothing but its throughput. Unless it is coverage-guided: then what a slice executes depends on where
//! it begins and on the corpus.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::behaviours::Behaviours;
use crate::model::extent::Extent;
use crate::model::left_out::LeftOut;
use crate::model::settings::{Engine, Sanitizer};
use crate::model::verdict::Incomparable;

use super::job::Outcome;
use super::quota::Quota;

/// Shortest and longest time until a worker reports back.
const SLICE: [Duration; 2] = [Duration::from_millis(60), Duration::from_millis(800)];
/// The same in a coverage-guided campaign, where every slice begins by executing what is in the corpus.
const COVERAGE_GUIDED_SLICE: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(10)];
/// Where time is the limit, every cell gets its turn at least so often.
const TURNS: u32 = 2;
/// More than the time of a slice allows; several slices of a cell can be out at once.
const ENDLESS: u64 = 1 << 32;
/// Slices of a cell in a coverage-guided campaign of a number of executions, and how long they are.
const COVERAGE_GUIDED_SLICES: u64 = 4;
const COVERAGE_GUIDED_EXECUTIONS: [u64; 2] = [1_000, 20_000];

/// What is executed under one sanitizer with one number of threads.
#[derive(Clone, Debug)]
pub struct Cell {
    pub sanitizer: Sanitizer,
    pub threads: u16,
    quota: Quota,
    pub executions: u64,
    pub points: u64,
    pub seconds: f64,
    /// Task graphs that slices of a coverage-guided campaign executed; some of them more than one slice.
    pub mutated: u64,
    /// Findings, repeated ones too.
    pub findings: u64,
    pub incomparable: BTreeMap<Incomparable, u64>,
    /// Replays of its findings whose schedule did not fit.
    pub diverged: u64,
    /// The strategy has made every execution that it would make: every schedule, but for what was left out.
    pub search_ended: bool,
    /// There was never a second thread, so one execution is all.
    pub alone: bool,
    pub left_out: LeftOut,
    /// How far a search of all executions has come.
    pub extent: Option<Extent>,
    /// Of those executions that were looked at.
    pub behaviours: Behaviours,
}

impl Cell {
    fn new(sanitizer: Sanitizer, threads: u16, quota: Quota) -> Self {
        Self {
            sanitizer,
            threads,
            quota,
            executions: 0,
            points: 0,
            seconds: 0.0,
            mutated: 0,
            findings: 0,
            incomparable: BTreeMap::new(),
            diverged: 0,
            search_ended: false,
            alone: false,
            left_out: LeftOut::default(),
            extent: None,
            behaviours: Behaviours::default(),
        }
    }

    /// Every schedule was tried: the search came to its end, and nothing was left out.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.search_ended && self.left_out.is_empty()
    }

    /// Nothing that is left to execute would be new.
    fn is_done(&self) -> bool {
        self.search_ended || self.alone
    }

    /// Adds what a slice came to. Its findings, and with them those that repeat them, are counted as they are taken in.
    pub(super) fn count(&mut self, outcome: &Outcome) {
        self.executions += outcome.executions;
        self.points += outcome.points;
        self.seconds += outcome.seconds;
        self.mutated += outcome.task_graphs;
        self.search_ended |= outcome.search_ended;
        self.alone |= outcome.alone;
        self.left_out.add(&outcome.left_out);
        self.extent = outcome.extent.or(self.extent);
        self.behaviours.add(&outcome.behaviours);
        for (reason, count) in &outcome.incomparable {
            *self.incomparable.entry(*reason).or_default() += count;
        }
    }
}

/// A slice that was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Index into [`Plan::cells`].
    pub cell: usize,
    pub first: u64,
    pub count: u64,
    /// When it is to report back, however far it got. `None` where that would make it another campaign.
    pub limit: Option<Duration>,
}

/// How a campaign is cut into slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It does not matter how, so it is done by what is quick with this engine.
    Anywhere(Engine),
    /// Where a coverage-guided campaign of a number of executions is cut again when it is repeated; or by time, if that
    /// ends it.
    CoverageGuided,
    /// After so many executions, since what a strategy learns lasts as long: their number must not depend on time.
    Program { slice: u64 },
}

/// All cells and whose turn it is.
pub struct Plan {
    pub cells: Vec<Cell>,
    turn: usize,
    limit: Option<Duration>,
    cut: Cut,
    executions: Option<u64>,
}

impl Plan {
    /// One cell for each sanitizer and thread count. `executions` are divided evenly, the first cells
    /// taking one more each where they do not divide; `budget` only sets how long a slice takes.
    #[must_use]
    pub fn new(
        sanitizers: &[Sanitizer],
        threads: &[u16],
        cut: Cut,
        executions: Option<u64>,
        budget: Option<Duration>,
        jobs: usize,
    ) -> Self {
        let count = (sanitizers.len() * threads.len()).max(1) as u64;
        let quota = |index: u64| Quota::share(executions, index, count);
        let pairs = sanitizers.iter().flat_map(|sanitizer| threads.iter().map(move |threads| (*sanitizer, *threads)));
        let cells =
            pairs.zip(0..).map(|((sanitizer, threads), index)| Cell::new(sanitizer, threads, quota(index))).collect();
        let [shortest, longest] = if cut == Cut::CoverageGuided { COVERAGE_GUIDED_SLICE } else { SLICE };
        let by_time = budget.map(|budget| match cut {
            Cut::Program { slice: u64::MAX } => budget,
            Cut::Program { .. } => budget / (TURNS * count as u32).div_ceil(jobs.min(count as usize) as u32),
            _ => (budget * u32::try_from(jobs).unwrap_or(u32::MAX) / (TURNS * count as u32)).clamp(shortest, longest),
        });
        let limit = by_time.or(matches!(cut, Cut::Anywhere(_)).then_some(longest));
        Self { cells, turn: 0, limit, cut, executions: executions.map(|total| total / count) }
    }

    /// Executions of a slice: at most.
    fn most_at_once(&self, sanitizer: Sanitizer) -> u64 {
        match (self.cut, self.executions) {
            (Cut::Anywhere(engine), _) => most_at_once(sanitizer, engine),
            (Cut::Program { slice }, _) => slice,
            (Cut::CoverageGuided, None) => ENDLESS,
            (Cut::CoverageGuided, Some(of_cell)) => {
                let [fewest, most] = COVERAGE_GUIDED_EXECUTIONS;
                (of_cell / COVERAGE_GUIDED_SLICES).clamp(fewest, most)
            }
        }
    }

    /// Hands out a slice of the next cell that has executions left and is `ready`; `left` is the campaign's time.
    pub fn next(&mut self, left: Option<Duration>, ready: impl Fn(Sanitizer) -> bool) -> Option<Share> {
        if left.is_some_and(|left| left.is_zero()) {
            return None;
        }
        for _ in 0..self.cells.len() {
            let cell = self.turn;
            self.turn = (self.turn + 1) % self.cells.len();
            if self.cells[cell].is_done() || !ready(self.cells[cell].sanitizer) {
                continue;
            }
            let most = self.most_at_once(self.cells[cell].sanitizer);
            if let Some((first, count)) = self.cells[cell].quota.take(most) {
                let limit = [self.limit, left].into_iter().flatten().min();
                return Some(Share { cell, first, count, limit });
            }
        }
        None
    }

    /// Whether there is anything left to hand out.
    #[must_use]
    pub fn has_left(&self) -> bool {
        self.cells.iter().any(|cell| cell.quota.has_left())
    }

    /// Whether the next slice is the first of a pass over the cells.
    #[must_use]
    pub fn begins_pass(&self) -> bool {
        self.turn == 0 || self.cells[self.turn..].iter().all(|cell| !cell.quota.has_left())
    }

    /// Takes back what a worker did not get to.
    pub fn give_back(&mut self, cell: usize, first: u64, count: u64) {
        self.cells[cell].quota.give_back(first, count);
    }

    /// Executions so far.
    #[must_use]
    pub fn executions(&self) -> u64 {
        self.cells.iter().map(|cell| cell.executions).sum()
    }
}

/// More than a slice's time allows would only be handed back, and less would be lost in starting workers.
fn most_at_once(sanitizer: Sanitizer, engine: Engine) -> u64 {
    match (engine, sanitizer) {
        (Engine::Free, _) => 10_000,
        (_, Sanitizer::None) => 400_000,
        (_, Sanitizer::Thread | Sanitizer::Address) => 60_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Sanitizer; 3] = [Sanitizer::None, Sanitizer::Thread, Sanitizer::Address];

    fn handed_out(plan: &mut Plan) -> Vec<Share> {
        std::iter::from_fn(|| plan.next(None, |_| true)).collect()
    }

    #[test]
    fn executions_are_divided_over_the_cells_without_loss() {
        let mut plan = Plan::new(&ALL, &[1, 2, 4, 8], Cut::Anywhere(Engine::Fibers), Some(1_000_001), None, 2);
        let total: u64 = handed_out(&mut plan).iter().map(|share| share.count).sum();
        assert_eq!(total, 1_000_001);
        assert_eq!(plan.cells.len(), 12);
    }

    #[test]
    fn every_execution_of_a_cell_is_handed_out_once_even_if_workers_stop_early() {
        let mut plan = Plan::new(&[Sanitizer::None], &[2], Cut::Anywhere(Engine::Free), Some(25_000), None, 1);
        let mut done = vec![0_u32; 25_000];
        while let Some(share) = plan.next(None, |_| true) {
            let reached = (share.count / 2).max(1);
            for execution in share.first..share.first + reached {
                done[execution as usize] += 1;
            }
            plan.give_back(share.cell, share.first + reached, share.count - reached);
        }
        assert!(done.iter().all(|times| *times == 1));
    }

    #[test]
    fn without_a_quota_the_cells_take_turns_until_the_time_is_up() {
        let mut plan = Plan::new(&ALL, &[1, 2], Cut::Anywhere(Engine::Fibers), None, Some(Duration::from_secs(60)), 2);
        let left = Some(Duration::from_secs(1));
        let order: Vec<usize> = (0..12).map(|_| plan.next(left, |_| true).expect("endless").cell).collect();
        assert_eq!(order, [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]);
        assert_eq!(plan.next(Some(Duration::ZERO), |_| true), None);
    }

    #[test]
    fn a_cell_that_is_not_ready_waits_for_its_turn() {
        let mut plan = Plan::new(&ALL, &[1], Cut::Anywhere(Engine::Fibers), Some(300), None, 2);
        let ready = |sanitizer| sanitizer == Sanitizer::Thread;
        assert_eq!(plan.next(None, ready).map(|share| share.cell), Some(1));
        assert_eq!(plan.next(None, ready), None);
        assert!(plan.has_left());
        assert_eq!(handed_out(&mut plan).iter().map(|share| share.count).sum::<u64>(), 200);
    }

    #[test]
    fn a_short_campaign_has_short_slices() {
        let mut plan =
            Plan::new(&ALL, &[1, 2, 4, 8], Cut::Anywhere(Engine::Fibers), None, Some(Duration::from_secs(3)), 2);
        let limit = plan.next(Some(Duration::from_secs(3)), |_| true).expect("a share").limit;
        assert_eq!(limit, Some(Duration::from_millis(250)));
    }

    #[test]
    fn a_coverage_guided_campaign_of_a_number_of_executions_is_cut_by_that_alone() {
        let mut plan = Plan::new(&ALL, &[1, 2], Cut::CoverageGuided, Some(60_000), None, 2);
        assert!(plan.begins_pass());
        let share = plan.next(None, |_| true).expect("a share");
        assert_eq!((share.count, share.limit), (2_500, None));
        assert!(!plan.begins_pass());
        let rest = handed_out(&mut plan);
        assert_eq!(rest.iter().map(|share| share.count).sum::<u64>(), 57_500);
        assert!(!plan.has_left());
        plan.give_back(3, 100, 10);
        assert!(plan.has_left());
    }

    #[test]
    fn several_workers_explore_one_cell_of_a_coverage_guided_campaign_by_time() {
        let mut plan =
            Plan::new(&[Sanitizer::Thread], &[4], Cut::CoverageGuided, None, Some(Duration::from_secs(60)), 8);
        let firsts: Vec<u64> = (0..8).map(|_| plan.next(None, |_| true).expect("endless").first).collect();
        assert!(plan.has_left() && firsts.windows(2).all(|pair| pair[0] < pair[1]), "{firsts:?}");
    }

    #[test]
    fn a_slice_of_a_program_has_a_number_of_executions_and_takes_no_more_than_its_turn() {
        let budget = Duration::from_secs(12);
        let next = |slice| {
            let mut plan = Plan::new(&ALL, &[1], Cut::Program { slice }, None, Some(budget), 2);
            plan.next(Some(budget), |_| true).expect("a share")
        };
        assert_eq!((next(500).count, next(500).limit), (500, Some(Duration::from_secs(4))));
        assert_eq!(next(u64::MAX).limit, Some(budget), "an exhaustive search has but one slice");
    }

    #[test]
    fn a_cell_whose_schedules_were_all_tried_has_no_turn() {
        let mut plan = Plan::new(&ALL, &[1], Cut::Program { slice: 5 }, None, None, 2);
        plan.cells[1].count(&Outcome { search_ended: true, ..Outcome::default() });
        let order: Vec<usize> = (0..4).map(|_| plan.next(None, |_| true).expect("endless").cell).collect();
        assert_eq!(order, [0, 2, 0, 2]);
    }
}
