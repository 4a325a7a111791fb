//! The channel.

use std::collections::VecDeque;
use std::fmt::{self, Display, Formatter};

use crate::task_graph::CLOSED;

/// A queue of bounded length that can be closed.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Channel {
    capacity: usize,
    values: VecDeque<i64>,
    closed: bool,
}

impl Channel {
    #[must_use]
    pub fn new(capacity: u32) -> Self {
        Self { capacity: capacity as usize, values: VecDeque::new(), closed: false }
    }

    /// Gives 1, or 0 if the channel is closed; has to wait while it is full.
    pub fn send(&mut self, value: i64) -> Option<i64> {
        if self.closed {
            return Some(0);
        }
        if self.values.len() == self.capacity {
            return None;
        }
        self.values.push_back(value);
        Some(1)
    }

    /// Gives the oldest value, or [`CLOSED`] if there is none and never will be.
    pub fn receive(&mut self) -> Option<i64> {
        self.values.pop_front().or(self.closed.then_some(CLOSED))
    }

    pub fn close(&mut self) -> Option<i64> {
        self.closed = true;
        Some(0)
    }
}

impl Clone for Channel {
    fn clone(&self) -> Self {
        Self { values: self.values.clone(), ..*self }
    }

    fn clone_from(&mut self, source: &Self) {
        self.capacity = source.capacity;
        self.values.clone_from(&source.values);
        self.closed = source.closed;
    }
}

impl Display for Channel {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let closed = if self.closed { "closed " } else { "" };
        write!(formatter, "a {closed}channel with {:?} of {}", self.values, self.capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_channel_is_drained_before_it_says_so() {
        let mut channel = Channel::new(1);
        assert_eq!(channel.receive(), None);
        assert_eq!(channel.send(7), Some(1));
        assert_eq!(channel.send(8), None, "full");
        channel.close();
        assert_eq!(channel.send(8), Some(0));
        assert_eq!(channel.receive(), Some(7));
        assert_eq!(channel.receive(), Some(CLOSED));
    }
}
