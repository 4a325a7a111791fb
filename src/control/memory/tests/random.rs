//! Random programs.

use super::super::Order;
use super::program::{Action, Operation, Program};

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// A program of 6 to 8 operations of 2 to 4 threads on 2 or 3 locations. Programs differ in what they are rich in:
/// sequentially consistent operations, fences, read-modify-writes.
pub fn program(random: &mut Random) -> Program {
    let threads = 2 + random.below(3);
    let count = 6 + random.below(3);
    let places = 2 + random.below(2);
    let ordered = random.below(4);
    let fences = random.below(3);
    let updates = random.below(3);
    let mut program = vec![Vec::new(); threads];
    for number in 0..count {
        let thread = if number < threads { number } else { random.below(threads) };
        let location = random.below(places);
        let mut order = |random: &mut Random, weaker: &[Order]| {
            if random.below(4) < ordered { Order::SeqCst } else { random.of(weaker) }
        };
        let value = 1 + random.below(2) as u8;
        let any = [Order::Relaxed, Order::Acquire, Order::Release, Order::AcqRel];
        let loads = [Order::Relaxed, Order::Acquire];
        let (action, order) = match random.below(6 + fences + updates) {
            0..3 => (Action::Load, order(random, &loads)),
            3..6 => (Action::Store(value), order(random, &[Order::Relaxed, Order::Release])),
            kind if kind < 6 + fences => (Action::Fence, order(random, &any[1..])),
            _ => {
                let action = match random.below(4) {
                    0 => Action::Add(value),
                    1 => Action::Exchange(value),
                    _ => Action::CompareExchange(random.below(3) as u8, value, order(random, &loads)),
                };
                (action, order(random, &any))
            }
        };
        let location = if matches!(action, Action::Fence) { 0 } else { location };
        program[thread].push(Operation { action, location, order });
    }
    program
}
