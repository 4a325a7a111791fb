//! All executions that the machine makes of a program: every interleaving, every pick.

use std::collections::HashSet;

use super::super::{Level, Memory, Order};
use super::program::{Action, Graph, Graphs, INITIAL, NOTHING, Operation, Program, locations, operations};
use super::random::Random;

/// What a path has come to.
struct State {
    /// By thread, how many of its operations are made.
    made: Vec<usize>,
    graph: Graph,
    /// By operation: what it has written.
    written: Vec<u8>,
    /// By step of the machine: the operation.
    steps: Vec<u8>,
    /// All that wrote, in the order in which it was made.
    writers: Vec<u8>,
}

/// Runs a program on a memory of its own.
pub struct Explorer<'a> {
    program: &'a Program,
    level: Level,
    /// The number of each thread's first operation.
    begins: Vec<usize>,
    count: usize,
    locations: usize,
    /// The real memory: 16 bytes for each location, of which as many as its size are used.
    real: Box<[Cell; 4]>,
    sizes: [u32; 4],
}

#[repr(align(16))]
#[derive(Clone, Copy)]
struct Cell([u8; 16]);

const EMPTY: [Cell; 4] = [Cell([0; 16]); 4];

/// A random execution.
pub struct Walk {
    pub graph: Graph,
    /// By operation: the machine's thread, how many releases it had made before, and its clock afterwards.
    pub steps: Vec<(usize, u32, Vec<u32>)>,
}

/// The machine's number of a thread of the program: the first one has created the others and does nothing else.
fn number_of(thread: usize) -> usize {
    thread + 1
}

impl<'a> Explorer<'a> {
    /// `variant` says which sizes the locations have.
    pub fn new(program: &'a Program, level: Level, variant: usize) -> Self {
        let count = operations(program).len();
        let begins = program.iter().scan(0, |begin, thread| Some(std::mem::replace(begin, *begin + thread.len())));
        let sizes = std::array::from_fn(|location| 1 << (((variant >> location) + location) % 5));
        let (begins, locations) = (begins.collect(), locations(program));
        Self { program, level, begins, count, locations, real: Box::new(EMPTY), sizes }
    }

    /// All executions. What was reached on another way is not gone on from; `reverse` takes the last thread first.
    pub fn all(&mut self, memory: &mut Memory, reverse: bool) -> Graphs {
        let mut found = Graphs::new();
        self.explore(memory, &mut Vec::new(), &mut found, &mut HashSet::new(), reverse);
        found
    }

    /// Goes on from a path of threads and what they picked.
    fn explore(
        &mut self,
        memory: &mut Memory,
        path: &mut Vec<(usize, u32)>,
        found: &mut Graphs,
        seen: &mut HashSet<Vec<u8>>,
        reverse: bool,
    ) {
        if path.len() == self.count {
            found.insert(self.replay(memory, path).graph);
        }
        let threads = self.program.len();
        for thread in 0..threads {
            let thread = if reverse { threads - 1 - thread } else { thread };
            let mut pick = 0;
            loop {
                let mut state = self.replay(memory, path);
                if state.made[thread] == self.program[thread].len() {
                    break;
                }
                let options = self.step(memory, &mut state, thread, |_| pick);
                if seen.insert(state.key(self.level)) {
                    path.push((thread, pick));
                    self.explore(memory, path, found, seen, reverse);
                    path.pop();
                }
                pick += 1;
                if pick == options {
                    break;
                }
            }
        }
    }

    /// A random execution, in which what a step tells of the clocks is compared with them.
    pub fn walk(&mut self, memory: &mut Memory, random: &mut Random) -> Walk {
        let mut state = self.replay(memory, &[]);
        let mut steps = vec![(0, 0, Vec::new()); self.count];
        // By thread: its clock, put together from what each step told.
        let mut clocks: Vec<Vec<u32>> = (0..=self.program.len()).map(|thread| memory.clock(thread).to_vec()).collect();
        for _ in 0..self.count {
            let left: Vec<usize> =
                (0..self.program.len()).filter(|thread| state.made[*thread] < self.program[*thread].len()).collect();
            let thread = left[random.below(left.len())];
            let (who, number) = (number_of(thread), self.begins[thread] + state.made[thread]);
            let before = memory.clock(who)[who];
            self.step(memory, &mut state, thread, |options| random.below(options as usize) as u32);
            for &(of, release) in memory.acquired() {
                let known = &mut clocks[who][usize::from(of)];
                assert!(*known < release, "only what is new is acquired");
                *known = release;
            }
            if let Some((of, release)) = memory.released() {
                assert_eq!((of, release), (who, before + 1), "releases of a thread are numbered");
                clocks[who][who] = release;
            }
            assert_eq!(memory.clock(who), clocks[who], "what steps tell adds up");
            steps[number] = (who, before, clocks[who].clone());
        }
        Walk { graph: state.graph, steps }
    }

    fn replay(&mut self, memory: &mut Memory, path: &[(usize, u32)]) -> State {
        let graph = Graph { reads: vec![NOTHING; self.count], writes: vec![Vec::new(); self.locations] };
        let (made, written) = (vec![0; self.program.len()], vec![0; self.count]);
        let mut state = State { made, graph, written, steps: Vec::new(), writers: Vec::new() };
        *self.real = EMPTY;
        memory.begin(self.level);
        for thread in 0..self.program.len() {
            memory.add_thread(0, number_of(thread));
        }
        for &(thread, pick) in path {
            self.step(memory, &mut state, thread, |_| pick);
        }
        state
    }

    /// A thread makes its next operation: on the machine, and natively on the address that it gives. How many options it
    /// had.
    fn step(&mut self, memory: &mut Memory, state: &mut State, thread: usize, choose: impl FnOnce(u32) -> u32) -> u32 {
        let made = state.made[thread];
        let Operation { action, location, order } = self.program[thread][made];
        let number = self.begins[thread] + made;
        state.made[thread] += 1;
        let who = number_of(thread);
        let (address, size) = ((&raw mut self.real[location]).expose_provenance(), self.sizes[location]);
        let mut expected = [0; 16];
        let options = match action {
            Action::Fence => {
                memory.fence(who, order);
                return 1;
            }
            Action::Object => {
                match order {
                    Order::Release => memory.release(who, address),
                    _ => memory.acquire(who, address),
                }
                let all = &mut state.graph.writes[location];
                state.graph.reads[number] = all.last().copied().unwrap_or(INITIAL);
                all.push(number as u8);
                state.writers.push(number as u8);
                return 1;
            }
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
        let at = memory.commit(choose(options));
        let source = memory.source().map_or(INITIAL, |step| state.steps[step as usize - 1]);
        state.steps.push(number as u8);
        assert_eq!(memory.steps() as usize, state.steps.len(), "each operation is a step");
        let bytes = std::ptr::with_exposed_provenance_mut::<u8>(at);
        // SAFETY: The machine gives the address of the location, or of a cell of its own.
        let read = unsafe { bytes.read_volatile() };
        if action.reads() {
            let stored = if source == INITIAL { 0 } else { state.written[usize::from(source)] };
            assert_eq!(read, stored, "the address holds what the store wrote");
            state.graph.reads[number] = source;
        }
        if let Some(value) = action.writes(read) {
            // SAFETY: As for reading it; nothing refers to it now.
            unsafe { bytes.write_volatile(value) };
            state.written[number] = value;
            state.writers.push(number as u8);
            let all = &mut state.graph.writes[location];
            let place = all.iter().position(|other| *other == source).map_or(0, |index| index + 1);
            all.insert(place, number as u8);
            let newest = all.last().map_or(0, |last| state.written[usize::from(*last)]);
            assert_eq!(self.real[location].0[0], newest, "the real location holds the newest value");
        }
        options
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
            key.extend(&self.writers);
        }
        key
    }
}
