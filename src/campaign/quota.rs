//! Hands out the executions of a cell in ranges, each once, whatever comes back undone.

/// What is left of a cell's executions.
#[derive(Clone, Debug)]
pub struct Quota {
    /// Executions that there shall be; `None` for as many as time allows.
    total: Option<u64>,
    /// Every execution below was handed out.
    next: u64,
    /// Ranges `first, count` that came back undone; the last is handed out next.
    undone: Vec<(u64, u64)>,
}

impl Quota {
    #[must_use]
    pub fn new(total: Option<u64>) -> Self {
        Self { total, next: 0, undone: Vec::new() }
    }

    /// Of the executions of all cells those of one; see [`part`].
    #[must_use]
    pub fn share(total: Option<u64>, index: u64, count: u64) -> Self {
        Self::new(total.map(|total| part(total, index, count)))
    }

    /// The next executions, at most so many: the first and how many.
    pub fn take(&mut self, most: u64) -> Option<(u64, u64)> {
        if let Some((first, count)) = self.undone.pop() {
            let taken = count.min(most);
            self.give_back(first + taken, count - taken);
            return Some((first, taken));
        }
        let count = (self.total.unwrap_or(u64::MAX) - self.next).min(most);
        let first = self.next;
        self.next += count;
        (count > 0).then_some((first, count))
    }

    /// Whether there is anything left to hand out.
    #[must_use]
    pub fn has_left(&self) -> bool {
        !self.undone.is_empty() || self.next < self.total.unwrap_or(u64::MAX)
    }

    /// Takes back what a worker did not get to.
    pub fn give_back(&mut self, first: u64, count: u64) {
        if count > 0 {
            self.undone.push((first, count));
        }
    }
}

/// The part of `total` executions that number `index` of `count` has: the first ones take one more each where they do not
/// divide.
#[must_use]
pub fn part(total: u64, index: u64, count: u64) -> u64 {
    total / count + u64::from(index < total % count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_handed_out_before_anything_new() {
        let mut quota = Quota::new(Some(10));
        assert_eq!(quota.take(6), Some((0, 6)));
        quota.give_back(2, 4);
        assert_eq!(
            (quota.take(3), quota.take(3), quota.take(9), quota.take(9)),
            (Some((2, 3)), Some((5, 1)), Some((6, 4)), None)
        );
    }

    #[test]
    fn without_a_total_there_is_no_end() {
        let mut quota = Quota::new(None);
        assert_eq!((quota.take(u64::MAX - 1), quota.take(5)), (Some((0, u64::MAX - 1)), Some((u64::MAX - 1, 1))));
    }

    #[test]
    fn shares_add_up() {
        let total: u64 =
            (0..7).filter_map(|index| Quota::share(Some(100), index, 7).take(u64::MAX)).map(|(_, count)| count).sum();
        assert_eq!(total, 100);
    }
}
