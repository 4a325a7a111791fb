//! Random programs.

use super::super::Order;
use super::program::{Action, Operation, Program};

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
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

/// What a program is rich in: of 4 orders so many are sequentially consistent; so many in about 6 operations are fences,
/// read-modify-writes, objects.
struct Mixture {
    ordered: usize,
    fences: usize,
    updates: usize,
    objects: usize,
}

impl Mixture {
    fn new(random: &mut Random) -> Self {
        let objects = usize::from(random.below(4) == 0);
        // Objects are compared with read-modify-writes, which sequentially consistent fences tell from them.
        let fences = if objects > 0 { 0 } else { random.below(3) };
        Self { ordered: random.below(4), fences, updates: random.below(3), objects }
    }

    fn order(&self, random: &mut Random, weaker: &[Order]) -> Order {
        if random.below(4) < self.ordered { Order::SeqCst } else { random.of(weaker) }
    }

    fn operation(&self, random: &mut Random, places: usize) -> Operation {
        const LOADS: [Order; 2] = [Order::Relaxed, Order::Acquire];
        const ANY: [Order; 4] = [Order::Relaxed, Order::Acquire, Order::Release, Order::AcqRel];
        let value = 1 + random.below(2) as u8;
        let location = random.below(places);
        let kind = random.below(6 + self.fences + self.updates + self.objects);
        let (action, order, location) = match kind {
            0..3 => (Action::Load, self.order(random, &LOADS), location),
            3..6 => (Action::Store(value), self.order(random, &[Order::Relaxed, Order::Release]), location),
            _ if kind < 6 + self.fences => (Action::Fence, self.order(random, &ANY[1..]), 0),
            _ if kind < 6 + self.fences + self.objects => {
                (Action::Object, random.of(&[Order::Acquire, Order::Release]), places)
            }
            _ => {
                let action = match random.below(4) {
                    0 => Action::Add(value),
                    1 => Action::Exchange(value),
                    _ => Action::CompareExchange(random.below(3) as u8, value, self.order(random, &LOADS)),
                };
                (action, self.order(random, &ANY), location)
            }
        };
        Operation { action, location, order }
    }
}

/// A program of 6 to 8 operations of 2 to 4 threads on 2 or 3 locations.
pub fn program(random: &mut Random) -> Program {
    let (count, places) = (6 + random.below(3), 2 + random.below(2));
    long_program(random, count, places)
}

/// A program of that many operations of 2 to 4 threads.
pub fn long_program(random: &mut Random, count: usize, places: usize) -> Program {
    let mixture = Mixture::new(random);
    let mut program = vec![Vec::new(); 2 + random.below(3)];
    for number in 0..count {
        let thread = if number < program.len() { number } else { random.below(program.len()) };
        program[thread].push(mixture.operation(random, places));
    }
    program
}
