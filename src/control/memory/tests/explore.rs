//! All executions that the machine makes of a program: every interleaving, every pick.

use std::collections::HashSet;

use super::super::{Level, Memory, Order};
use super::program::{Action, Graph, Graphs, INITIAL, NOTHING, Operation, Program, locations, operations};

/// What a path has come to.
#[derive(Clone, Debug)]
struct State {
    /// By thread, how many of its operations are made.
    made: Vec<usize>,
    graph: Graph,
    /// By operation: what it has written.
    written: Vec<u8>,
    /// By step of the machine: the operation.
    steps: Vec<u8>,
}

/// Runs paths of a program on a memory of its own.
pub struct Explorer<'a> {
    program: &'a Program,
    level: Level,
    /// The number of each thread's first operation.
    begins: Vec<usize>,
    locations: usize,
    /// The real memory: of each location 16 bytes, of which its size is used.
    real: Box<[Cell; 8]>,
    sizes: [u32; 8],
}

#[repr(align(16))]
#[derive(Clone, Copy)]
struct Cell([u8; 16]);

/// A thread, and what it picked.
type Path = Vec<(usize, u32)>;

impl<'a> Explorer<'a> {
    /// `sizes` says which sizes the locations have.
    pub fn new(program: &'a Program, level: Level, sizes: usize) -> Self {
        let mut begins = Vec::new();
        let mut count = 0;
        for thread in program {
            begins.push(count);
            count += thread.len();
        }
        let sizes = std::array::from_fn(|location| 1 << ((sizes >> location) + location) % 5);
        Self { program, level, begins, locations: locations(program), real: Box::new([Cell([0; 16]); 8]), sizes }
    }

    /// All executions. A state that was reached before is not gone on from, if `remember` says so; `reverse` takes the last
    /// thread first.
    pub fn all(&mut self, memory: &mut Memory, remember: bool, reverse: bool) -> Graphs {
        let mut found = Graphs::new();
        let mut seen = HashSet::new();
        let mut path = Path::new();
        self.explore(memory, &mut path, &mut found, &mut seen, remember, reverse);
        found
    }

    fn explore(
        &mut self,
        memory: &mut Memory,
        path: &mut Path,
        found: &mut Graphs,
        seen: &mut HashSet<Vec<u8>>,
        remember: bool,
        reverse: bool,
    ) {
        let threads = self.program.len();
        let mut ended = true;
        for thread in 0..threads {
            let thread = if reverse { threads - 1 - thread } else { thread };
            let mut pick = 0;
            loop {
                let mut state = self.replay(memory, path);
                if state.made[thread] == self.program[thread].len() {
                    break;
                }
                ended = false;
                let options = self.step(memory, &mut state, thread, pick);
                if !remember || seen.insert(state.key(self.level)) {
                    path.push((thread, pick));
                    self.explore(memory, path, found, seen, remember, reverse);
                    path.pop();
                }
                pick += 1;
                if pick == options {
                    break;
                }
            }
        }
        if ended {
            found.insert(self.replay(memory, path).graph);
        }
    }

    /// One execution, of choices that `choose` makes: the number of one less than its argument.
    pub fn walk(&mut self, memory: &mut Memory, mut choose: impl FnMut(u32) -> u32) -> Graph {
        let mut state = self.replay(memory, &[]);
        let mut left: usize = self.program.iter().map(Vec::len).sum();
        while left > 0 {
            let thread = choose(self.program.len() as u32) as usize;
            if state.made[thread] < self.program[thread].len() {
                self.step_chosen(memory, &mut state, thread, &mut choose);
                left -= 1;
            }
        }
        state.graph
    }

    fn replay(&mut self, memory: &mut Memory, path: &[(usize, u32)]) -> State {
        let count = operations(self.program).len();
        let graph = Graph { reads: vec![NOTHING; count], writes: vec![Vec::new(); self.locations] };
        let (made, written) = (vec![0; self.program.len()], vec![0; count]);
        let mut state = State { made, graph, written, steps: Vec::new() };
        *self.real = [Cell([0; 16]); 8];
        memory.begin(self.level);
        for thread in 0..self.program.len() {
            memory.add_thread(0, thread + 1);
        }
        for &(thread, pick) in path {
            self.step(memory, &mut state, thread, pick);
        }
        state
    }

    fn step(&mut self, memory: &mut Memory, state: &mut State, thread: usize, pick: u32) -> u32 {
        let mut options = 1;
        self.step_chosen(memory, state, thread, &mut |count| {
            options = count;
            pick
        });
        options
    }

    /// A thread makes its next operation: on the machine, and natively on the address that it gives.
    fn step_chosen(
        &mut self,
        memory: &mut Memory,
        state: &mut State,
        thread: usize,
        choose: &mut impl FnMut(u32) -> u32,
    ) {
        let made = state.made[thread];
        let Operation { action, location, order } = self.program[thread][made];
        let number = self.begins[thread] + made;
        state.made[thread] += 1;
        // The first thread has created the others and does nothing else.
        let who = thread + 1;
        let (address, size) = ((&raw mut self.real[location]).expose_provenance(), self.sizes[location]);
        if matches!(action, Action::Object) {
            match order {
                Order::Release => memory.release(who, address),
                _ => memory.acquire(who, address),
            }
            let all = &mut state.graph.writes[location];
            state.graph.reads[number] = all.last().copied().unwrap_or(INITIAL);
            all.push(number as u8);
            return;
        }
        let mut expected = [0; 16];
        let options = match action {
            Action::Fence | Action::Object => return memory.fence(who, order),
            Action::Load => memory.load(who, address, size, order),
            Action::Store(_) => memory.store(who, address, size, order),
            Action::Add(_) | Action::Exchange(_) => memory.read_modify_write(who, address, size, order),
            Action::CompareExchange(value, _, failure) => {
                expected[0] = value;
                // Bytes that are no part of it do not matter.
                expected[size as usize..].fill(7);
                memory.compare_exchange(who, address, size, order, failure, expected)
            }
        };
        let pick = if options > 1 { choose(options) } else { 0 };
        let at = memory.commit(pick);
        let source = memory.source().map_or(INITIAL, |step| state.steps[step as usize - 1]);
        assert_eq!(memory.steps() as usize, state.steps.len() + 1, "each operation is a step");
        state.steps.push(number as u8);
        let bytes = std::ptr::with_exposed_provenance_mut::<u8>(at);
        // SAFETY: The machine gives the address of 16 bytes: those of the location, or a cell of its own.
        let read = unsafe { *bytes };
        if action.reads() {
            let stored = if source == INITIAL { 0 } else { state.written[usize::from(source)] };
            assert_eq!(read, stored, "the address holds what the store wrote");
            state.graph.reads[number] = source;
        }
        if let Some(value) = action.writes(read) {
            // SAFETY: As for reading it; nothing else refers to it now.
            unsafe { *bytes = value };
            state.written[number] = value;
            let order = &mut state.graph.writes[location];
            let after = order.iter().position(|other| *other == source).map_or(0, |index| index + 1);
            order.insert(after, number as u8);
            let newest = order.last().map_or(0, |last| state.written[usize::from(*last)]);
            assert_eq!(self.real[location].0[0], newest, "the real location holds the newest value");
        }
    }
}

impl State {
    /// All that what follows depends on: which operations are made, their graph and, with store buffers, in which order
    /// stores came to memory.
    fn key(&self, level: Level) -> Vec<u8> {
        let mut key: Vec<u8> = self.made.iter().map(|made| *made as u8).collect();
        key.extend(&self.graph.reads);
        for order in &self.graph.writes {
            key.push(NOTHING);
            key.extend(order);
        }
        if level == Level::Tso {
            key.extend(self.steps.iter().filter(|number| self.graph.writes.iter().any(|order| order.contains(number))));
        }
        key
    }
}

/// Any order, by number.
pub const ORDERS: [Order; 5] = [Order::Relaxed, Order::Acquire, Order::Release, Order::AcqRel, Order::SeqCst];
