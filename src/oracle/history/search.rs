//! Looks for an order of overlapping calls that a sequential object allows.
//!
//! The search is that of Wing and Gong ("Testing and verifying concurrent objects", 1993) with the memory of
//! Lowe ("Testing for linearizability", 2017), in his just-in-time form: calls and returns are gone through
//! in order, and a call takes effect at the latest when it returns, perhaps after others that are pending
//! then. A *configuration* is a state of the object with the set of pending calls that took effect already;
//! one that was visited is not visited again. What each call gave is known beforehand, which rules out most
//! orders at once. A pending call that only reads, and that
//! returns later on, takes effect as soon as it can: that is never worse.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::window::{Entry, Window};
use crate::reference::sequential::{Effect, Object};

/// Configurations that one search may visit. Histories of generated task graphs need a few dozen.
pub(super) const MAX_VISITED: usize = 20_000;

/// Why a search ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// No order explains the history.
    Impossible,
    /// There are too many orders to try.
    TooLong,
}

/// A search under way. It keeps what it allocated from one search to the next.
pub(super) struct Search {
    /// The explanations of the history up to here.
    current: Configurations,
    next: Configurations,
    /// What was visited on the way to one return.
    seen: Configurations,
    trial: Configuration,
    probe: Object,
    /// Pending calls as bits, and the entry in the window that each bit stands for.
    pending: u64,
    entries: [u32; u64::BITS as usize],
    /// The bit of each entry.
    slots: Vec<u8>,
    visited: usize,
    /// The last event that counts: what returns later is pending.
    until: u32,
}

impl Search {
    /// A search for objects of any kind; `object` is one to begin with.
    pub fn new(object: &Object) -> Self {
        Self {
            current: Configurations::default(),
            next: Configurations::default(),
            seen: Configurations::default(),
            trial: Configuration { object: object.clone(), done: 0 },
            probe: object.clone(),
            pending: 0,
            entries: [0; u64::BITS as usize],
            slots: vec![],
            visited: 0,
            until: u32::MAX,
        }
    }

    /// Explains what happened up to the event with the stamp `until`, from any of `states` on.
    pub fn run(&mut self, states: &[Object], window: &Window, until: u32) -> Result<(), Stop> {
        self.until = until;
        self.visited = 0;
        self.pending = 0;
        self.slots.clear();
        self.slots.resize(window.entries.len(), 0);
        self.current.clear();
        for state in states {
            self.current.add(state, 0);
        }
        for step in &window.steps {
            let entry = &window.entries[step.entry as usize];
            let stamp = if step.returned { entry.returned } else { entry.called };
            if stamp > until {
                break;
            }
            if step.returned {
                self.returned(window, step.entry)?;
            } else {
                self.called(window, step.entry)?;
            }
            if self.current.live().is_empty() {
                return Err(Stop::Impossible);
            }
        }
        Ok(())
    }

    /// The explanations that the last search found.
    pub fn explanations(&self) -> &[Configuration] {
        self.current.live()
    }

    /// Whether a pending call took effect in an explanation of the last search, or could.
    pub fn goes_on(&mut self, explanation: usize, entry: &Entry, index: u32) -> bool {
        let configuration = &self.current.live()[explanation];
        let took_effect = configuration.done & 1 << self.slots[index as usize] != 0;
        self.probe.clone_from(&configuration.object);
        took_effect || self.probe.explain(entry.caller, entry.action, None, Effect::Told)
    }

    fn result(&self, entry: &Entry) -> Option<i64> {
        entry.result.filter(|_| entry.returned <= self.until)
    }

    fn called(&mut self, window: &Window, index: u32) -> Result<(), Stop> {
        let slot = self.pending.trailing_ones();
        if slot == u64::BITS {
            return Err(Stop::TooLong);
        }
        self.pending |= 1 << slot;
        self.entries[slot as usize] = index;
        self.slots[index as usize] = slot as u8;
        let entry = &window.entries[index as usize];
        let result = self.result(entry);
        // Bits are part of what tells configurations apart, but this one comes to all that are alike at once.
        for configuration in self.current.live_mut() {
            if configuration.object.only_reads(entry.action, result) {
                read(configuration, &mut self.probe, entry, result, slot);
            }
        }
        Ok(())
    }

    /// Goes on to all configurations in which the call has taken effect.
    fn returned(&mut self, window: &Window, index: u32) -> Result<(), Stop> {
        let bit = 1 << self.slots[index as usize];
        self.seen.clear();
        self.next.clear();
        for configuration in self.current.live() {
            let Configuration { object, done } = configuration;
            if done & bit != 0 {
                self.next.add(object, done & !bit)
            } else {
                self.seen.add(object, *done)
            };
        }
        let mut at = 0;
        while at < self.seen.live().len() {
            let mut open = self.pending & !self.seen.live()[at].done;
            while open != 0 {
                let slot = open.trailing_zeros();
                open &= open - 1;
                let entry = &window.entries[self.entries[slot as usize] as usize];
                let result = self.result(entry);
                for &effect in Effect::of(entry.action, result) {
                    self.visited += 1;
                    if self.visited > MAX_VISITED {
                        return Err(Stop::TooLong);
                    }
                    let before = &self.seen.live()[at];
                    self.trial.object.clone_from(&before.object);
                    self.trial.done = before.done | 1 << slot;
                    if !self.trial.object.explain(entry.caller, entry.action, result, effect) {
                        continue;
                    }
                    self.read_early(window);
                    let Configuration { object, done } = &self.trial;
                    if done & bit != 0 {
                        self.next.add(object, done & !bit)
                    } else {
                        self.seen.add(object, *done)
                    };
                }
            }
            at += 1;
        }
        std::mem::swap(&mut self.current, &mut self.next);
        self.pending &= !bit;
        Ok(())
    }

    /// Lets the pending calls that only read take effect where they can.
    fn read_early(&mut self, window: &Window) {
        let mut open = self.pending & !self.trial.done;
        while open != 0 {
            let slot = open.trailing_zeros();
            open &= open - 1;
            let entry = &window.entries[self.entries[slot as usize] as usize];
            let result = self.result(entry);
            if self.trial.object.only_reads(entry.action, result) {
                read(&mut self.trial, &mut self.probe, entry, result, slot);
            }
        }
    }
}

/// Marks a call that only reads as done if its result fits.
fn read(configuration: &mut Configuration, probe: &mut Object, entry: &Entry, result: Option<i64>, slot: u32) {
    for &effect in Effect::of(entry.action, result) {
        probe.clone_from(&configuration.object);
        if probe.explain(entry.caller, entry.action, result, effect) {
            configuration.done |= 1 << slot;
        }
    }
}

/// A state of the object, and which pending calls have taken effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Configuration {
    pub object: Object,
    pub done: u64,
}

/// A set of configurations.
#[derive(Default)]
struct Configurations {
    /// Those of the set, and after them old ones whose memory is used again.
    items: Vec<Configuration>,
    count: usize,
    /// Where each is in `items`, plus 1; open addressing, a power of two long, at most half full.
    table: Vec<u32>,
}

impl Configurations {
    /// Up to so many are told apart one by one.
    const FEW: usize = 8;

    fn live(&self) -> &[Configuration] {
        &self.items[..self.count]
    }

    /// To add to what is done in each alike.
    fn live_mut(&mut self) -> &mut [Configuration] {
        &mut self.items[..self.count]
    }

    fn clear(&mut self) {
        self.count = 0;
        self.table.clear();
    }

    /// Adds a configuration if it is not there.
    fn add(&mut self, object: &Object, done: u64) {
        if self.count < Self::FEW {
            if self.live().iter().any(|known| known.done == done && known.object == *object) {
                return;
            }
        } else if !self.enter(object, done) {
            return;
        }
        match self.items.get_mut(self.count) {
            Some(free) => {
                free.object.clone_from(object);
                free.done = done;
            }
            None => self.items.push(Configuration { object: object.clone(), done }),
        }
        self.count += 1;
    }

    /// Enters the next configuration into the table; false if it is there.
    fn enter(&mut self, object: &Object, done: u64) -> bool {
        if self.table.len() < 2 * (self.count + 1) {
            self.table.clear();
            self.table.resize(4 * (self.count + 1).next_power_of_two(), 0);
            for (item, number) in self.items[..self.count].iter().zip(1..) {
                let mut place = Self::place(&self.table, &item.object, item.done);
                while self.table[place] != 0 {
                    place = (place + 1) & (self.table.len() - 1);
                }
                self.table[place] = number;
            }
        }
        let mut place = Self::place(&self.table, object, done);
        while self.table[place] != 0 {
            let known = &self.items[self.table[place] as usize - 1];
            if known.done == done && known.object == *object {
                return false;
            }
            place = (place + 1) & (self.table.len() - 1);
        }
        self.table[place] = self.count as u32 + 1;
        true
    }

    fn place(table: &[u32], object: &Object, done: u64) -> usize {
        let mut hasher = DefaultHasher::new();
        object.hash(&mut hasher);
        done.hash(&mut hasher);
        hasher.finish() as usize & (table.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::sequential::Channel;

    #[test]
    fn a_set_keeps_each_configuration_once_however_many_there_are() {
        let mut set = Configurations::default();
        for _ in 0..2 {
            set.clear();
            for _ in 0..3 {
                for done in 0..100 {
                    let mut channel = Channel::new(9);
                    channel.send(done as i64 % 7);
                    set.add(&Object::Channel(channel), done);
                }
            }
            assert_eq!(set.live().len(), 100);
        }
    }
}
