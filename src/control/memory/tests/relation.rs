//! Relations between events: the words in which the axioms are written.

/// A set of events.
pub type Set = u64;

/// A set of pairs of events, of which there are at most `N`: for each, those it is related to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Relation<const N: usize>([Set; N]);

impl<const N: usize> Relation<N> {
    pub const EMPTY: Self = Self([0; N]);

    /// Pairs of which the condition holds.
    pub fn of(holds: impl Fn(usize, usize) -> bool) -> Self {
        let row = |one| (0..N).filter(|&other| holds(one, other)).fold(0, |row, other| row | 1 << other);
        Self(std::array::from_fn(row))
    }

    pub fn add(&mut self, one: usize, other: usize) {
        self.0[one] |= 1 << other;
    }

    pub fn has(&self, one: usize, other: usize) -> bool {
        self.0[one] >> other & 1 != 0
    }

    /// The one or the other.
    pub fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|event| self.0[event] | other.0[event]))
    }

    pub fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|event| self.0[event] & other.0[event]))
    }

    pub fn not(self, other: Self) -> Self {
        Self(std::array::from_fn(|event| self.0[event] & !other.0[event]))
    }

    /// First the one, then the other.
    pub fn then(self, other: Self) -> Self {
        Self(self.0.map(|mut row| {
            let mut all = 0;
            while row != 0 {
                all |= other.0[row.trailing_zeros() as usize];
                row &= row - 1;
            }
            all
        }))
    }

    /// Only pairs that begin, and that end, in such a set.
    pub fn from(self, set: Set) -> Self {
        Self(std::array::from_fn(|event| if set >> event & 1 != 0 { self.0[event] } else { 0 }))
    }

    pub fn to(self, set: Set) -> Self {
        Self(self.0.map(|row| row & set))
    }

    /// One or more times.
    pub fn closure(self) -> Self {
        let mut all = self;
        for middle in 0..N {
            let row = all.0[middle];
            if row != 0 {
                for one in 0..N {
                    if all.has(one, middle) {
                        all.0[one] |= row;
                    }
                }
            }
        }
        all
    }

    pub fn inverse(self) -> Self {
        Self::of(|one, other| self.has(other, one))
    }

    pub fn is_irreflexive(&self) -> bool {
        (0..N).all(|event| !self.has(event, event))
    }

    pub fn is_acyclic(&self) -> bool {
        self.closure().is_irreflexive()
    }

    /// Or the same event, out of a set.
    pub fn or_same(mut self, set: Set) -> Self {
        for event in 0..N {
            self.0[event] |= set & 1 << event;
        }
        self
    }
}
