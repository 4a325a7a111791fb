//! The memory models as axioms: all candidate executions of a program are made, and filtered. Nothing here knows the machine.
//!
//! Sources: C++20, [intro.races], [atomics.order] and [atomics.fences]; Lahav, Vafeiadis, Kang, Hur, Dreyer, "Repairing
//! Sequential Consistency in C/C++11", PLDI 2017 (RC11); Alglave, Maranget, Tautschnig, "Herding Cats", TOPLAS 2014 (x86-TSO).
//! Load buffering is left out of all: program order and reads-from have no cycle.

use super::super::Order;
use super::program::{Action, Graph, Graphs, INITIAL, NOTHING, Operation, Program, locations, operations};
use super::relation::{Relation, Set};

/// The models of which the executions are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    Sc,
    Tso,
    /// What the machine implements: the standard's text, and happens-before at fences as in RC11.
    Cpp20,
    /// The letter of the standard.
    Text,
    /// RC11 as published, but for release sequences, which since C++20 have no plain stores (P0982).
    Rc11,
}

pub const MODELS: [Model; 5] = [Model::Sc, Model::Tso, Model::Cpp20, Model::Text, Model::Rc11];

/// A candidate: events, and relations between them. Events are operations in their order, then the initial writes.
struct Candidate<const N: usize> {
    /// Sets of events.
    reads: Set,
    writes: Set,
    fences: Set,
    /// Of the order that they have in this candidate.
    acquires: Set,
    releases: Set,
    ordered: Set,
    /// Instructions of x86 that are locked; a failed compare-exchange is one.
    locked: Set,
    /// Program order; initial writes come before everything.
    sb: Relation<N>,
    rf: Relation<N>,
    mo: Relation<N>,
    /// Two accesses of the same location.
    same: Relation<N>,
}

impl<const N: usize> Candidate<N> {
    /// From a read to the stores that are newer than what it reads, but not to itself.
    fn fr(&self) -> Relation<N> {
        let all = self.rf.inverse().then(self.mo);
        Relation::of(|one, other| one != other && all.has(one, other))
    }

    /// Each location on its own is coherent, and nothing is between the halves of a read-modify-write.
    fn is_coherent(&self) -> bool {
        let order = self.rf.or(self.mo).or(self.fr());
        let updates = self.reads & self.writes;
        let split = self.fr().then(self.mo).from(updates);
        self.sb.and(self.same).or(order).is_acyclic() && split.is_irreflexive()
    }

    fn is_sc(&self) -> bool {
        self.sb.or(self.rf).or(self.mo).or(self.fr()).is_acyclic()
    }

    /// Program order is kept but from stores to later loads with nothing locked and no fence between; what
    /// other threads stored is seen by all at once.
    fn is_tso(&self) -> bool {
        let memory = self.reads | self.writes;
        let plain = memory & !self.locked;
        let delayed = self.sb.from(plain & self.writes).to(plain & self.reads & !self.writes);
        let barrier = self.fences & self.ordered;
        let fenced = self.sb.to(barrier).then(self.sb.from(barrier)).or(self.sb.to(self.locked).then(self.sb));
        let kept = self.sb.from(memory).to(memory).not(delayed).or(fenced);
        let external = self.rf.not(self.sb);
        kept.or(external).or(self.mo).or(self.fr()).is_acyclic()
    }

    /// Synchronizes-with: release sequences are the store and read-modify-writes that read it, one from another.
    fn sw(&self) -> Relation<N> {
        let sequence = self.rf.to(self.reads & self.writes).closure().or_same(self.writes);
        let released = self.sb.from(self.fences & self.releases).to(self.writes).or_same(self.writes & self.releases);
        let acquired = self.sb.from(self.reads).to(self.fences & self.acquires).or_same(self.reads & self.acquires);
        released.then(sequence).then(self.rf).then(acquired)
    }

    /// Happens-before.
    fn hb(&self) -> Relation<N> {
        self.sb.or(self.sw()).closure()
    }

    /// What the standard calls coherence-ordered before.
    fn eco(&self) -> Relation<N> {
        self.rf.or(self.mo).or(self.fr()).closure()
    }

    /// No model for C++ has an access that happens before what it must come after.
    fn has_coherent_hb(&self, hb: Relation<N>) -> bool {
        hb.is_irreflexive() && hb.then(self.eco()).is_irreflexive()
    }

    /// The shape of the order of SC operations: `base` between them, or between what happens before and after fences.
    fn has_order(&self, base: Relation<N>, hb: Relation<N>) -> bool {
        let fences = self.fences & self.ordered;
        let begin = hb.from(fences).or_same(self.ordered);
        let end = hb.to(fences).or_same(self.ordered);
        let between = hb.or(hb.then(self.eco()).then(hb)).from(fences).to(fences);
        begin.then(base).then(end).or(between).is_acyclic()
    }

    fn is_cpp20(&self) -> bool {
        let hb = self.hb();
        let base = self.sb.or(self.sb.then(hb).then(self.sb)).or(self.eco());
        self.has_coherent_hb(hb) && self.has_order(base, hb)
    }

    fn is_rc11(&self) -> bool {
        let hb = self.hb();
        let elsewhere = self.sb.not(self.same);
        let base = self.sb.or(elsewhere.then(hb).then(elsewhere)).or(hb.and(self.same)).or(self.mo).or(self.fr());
        self.has_coherent_hb(hb) && self.has_order(base, hb)
    }

    /// [atomics.order]/4 word for word: S is strict and total, agrees with strongly happens before, and with four conditions on
    /// pairs A, B of which A is coherence-ordered before B.
    fn is_text(&self) -> bool {
        let hb = self.hb();
        let both = self.sw().from(self.ordered).to(self.ordered);
        let strongly = self.sb.or(both).or(self.sb.then(hb).then(self.sb)).closure();
        let (eco, fences) = (self.eco(), self.fences & self.ordered);
        let from_fence = hb.from(fences).then(eco);
        let conditions = eco.or(eco.then(hb.to(fences))).or(from_fence).or(from_fence.then(hb.to(fences)));
        let order = strongly.or(conditions).from(self.ordered).to(self.ordered);
        self.has_coherent_hb(hb) && order.is_acyclic()
    }

    fn is_of(&self, model: Model) -> bool {
        match model {
            Model::Sc => self.is_sc(),
            Model::Tso => self.is_tso(),
            Model::Cpp20 => self.is_cpp20(),
            Model::Text => self.is_text(),
            Model::Rc11 => self.is_rc11(),
        }
    }
}

/// All executions of a program of at most 9 operations, by model.
pub fn executions(program: &Program, models: &[Model]) -> Vec<Graphs> {
    let mut search = Search::<13> {
        operations: operations(program),
        locations: locations(program),
        models,
        reads: Vec::new(),
        found: vec![Graphs::new(); models.len()],
    };
    search.choose_reads();
    search.found
}

/// One execution of a program of at most 60 operations.
pub struct Execution {
    candidate: Candidate<64>,
    hb: Relation<64>,
}

impl Execution {
    /// `None` if its values are not what was read, or program order and reads-from have a cycle.
    pub fn new(program: &Program, graph: &Graph) -> Option<Self> {
        let writes = |number: usize| graph.writes.iter().flatten().any(|writer| usize::from(*writer) == number);
        let reads = graph.reads.iter().enumerate().map(|(number, source)| (*source, writes(number)));
        let (operations, locations) = (operations(program), locations(program));
        let (count, reads) = (operations.len(), reads.collect());
        let search = Search::<64> { operations, locations, models: &[], reads, found: Vec::new() };
        let mut candidate = search.candidate()?;
        candidate.mo = order_of_all(&graph.writes, count);
        let hb = candidate.hb();
        Some(Self { candidate, hb })
    }

    pub fn is_of(&self, model: Model) -> bool {
        self.candidate.is_coherent() && self.candidate.is_of(model)
    }

    /// Whether the first operation happens before the second.
    pub fn happens_before(&self, one: usize, other: usize) -> bool {
        self.hb.has(one, other)
    }
}

struct Search<'a, const N: usize> {
    operations: Vec<(usize, Operation)>,
    locations: usize,
    models: &'a [Model],
    /// Of the first operations: what they read, as in a graph, and whether they write.
    reads: Vec<(u8, bool)>,
    found: Vec<Graphs>,
}

impl<const N: usize> Search<'_, N> {
    /// Every choice of what each operation reads, and of whether it writes; then every modification order.
    fn choose_reads(&mut self) {
        let at = self.reads.len();
        let Some(&(_, Operation { action, location, .. })) = self.operations.get(at) else {
            return self.choose_order();
        };
        if !action.reads() {
            self.reads.push((NOTHING, matches!(action, Action::Store(_))));
            self.choose_reads();
            self.reads.pop();
            return;
        }
        let writers = self.operations.iter().enumerate().filter(|(other, (_, operation))| {
            *other != at && operation.location == location && !matches!(operation.action, Action::Load | Action::Fence)
        });
        let sources: Vec<u8> = writers.map(|(other, _)| other as u8).chain([INITIAL]).collect();
        let outcomes: &[bool] = match action {
            Action::Load => &[false],
            Action::CompareExchange(..) => &[false, true],
            _ => &[true],
        };
        for source in sources {
            for &writes in outcomes {
                self.reads.push((source, writes));
                self.choose_reads();
                self.reads.pop();
            }
        }
    }

    /// What an operation reads and writes, if what is read came to be without it.
    fn value_read(&self, at: usize, depth: usize) -> Option<u8> {
        match self.reads[at].0 {
            INITIAL => Some(0),
            NOTHING => Some(0),
            source if depth < self.operations.len() => {
                let read = self.value_read(source.into(), depth + 1)?;
                self.operations[usize::from(source)].1.action.writes(read)
            }
            _ => None,
        }
    }

    /// The candidate without a modification order, if its values are those that were read.
    fn candidate(&self) -> Option<Candidate<N>> {
        let count = self.operations.len();
        let (mut reads, mut writes, mut fences, mut acquires, mut releases, mut ordered, mut locked) =
            (0, 0, 0, 0, 0, 0, 0);
        let mut rf = Relation::EMPTY;
        for (at, &(_, operation)) in self.operations.iter().enumerate() {
            let (source, does_write) = self.reads[at];
            let mut order = operation.order;
            let bit = 1 << at;
            if source != NOTHING {
                let read = self.value_read(at, 0)?;
                if operation.action.writes(read).is_some() != does_write {
                    return None;
                }
                reads |= bit;
                let source = if source == INITIAL { count + operation.location } else { source.into() };
                if source < count && !self.reads[source].1 {
                    return None;
                }
                rf.add(source, at);
            }
            if let (Action::CompareExchange(_, _, failure), false) = (operation.action, does_write) {
                order = failure;
            }
            let set = |holds: bool| if holds { bit } else { 0 };
            let is_fence = matches!(operation.action, Action::Fence);
            writes |= set(does_write);
            fences |= set(is_fence);
            acquires |= set((source != NOTHING || is_fence) && order.acquires());
            releases |= set((does_write || is_fence) && order.releases());
            ordered |= set(order == Order::SeqCst);
            let exchanged = matches!(operation.action, Action::Store(_)) && order == Order::SeqCst;
            let locks = !matches!(operation.action, Action::Load | Action::Store(_) | Action::Fence);
            locked |= set(exchanged || locks);
        }
        let place = |event: usize| match self.operations.get(event) {
            Some((_, operation)) if matches!(operation.action, Action::Fence) => None,
            Some((_, operation)) => Some(operation.location),
            None => (event < count + self.locations).then(|| event - count),
        };
        let same = Relation::of(|one, other| place(one).is_some() && place(one) == place(other));
        let sb = Relation::of(|one, other| {
            let thread = |event: usize| self.operations[event].0;
            other < count
                && (one < other && thread(one) == thread(other) || one >= count && one < count + self.locations)
        });
        writes |= ((1 << self.locations) - 1) << count;
        let mo = Relation::EMPTY;
        let candidate = Candidate { reads, writes, fences, acquires, releases, ordered, locked, sb, rf, mo, same };
        sb.or(rf).is_acyclic().then_some(candidate)
    }

    fn choose_order(&mut self) {
        let Some(mut candidate) = self.candidate() else { return };
        let count = self.operations.len();
        // For each location its orders that are coherent; then all combinations.
        let mut orders = Vec::new();
        for location in 0..self.locations {
            let writes = candidate.writes & ((1 << count) - 1);
            let writers: Vec<u8> = (0..count)
                .filter(|&event| writes >> event & 1 != 0 && self.operations[event].1.location == location)
                .map(|event| event as u8)
                .collect();
            let mut coherent = Vec::new();
            permutations(writers, &mut Vec::new(), &mut |order| {
                candidate.mo = order_of(order, count + location);
                if candidate.is_coherent() {
                    coherent.push(order.to_vec());
                }
            });
            if coherent.is_empty() {
                return;
            }
            orders.push(coherent);
        }
        self.combine(&mut candidate, &orders, &mut Vec::new());
    }

    fn combine(&mut self, candidate: &mut Candidate<N>, orders: &[Vec<Vec<u8>>], chosen: &mut Vec<Vec<u8>>) {
        if let Some(coherent) = orders.get(chosen.len()) {
            for order in coherent {
                chosen.push(order.clone());
                self.combine(candidate, orders, chosen);
                chosen.pop();
            }
            return;
        }
        let count = self.operations.len();
        candidate.mo = order_of_all(chosen, count);
        for (model, found) in self.models.iter().zip(&mut self.found) {
            if candidate.is_of(*model) {
                let reads = self.reads.iter().map(|(source, _)| *source).collect();
                found.insert(Graph { reads, writes: chosen.clone() });
            }
        }
    }
}

/// All modification orders of a program of so many operations.
fn order_of_all<const N: usize>(orders: &[Vec<u8>], count: usize) -> Relation<N> {
    let orders = orders.iter().enumerate();
    orders.fold(Relation::EMPTY, |all, (location, order)| all.or(order_of(order, count + location)))
}

/// A modification order, after the initial write.
fn order_of<const N: usize>(order: &[u8], initial: usize) -> Relation<N> {
    let mut all = Relation::EMPTY;
    for (at, &one) in order.iter().enumerate() {
        all.add(initial, one.into());
        for &other in &order[at + 1..] {
            all.add(one.into(), other.into());
        }
    }
    all
}

fn permutations(left: Vec<u8>, chosen: &mut Vec<u8>, found: &mut impl FnMut(&[u8])) {
    if left.is_empty() {
        found(chosen);
    }
    for at in 0..left.len() {
        let mut rest = left.clone();
        chosen.push(rest.remove(at));
        permutations(rest, chosen, found);
        chosen.pop();
    }
}
