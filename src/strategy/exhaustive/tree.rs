//! Wake-up trees: the sequences of steps that are still to be tried from a place that executions passed.

use std::sync::Arc;

use super::footprint::Footprint;
use crate::model::execution::ThreadId;

/// How a thread goes on: by its pending operation, or because its time is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub thread: ThreadId,
    pub timed_out: bool,
}

/// A step that is to be made.
#[derive(Clone, Debug)]
pub struct Step {
    pub way: Way,
    /// What it chooses by the way, as far as that is settled.
    pub picks: Vec<u8>,
    pub footprint: Arc<Footprint>,
}

/// A step and what is to come after it; if there is nothing, anything may.
#[derive(Clone, Debug)]
pub struct Branch {
    pub step: Step,
    pub rest: Vec<Branch>,
}

/// A sequence of steps that is to be tried.
pub trait Sequence {
    fn is_empty(&self) -> bool;

    /// Whether the step could come first: it is one of these that depends on none before it, and is taken out, or it has
    /// nothing to do with any of them.
    fn begins_with(&mut self, step: &Step) -> bool;

    /// What is left, as a tree of its own.
    fn into_branch(self) -> Option<Branch>;
}

/// Adds a sequence, unless the tree has one that it begins with, up to the order of what commutes.
pub fn insert(mut tree: &mut Vec<Branch>, mut sequence: impl Sequence) {
    while let Some(place) = tree.iter().position(|branch| sequence.begins_with(&branch.step)) {
        tree = &mut tree[place].rest;
        if sequence.is_empty() || tree.is_empty() {
            return;
        }
    }
    tree.extend(sequence.into_branch());
}
