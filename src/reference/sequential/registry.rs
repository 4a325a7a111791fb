//! The registry of arcs.

use std::fmt::{self, Display, Formatter};

use super::Action;
use crate::task_graph::call::{ArcState, Pair, visited};

/// What progressing gives where there is no active arc, and the status of a pair that never had one.
pub(super) const NO_ARC: i64 = -1;

/// The latest arc of each pair that had one.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub struct Registry {
    /// In the order of pairs, each once.
    arcs: Vec<Arc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Arc {
    pair: Pair,
    state: ArcState,
    /// From 0 with each start.
    phase: u32,
}

impl Registry {
    /// Acts and says what that gives.
    ///
    /// # Panics
    /// If it is no action of a registry.
    pub fn perform(&mut self, action: Action) -> i64 {
        match action {
            Action::StartArc(pair) => self.start(pair),
            Action::ProgressArc(pair) => self.active(pair).map_or(NO_ARC, |arc| {
                arc.phase += 1;
                i64::from(arc.phase)
            }),
            Action::CompleteArc(pair) => self.end(pair, ArcState::Completed),
            Action::CancelArc(pair) => self.end(pair, ArcState::Cancelled),
            Action::ArcStatus(pair) => {
                self.find(pair).map_or(NO_ARC, |place| self.arcs[place].state.status(self.arcs[place].phase))
            }
            Action::ActiveArcs => self.all_active().count() as i64,
            Action::ProcessArcs => visited(self.all_active().map(|arc| (arc.pair, arc.phase))),
            _ => unreachable!("{action:?} of a registry"),
        }
    }

    fn start(&mut self, pair: Pair) -> i64 {
        let arc = Arc { pair, state: ArcState::Active, phase: 0 };
        match self.arcs.binary_search_by_key(&pair, |arc| arc.pair) {
            Ok(place) if self.arcs[place].state == ArcState::Active => return 0,
            Ok(place) => self.arcs[place] = arc,
            Err(place) => self.arcs.insert(place, arc),
        }
        1
    }

    fn end(&mut self, pair: Pair, state: ArcState) -> i64 {
        self.active(pair).map_or(0, |arc| {
            arc.state = state;
            1
        })
    }

    fn find(&self, pair: Pair) -> Option<usize> {
        self.arcs.binary_search_by_key(&pair, |arc| arc.pair).ok()
    }

    fn active(&mut self, pair: Pair) -> Option<&mut Arc> {
        let place = self.find(pair)?;
        Some(&mut self.arcs[place]).filter(|arc| arc.state == ArcState::Active)
    }

    fn all_active(&self) -> impl Iterator<Item = &Arc> {
        self.arcs.iter().filter(|arc| arc.state == ArcState::Active)
    }
}

impl Clone for Registry {
    fn clone(&self) -> Self {
        Self { arcs: self.arcs.clone() }
    }

    fn clone_from(&mut self, source: &Self) {
        self.arcs.clone_from(&source.arcs);
    }
}

impl Display for Registry {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("a registry with")?;
        for arc in &self.arcs {
            write!(formatter, " {}-{} {:?} in phase {},", arc.pair.a, arc.pair.b, arc.state, arc.phase)?;
        }
        formatter.write_str(if self.arcs.is_empty() { " no arcs" } else { " no more" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: Pair = Pair { a: 1, b: 2 };
    const OTHER: Pair = Pair { a: 0, b: 2 };

    #[test]
    fn a_pair_has_one_active_arc_and_may_have_another_after_it() {
        let mut registry = Registry::default();
        let mut gives = |action| registry.perform(action);
        assert_eq!(gives(Action::ArcStatus(PAIR)), -1);
        assert_eq!(gives(Action::StartArc(PAIR)), 1);
        assert_eq!(gives(Action::StartArc(PAIR)), 0);
        assert_eq!((gives(Action::ProgressArc(PAIR)), gives(Action::ProgressArc(PAIR))), (1, 2));
        assert_eq!(gives(Action::CompleteArc(PAIR)), 1);
        assert_eq!((gives(Action::CancelArc(PAIR)), gives(Action::ProgressArc(PAIR))), (0, -1));
        assert_eq!(gives(Action::ArcStatus(PAIR)), ArcState::Completed.status(2));
        assert_eq!(gives(Action::StartArc(PAIR)), 1);
        assert_eq!(gives(Action::ArcStatus(PAIR)), ArcState::Active.status(0));
    }

    #[test]
    fn active_arcs_are_counted_and_visited_in_the_order_of_pairs() {
        let mut registry = Registry::default();
        registry.perform(Action::StartArc(PAIR));
        registry.perform(Action::StartArc(OTHER));
        registry.perform(Action::ProgressArc(PAIR));
        assert_eq!(registry.perform(Action::ActiveArcs), 2);
        assert_eq!(registry.perform(Action::ProcessArcs), visited([(OTHER, 0), (PAIR, 1)]));
        registry.perform(Action::CancelArc(OTHER));
        assert_eq!(registry.perform(Action::ProcessArcs), visited([(PAIR, 1)]));
    }
}
