//! The coverage-guided search: slices begin with what others kept, and add to it.
//!
//! A pass gives each cell one slice. In a campaign of a number of executions, the slices of a pass begin with the same
//! inputs and know the same findings, those of the passes before; so it is the same campaign however its workers
//! overlap. A campaign of some time does not wait for them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::Search;
use crate::campaign::corpus::{Corpus, Gathered, name_of};
use crate::campaign::explorer::Campaign;
use crate::campaign::findings::Findings;
use crate::campaign::job::{Evolution, LeakWindow, Outcome, Work, milliseconds};
use crate::campaign::known::Known;
use crate::campaign::measure::Measurement;
use crate::campaign::plan::{Cell, Cut, Plan, Share};
use crate::campaign::seed::slice_seed;
use crate::campaign::supervisor::{Beginning, Ended, Evolved, Found};
use crate::campaign::suspects::Suspects;
use crate::campaign::targets::Targets;
use crate::case::Workload;
use crate::digest::{BASIS, fnv1a};
use crate::feedback::Features;
use crate::feedback::Kind;
use crate::input::Input;
use crate::model::settings::Sanitizer;
use crate::model::splitmix::splitmix64;
use crate::task_graph::{Shape, Systems, from_seed_in_shape};

/// The part of a campaign's time that executing the corpus may take before the first slice.
const RECALL: u32 = 10;
/// Inputs that a slice begins with: at most.
const MOST_INPUTS: u64 = 2_000;

pub(super) struct CoverageGuided {
    seed: u64,
    feedback: Vec<Kind>,
    /// Of the task graphs.
    shape: Shape,
    corpus: Corpus,
    /// Inputs that were there before.
    found: usize,
    /// What was reached under each sanitizer; each has its own places in the code.
    reached: BTreeMap<Sanitizer, Features>,
    /// Inputs that came in since the pass began, and what was reached since then.
    incoming: Vec<Input>,
    reached_since: BTreeMap<Sanitizer, Features>,
    /// Inputs that a cell does not begin with, by the names that a corpus gives them.
    avoided: BTreeMap<usize, BTreeSet<String>>,
    /// Slices wait for the end of the pass before: the number of executions ends the campaign, and not the time.
    waits: bool,
    /// Slices of this pass that have not ended, with what is done to find out which of their inputs is to be avoided.
    under_way: usize,
    /// What every slice of this pass knows.
    known: Known,
}

impl CoverageGuided {
    /// With the corpus in a directory, or one that lasts as long as the campaign.
    ///
    /// # Errors
    /// The directory cannot be used.
    pub fn new(seed: u64, feedback: &[Kind], directory: Option<&Path>, shape: Shape, waits: bool) -> Result<Self> {
        let corpus = directory.map_or_else(|| Ok(Corpus::default()), Corpus::open)?;
        Ok(Self {
            seed,
            feedback: feedback.to_vec(),
            shape,
            found: corpus.len(),
            corpus,
            reached: BTreeMap::new(),
            incoming: Vec::new(),
            reached_since: BTreeMap::new(),
            avoided: BTreeMap::new(),
            waits,
            under_way: 0,
            known: Known::default(),
        })
    }

    /// Before a slice is handed out, the first of a pass or not: whether that may be done now. If so, a new pass begins
    /// with what came in and with these findings.
    ///
    /// # Errors
    /// The corpus cannot be read or written.
    fn may_begin(&mut self, first: bool, known: impl FnOnce() -> BTreeSet<String>) -> Result<bool> {
        if self.waits && first && self.under_way > 0 {
            return Ok(false);
        }
        if first || !self.waits {
            self.corpus.refresh()?;
            self.gather()?;
            self.known.fingerprints = known();
        }
        Ok(true)
    }

    /// A slice has ended, kept these and reached that.
    ///
    /// # Errors
    /// The corpus cannot be written.
    fn end_slice(&mut self, sanitizer: Sanitizer, kept: Vec<Input>, reached: &Features) -> Result<()> {
        self.under_way -= 1;
        self.incoming.extend(kept);
        self.reached_since.entry(sanitizer).or_default().extend(reached);
        if self.waits { Ok(()) } else { self.gather() }
    }

    /// No slice of this cell begins with that input any more: its workers do not survive it.
    fn avoid(&mut self, cell: usize, input: &Input) {
        self.avoided.entry(cell).or_default().insert(name_of(&input.encode()));
    }

    /// What a slice of that cell begins with. Executing its inputs counts, so of a large corpus each slice, by its seed,
    /// takes another part: half of its executions, and at most so many.
    fn inputs_of(&mut self, cell: usize, sanitizer: Sanitizer, seed: u64, executions: u64) -> Beginning<'_> {
        self.reached.entry(sanitizer).or_default();
        let most = (executions / 2).clamp(1, MOST_INPUTS) as usize;
        // Files may have names that others gave them.
        let avoided = |bytes: &[u8]| self.avoided.get(&cell).is_some_and(|avoided| avoided.contains(&name_of(bytes)));
        let inputs = self.allowed().filter(|(_, bytes)| !avoided(bytes)).collect();
        let inputs = some_of(inputs, seed, most).into_iter().map(|(_, bytes)| bytes).collect();
        Beginning { inputs, reached: &self.reached[&sanitizer] }
    }

    /// Inputs of which it is worth to know what they reach, before the first slice: at most so many, by the seed.
    fn to_recall(&self, seed: u64, most: usize) -> Vec<(&str, &[u8])> {
        if self.feedback.is_empty() { Vec::new() } else { some_of(self.allowed().collect(), seed, most) }
    }

    /// The inputs that were there before reach this.
    fn recall(&mut self, sanitizer: Sanitizer, reached: &Features) {
        self.reached.entry(sanitizer).or_default().extend(reached);
    }

    /// Inputs whose task graphs are of the shape.
    fn allowed(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let all = self.shape.systems == Systems::All;
        let allows = |bytes: &[u8]| Input::decode(bytes).is_ok_and(|input| self.shape.allows(&input.graph));
        self.corpus.iter().filter(move |(_, bytes)| all || allows(bytes))
    }

    /// Adds what came in to the corpus.
    ///
    /// # Errors
    /// The corpus cannot be written.
    fn gather(&mut self) -> Result<()> {
        for (sanitizer, reached) in std::mem::take(&mut self.reached_since) {
            self.reached.entry(sanitizer).or_default().extend(&reached);
        }
        self.corpus.extend(&std::mem::take(&mut self.incoming)).map(drop)
    }
}

impl Search for CoverageGuided {
    fn cut(&self) -> Cut {
        Cut::CoverageGuided
    }

    /// Where its slices depend on those before, or on a corpus, all cells begin together.
    fn needs_all_targets(&self) -> bool {
        self.waits || !self.corpus.is_empty()
    }

    /// Executes the corpus under each sanitizer, within a part of the time, or no more than is to be executed: a slice
    /// begins with a part of a large corpus, at one number of threads. What the rest reaches would be new to it, and kept
    /// once more.
    fn prepare(&mut self, campaign: &Campaign, targets: &Targets<'_>) -> Result<()> {
        let count = campaign.sanitizers.len();
        let most = campaign.executions.map_or(usize::MAX, |executions| executions as usize / count.max(1));
        for &sanitizer in &campaign.sanitizers {
            let inputs = self.to_recall(campaign.seed, most);
            let Some(target) = targets.of(sanitizer).filter(|_| !inputs.is_empty()) else { return Ok(()) };
            let measurement = Measurement {
                runtime: campaign.searched.name().to_owned(),
                bug: campaign.searched.runtime().and_then(|runtime| runtime.bug.clone()),
                sanitizer,
                engine: campaign.engine,
                jobs: campaign.jobs,
                thorough: false,
                limit: campaign.budget.map(|budget| budget / RECALL / count as u32),
            };
            let reached = measurement.run(target, &inputs, |_, _| {})?.reached();
            self.recall(sanitizer, &reached);
        }
        Ok(())
    }

    fn next(
        &mut self,
        plan: &mut Plan,
        left: Option<Duration>,
        is_ready: &dyn Fn(Sanitizer) -> bool,
        findings: &Findings,
    ) -> Result<Option<Share>> {
        if left.is_some_and(|left| left.is_zero()) || !plan.has_left() {
            return Ok(None);
        }
        let known = || findings.iter().map(|finding| finding.fingerprint.clone()).collect();
        if !self.may_begin(plan.begins_pass(), known)? {
            return Ok(None);
        }
        let share = plan.next(left, is_ready);
        self.under_way += usize::from(share.is_some());
        Ok(share)
    }

    fn work(&mut self, share: &Share, _findings: &Findings) -> Work {
        Work::Evolve(Evolution {
            seed: slice_seed(self.seed, share.cell, share.first),
            first: share.first,
            count: share.count,
            limit_ms: share.limit.map(milliseconds),
            shape: self.shape,
            feedback: self.feedback.clone(),
            known: self.known.clone(),
        })
    }

    fn beginning(&mut self, share: &Share, sanitizer: Sanitizer) -> Option<Beginning<'_>> {
        let seed = slice_seed(self.seed, share.cell, share.first);
        Some(self.inputs_of(share.cell, sanitizer, seed, share.count))
    }

    fn ended(&mut self, share: &Share, ended: &mut Ended) -> Result<()> {
        let Evolved { kept, cut_off, last, reached } = std::mem::take(&mut ended.evolved);
        // Which one leaked is not known yet.
        let is_last = ended.outcome.spent || (ended.found.is_some() && ended.outcome.leaked.is_none());
        if let Some(input) = last.filter(|_| is_last) {
            self.avoid(share.cell, &input);
        }
        self.end_slice(ended.job.settings.sanitizer, kept, &reached)?;
        ensure!(!cut_off, "there is no room for what workers keep; free some space in /dev/shm and TMPDIR");
        Ok(())
    }

    fn suspects(&mut self, share: Share, _window: LeakWindow, outcome: &mut Outcome) -> Suspects {
        self.under_way += 1;
        Suspects::Inputs { cell: share.cell, inputs: std::mem::take(&mut outcome.suspects) }
    }

    fn narrowed(&mut self, cell: usize, found: &Found) {
        self.under_way -= 1;
        if let Some(input) = &found.input {
            self.avoid(cell, input);
        }
    }

    fn failed(&self, found: &mut Found, _cell: &Cell) -> (Workload, u64) {
        match found.input.take() {
            Some(input) => (input.graph.into(), input.seed),
            // The worker died before it had any, so it does not matter which.
            None => (from_seed_in_shape(self.seed, self.shape).into(), self.seed),
        }
    }

    fn task_graphs(&self, cells: &[Cell]) -> u64 {
        cells.iter().map(|cell| cell.mutated).sum()
    }

    fn finish(&mut self) -> Result<Option<Gathered>> {
        self.gather()?;
        let inputs = self.corpus.len();
        Ok(Some(Gathered { inputs, added: inputs - self.found, refused: self.corpus.refused().count() }))
    }
}

/// At most so many of these, which the seed chooses.
fn some_of<'a>(mut inputs: Vec<(&'a str, &'a [u8])>, seed: u64, most: usize) -> Vec<(&'a str, &'a [u8])> {
    if inputs.len() > most {
        inputs.sort_by_cached_key(|(name, _)| splitmix64(seed ^ fnv1a(BASIS, name.as_bytes())));
        inputs.truncate(most);
    }
    inputs
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::input::Mutator;

    #[test]
    fn an_input_is_avoided_by_one_cell_whatever_its_file_is_called() {
        let directory = tempfile::tempdir().expect("a directory");
        let input = Mutator::new(2, Shape::of_size(3)).fresh(7);
        fs::write(directory.path().join("of-somebody-else"), input.encode()).expect("written");
        let mut guide =
            CoverageGuided::new(1, &Kind::ALL, Some(directory.path()), Shape::of_size(3), true).expect("a corpus");
        guide.avoid(0, &input);
        let mut begins_with = |cell| guide.inputs_of(cell, Sanitizer::None, 1, 100).inputs.len();
        assert_eq!([begins_with(0), begins_with(1)], [0, 1]);
    }

    #[test]
    fn systems_that_are_left_out_are_so_of_a_corpus_too() {
        let shape = Shape::of_size(6);
        let fresh = (0..64).map(|seed| Mutator::new(2, shape).fresh(seed));
        let (with, without): (Vec<Input>, Vec<Input>) = fresh.partition(|input| input.graph.objects.has_systems());
        assert!(!with.is_empty() && !without.is_empty());
        let begins_with = |systems| {
            let mut guide =
                CoverageGuided::new(1, &Kind::ALL, None, Shape { systems, ..shape }, false).expect("a corpus");
            guide.under_way += 1;
            let kept = with.iter().chain(&without).cloned().collect();
            guide.end_slice(Sanitizer::None, kept, &Features::default()).expect("nothing to write");
            guide.inputs_of(0, Sanitizer::None, 1, 1000).inputs.len()
        };
        assert_eq!(begins_with(Systems::All), 64);
        assert_eq!(begins_with(Systems::None), without.len());
    }

    #[test]
    fn what_slices_reached_counts_from_the_next_pass_on() {
        let mut guide = CoverageGuided::new(1, &Kind::ALL, None, Shape::of_size(3), true).expect("a corpus");
        let mut reached = Features::default();
        assert!(guide.may_begin(true, BTreeSet::new).expect("nothing to write"));
        guide.under_way += 1;
        reached.insert((3, 0));
        guide.end_slice(Sanitizer::None, Vec::new(), &reached).expect("nothing to write");
        let known = |guide: &mut CoverageGuided, sanitizer| guide.inputs_of(0, sanitizer, 1, 100).reached.count();
        assert_eq!(known(&mut guide, Sanitizer::None), 0);
        assert!(guide.may_begin(true, BTreeSet::new).expect("nothing to write"));
        assert_eq!(known(&mut guide, Sanitizer::None), 1);
        assert_eq!(known(&mut guide, Sanitizer::Address), 0);
    }

    #[test]
    fn what_a_corpus_reaches_is_nothing_new_to_the_first_slice() {
        let directory = tempfile::tempdir().expect("a directory");
        let inputs: Vec<Input> = (0..9).map(|seed| Mutator::new(1, Shape::of_size(3)).fresh(seed)).collect();
        Corpus::open(directory.path()).expect("a corpus").extend(&inputs).expect("written");
        let guide = |feedback| {
            CoverageGuided::new(1, feedback, Some(directory.path()), Shape::of_size(3), true).expect("a corpus")
        };
        assert!(guide(&[]).to_recall(1, 100).is_empty(), "nothing is counted");
        let mut guide = guide(&Kind::ALL);
        assert_eq!((guide.to_recall(1, 100).len(), guide.to_recall(1, 4).len()), (9, 4));
        let mut reached = Features::default();
        reached.insert((3, 0));
        guide.recall(Sanitizer::None, &reached);
        assert_eq!(guide.inputs_of(0, Sanitizer::None, 1, 100).reached.count(), 1);
        assert_eq!(guide.inputs_of(0, Sanitizer::Thread, 1, 100).reached.count(), 0);
    }
}
