//! What guides a campaign: the corpus, and from when on workers begin with what others found.
//!
//! A pass gives each cell one slice. In a campaign of a number of executions, the slices of a pass begin with the same
//! inputs and know the same findings, those of the passes before; so it is the same campaign however its workers
//! overlap. A campaign of some time does not wait for them.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::corpus::{Corpus, name_of};
use super::known::Known;
use super::seed::splitmix64;
use super::supervisor::Beginning;
use crate::control::Features;
use crate::digest::{BASIS, fnv1a};
use crate::feedback::Kind;
use crate::input::Input;
use crate::settings::Sanitizer;
use crate::task_graph::{Shape, Systems};

/// Inputs that a slice begins with: at most.
const MOST_INPUTS: u64 = 2_000;

/// What a coverage-guided campaign goes by.
pub(super) struct Guide {
    pub feedback: Vec<Kind>,
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
    /// Slices wait for the end of the pass before.
    waits: bool,
    /// Slices of this pass that have not ended, with what is done to find out which of their inputs is to be avoided.
    under_way: usize,
    /// What every slice of this pass knows.
    known: Known,
}

/// What became of the corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gathered {
    pub inputs: usize,
    /// Of which this campaign, or one beside it, added.
    pub added: usize,
    /// Files in the directory that are not used.
    pub refused: usize,
}

impl Guide {
    /// With the corpus in a directory, or one that lasts as long as the campaign.
    ///
    /// # Errors
    /// The directory cannot be used.
    pub fn new(feedback: &[Kind], directory: Option<&Path>, shape: Shape, waits: bool) -> Result<Self> {
        let corpus = directory.map_or_else(|| Ok(Corpus::default()), Corpus::open)?;
        Ok(Self {
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
    pub fn may_begin(&mut self, first: bool, known: impl FnOnce() -> BTreeSet<String>) -> Result<bool> {
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

    /// A slice was handed out, or suspects of one.
    pub fn begin(&mut self) {
        self.under_way += 1;
    }

    /// Suspects were looked at.
    pub fn end(&mut self) {
        self.under_way -= 1;
    }

    /// A slice has ended, kept these and reached that.
    ///
    /// # Errors
    /// The corpus cannot be written.
    pub fn end_slice(&mut self, sanitizer: Sanitizer, kept: Vec<Input>, reached: &Features) -> Result<()> {
        self.under_way -= 1;
        self.incoming.extend(kept);
        self.reached_since.entry(sanitizer).or_default().extend(reached);
        if self.waits { Ok(()) } else { self.gather() }
    }

    /// No slice of this cell begins with that input any more: its workers do not survive it.
    pub fn avoid(&mut self, cell: usize, input: &Input) {
        self.avoided.entry(cell).or_default().insert(name_of(&input.encode()));
    }

    /// What a slice of that cell begins with. Executing its inputs counts, so of a large corpus each slice, by its seed,
    /// takes another part: half of its executions, and at most so many.
    pub fn beginning(&mut self, cell: usize, sanitizer: Sanitizer, seed: u64, executions: u64) -> Beginning<'_> {
        self.reached.entry(sanitizer).or_default();
        let most = (executions / 2).clamp(1, MOST_INPUTS) as usize;
        // Files may have names that others gave them.
        let avoided = |bytes: &[u8]| self.avoided.get(&cell).is_some_and(|avoided| avoided.contains(&name_of(bytes)));
        let inputs = self.allowed().filter(|(_, bytes)| !avoided(bytes)).collect();
        let inputs = some_of(inputs, seed, most).into_iter().map(|(_, bytes)| bytes).collect();
        Beginning { inputs, reached: &self.reached[&sanitizer] }
    }

    /// Whether there is anything to begin with.
    pub fn has_inputs(&self) -> bool {
        !self.corpus.is_empty()
    }

    /// Inputs of which it is worth to know what they reach, before the first slice: at most so many, by the seed.
    pub fn to_recall(&self, seed: u64, most: usize) -> Vec<(&str, &[u8])> {
        if self.feedback.is_empty() { Vec::new() } else { some_of(self.allowed().collect(), seed, most) }
    }

    /// The inputs that were there before reach this.
    pub fn recall(&mut self, sanitizer: Sanitizer, reached: &Features) {
        self.reached.entry(sanitizer).or_default().extend(reached);
    }

    /// Inputs whose task graphs are of the shape.
    fn allowed(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let all = self.shape.systems == Systems::All;
        let allows = |bytes: &[u8]| Input::decode(bytes).is_ok_and(|input| self.shape.allows(&input.graph));
        self.corpus.iter().filter(move |(_, bytes)| all || allows(bytes))
    }

    /// What slices know.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// What is there now.
    #[must_use]
    pub fn gathered(&self) -> Gathered {
        let inputs = self.corpus.len();
        Gathered { inputs, added: inputs - self.found, refused: self.corpus.refused().count() }
    }

    /// Adds what came in to the corpus.
    ///
    /// # Errors
    /// The corpus cannot be written.
    pub fn gather(&mut self) -> Result<()> {
        for (sanitizer, reached) in std::mem::take(&mut self.reached_since) {
            self.reached.entry(sanitizer).or_default().extend(&reached);
        }
        self.corpus.extend(&std::mem::take(&mut self.incoming)).map(drop)
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
        let mut guide = Guide::new(&Kind::ALL, Some(directory.path()), Shape::of_size(3), true).expect("a corpus");
        guide.avoid(0, &input);
        let mut begins_with = |cell| guide.beginning(cell, Sanitizer::None, 1, 100).inputs.len();
        assert_eq!([begins_with(0), begins_with(1)], [0, 1]);
    }

    #[test]
    fn systems_that_are_left_out_are_so_of_a_corpus_too() {
        let shape = Shape::of_size(6);
        let fresh = (0..64).map(|seed| Mutator::new(2, shape).fresh(seed));
        let (with, without): (Vec<Input>, Vec<Input>) = fresh.partition(|input| input.graph.objects.has_systems());
        assert!(!with.is_empty() && !without.is_empty());
        let begins_with = |systems| {
            let mut guide = Guide::new(&Kind::ALL, None, Shape { systems, ..shape }, false).expect("a corpus");
            guide.begin();
            let kept = with.iter().chain(&without).cloned().collect();
            guide.end_slice(Sanitizer::None, kept, &Features::default()).expect("nothing to write");
            guide.beginning(0, Sanitizer::None, 1, 1000).inputs.len()
        };
        assert_eq!(begins_with(Systems::All), 64);
        assert_eq!(begins_with(Systems::None), without.len());
    }

    #[test]
    fn what_slices_reached_counts_from_the_next_pass_on() {
        let mut guide = Guide::new(&Kind::ALL, None, Shape::of_size(3), true).expect("a corpus");
        let mut reached = Features::default();
        assert!(guide.may_begin(true, BTreeSet::new).expect("nothing to write"));
        guide.begin();
        reached.insert((3, 0));
        guide.end_slice(Sanitizer::None, Vec::new(), &reached).expect("nothing to write");
        let known = |guide: &mut Guide, sanitizer| guide.beginning(0, sanitizer, 1, 100).reached.count();
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
        let guide = |feedback| Guide::new(feedback, Some(directory.path()), Shape::of_size(3), true).expect("a corpus");
        assert!(guide(&[]).to_recall(1, 100).is_empty(), "nothing is counted");
        let mut guide = guide(&Kind::ALL);
        assert_eq!((guide.to_recall(1, 100).len(), guide.to_recall(1, 4).len()), (9, 4));
        let mut reached = Features::default();
        reached.insert((3, 0));
        guide.recall(Sanitizer::None, &reached);
        assert_eq!(guide.beginning(0, Sanitizer::None, 1, 100).reached.count(), 1);
        assert_eq!(guide.beginning(0, Sanitizer::Thread, 1, 100).reached.count(), 0);
    }
}
