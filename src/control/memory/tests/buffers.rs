//! x86-TSO as a machine with store buffers (Owens, Sarkar, Sewell, "A Better x86 Memory Model: x86-TSO", TPHOLs 2009): threads, a
//! first-in first-out buffer for each, and memory. Nothing here knows the machine that is tested, nor the axioms.

use std::collections::{HashSet, VecDeque};

use super::super::Order;
use super::program::{Action, Graph, Graphs, INITIAL, NOTHING, Program, locations, operations};

#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    made: Vec<usize>,
    /// By thread: stores that are not in memory yet, with their values.
    buffers: Vec<VecDeque<(u8, u8)>>,
    /// By location: what is in memory, and who wrote it.
    memory: Vec<(u8, u8)>,
    reads: Vec<u8>,
    writes: Vec<Vec<u8>>,
}

/// All executions of a program.
pub fn executions(program: &Program) -> Graphs {
    let count = operations(program).len();
    let first = State {
        made: vec![0; program.len()],
        buffers: vec![VecDeque::new(); program.len()],
        memory: vec![(INITIAL, 0); locations(program)],
        reads: vec![NOTHING; count],
        writes: vec![Vec::new(); locations(program)],
    };
    let mut seen = HashSet::from([first.clone()]);
    let mut left = vec![first];
    let mut found = Graphs::new();
    while let Some(state) = left.pop() {
        let next = (0..program.len()).flat_map(|thread| [state.flush(program, thread), state.step(program, thread)]);
        let next: Vec<State> = next.flatten().collect();
        if next.is_empty() {
            found.insert(Graph { reads: state.reads.clone(), writes: state.writes.clone() });
        }
        left.extend(next.into_iter().filter(|next| seen.insert(next.clone())));
    }
    found
}

impl State {
    /// The oldest store of a thread's buffer reaches memory.
    fn flush(&self, program: &Program, thread: usize) -> Option<Self> {
        let mut next = self.clone();
        let (number, value) = next.buffers[thread].pop_front()?;
        let location = operations(program)[usize::from(number)].1.location;
        next.memory[location] = (number, value);
        next.writes[location].push(number);
        Some(next)
    }

    /// A thread makes its next operation, if it can.
    fn step(&self, program: &Program, thread: usize) -> Option<Self> {
        let operation = *program[thread].get(self.made[thread])?;
        let number = program[..thread].iter().map(Vec::len).sum::<usize>() + self.made[thread];
        let mut next = self.clone();
        next.made[thread] += 1;
        let buffer = &self.buffers[thread];
        let waits = match operation.action {
            Action::Load => false,
            // An exchange or a barrier on x86 if it is sequentially consistent, else a plain store or nothing.
            Action::Store(_) | Action::Fence => operation.order == Order::SeqCst,
            _ => true,
        };
        if waits && !buffer.is_empty() {
            return None;
        }
        let (location, all) = (operation.location, operations(program));
        let own = buffer.iter().rev().find(|(other, _)| all[usize::from(*other)].1.location == location);
        let (source, read) = *own.unwrap_or(&self.memory[location]);
        if operation.action.reads() {
            next.reads[number] = source;
        }
        if let Some(value) = operation.action.writes(read) {
            next.buffers[thread].push_back((number as u8, value));
            if waits {
                return next.flush(program, thread);
            }
        }
        Some(next)
    }
}
