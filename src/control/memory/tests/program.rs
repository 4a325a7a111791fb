//! Small programs of atomic operations, and what an execution of one is.

use std::collections::BTreeSet;

use super::super::Order;

/// A thread's operations, for each thread.
pub type Program = Vec<Vec<Operation>>;

#[derive(Clone, Copy, Debug)]
pub struct Operation {
    pub action: Action,
    pub location: usize,
    pub order: Order,
}

#[derive(Clone, Copy, Debug)]
pub enum Action {
    Load,
    Store(u8),
    Add(u8),
    Exchange(u8),
    /// Expected, desired, and the order of a failure.
    CompareExchange(u8, u8, Order),
    Fence,
    /// A release or an acquisition, by its order, of an object that is at that location and nothing else: a lock and the
    /// like. It is as a read-modify-write that leaves the value.
    Object,
}

impl Action {
    /// What it writes, if it has read that.
    pub fn writes(self, read: u8) -> Option<u8> {
        match self {
            Self::Load | Self::Fence => None,
            Self::Store(value) | Self::Exchange(value) => Some(value),
            Self::Object => Some(read),
            Self::Add(value) => Some(read.wrapping_add(value)),
            Self::CompareExchange(expected, desired, _) => (read == expected).then_some(desired),
        }
    }

    pub fn reads(self) -> bool {
        !matches!(self, Self::Store(_) | Self::Fence)
    }
}

/// An execution: what was read, and in what order stores came. Operations have numbers, those of the first thread first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Graph {
    /// By operation: which one made what it reads; `INITIAL`, or `NOTHING` if it reads nothing or has not been made.
    pub reads: Vec<u8>,
    /// By location: the operations that wrote to it, in modification order.
    pub writes: Vec<Vec<u8>>,
}

pub const INITIAL: u8 = 254;
pub const NOTHING: u8 = 255;

pub type Graphs = BTreeSet<Graph>;

/// All operations, with their threads.
pub fn operations(program: &Program) -> Vec<(usize, Operation)> {
    program.iter().enumerate().flat_map(|(thread, all)| all.iter().map(move |operation| (thread, *operation))).collect()
}

/// How many locations there are.
pub fn locations(program: &Program) -> usize {
    program.iter().flatten().map(|operation| operation.location + 1).max().unwrap_or(0)
}

/// Reads a program: threads parted by `|`, operations by spaces, each ending in `.` and its order (rlx, acq, rel, ar, sc).
///
/// `x=1` stores 1 to x, `x` loads, `x+1` adds, `x<1` exchanges, `x?0:1` exchanges 0 for 1 and has a second order for when it
/// fails, `f` is a fence, `x!` releases or acquires the object x.
pub fn parse(text: &str) -> Program {
    let threads = text.split('|');
    threads.map(|thread| thread.split_whitespace().map(parse_operation).collect()).collect()
}

fn parse_operation(text: &str) -> Operation {
    let mut parts = text.split('.');
    let what = parts.next().unwrap_or_default();
    let mut orders = parts.map(|name| match name {
        "rlx" => Order::Relaxed,
        "acq" => Order::Acquire,
        "rel" => Order::Release,
        "ar" => Order::AcqRel,
        "sc" => Order::SeqCst,
        _ => panic!("no order: {text}"),
    });
    let order = orders.next().unwrap_or_else(|| panic!("without an order: {text}"));
    let (name, rest) = what.split_at(1);
    let location = "xyzof".find(name).unwrap_or_else(|| panic!("no location: {text}"));
    let number = |digits: &str| digits.parse().unwrap_or_else(|_| panic!("no number: {text}"));
    let action = match rest.split_at(rest.len().min(1)) {
        ("", _) if name == "f" => Action::Fence,
        ("", _) => Action::Load,
        ("!", _) => Action::Object,
        ("=", value) => Action::Store(number(value)),
        ("+", value) => Action::Add(number(value)),
        ("<", value) => Action::Exchange(number(value)),
        ("?", values) => {
            let (expected, desired) = values.split_once(':').unwrap_or_else(|| panic!("no two values: {text}"));
            let failure = orders.next().unwrap_or_else(|| panic!("without an order of failure: {text}"));
            Action::CompareExchange(number(expected), number(desired), failure)
        }
        _ => panic!("no operation: {text}"),
    };
    Operation { action, location: if name == "f" { 0 } else { location }, order }
}
