//! The lease that lives in a file.

use std::fmt::{self, Display, Formatter};

use super::Action;
use crate::task_graph::call::{Agent, FILE_ERROR};

/// Who holds a lease. Time is not modelled: a lease may be too old or not as it likes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lease {
    holder: Option<Agent>,
}

/// What an action on a lease that gives a certain result may have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// What the result says.
    Told,
    /// Nothing: an operation on files failed before, or the lease was not too old.
    None,
    /// What it does, and then an operation on files failed.
    Hidden,
}

impl Effect {
    /// What an action that gave this may have done; if the result is not known, what it may yet do.
    #[must_use]
    pub fn of(action: Action, result: Option<i64>) -> &'static [Self] {
        match (action, result) {
            (
                Action::AcquireLease(_)
                | Action::RefreshLease(_)
                | Action::ReleaseLease(_)
                | Action::LeaseHolder
                | Action::CleanupStale(_),
                Some(FILE_ERROR),
            ) => &[Self::None, Self::Hidden],
            (Action::CleanupStale(age), Some(0)) if age > 0 => &[Self::None],
            _ => &[Self::Told],
        }
    }
}

impl Lease {
    /// Acts and says what that gives. A lease that somebody holds counts as old.
    ///
    /// # Panics
    /// If it is no action of a lease.
    pub fn perform(&mut self, action: Action) -> i64 {
        let held_by = |agent| i64::from(self.holder == Some(agent));
        match action {
            Action::AcquireLease(_) if self.holder.is_some() => 0,
            Action::AcquireLease(agent) => {
                self.holder = Some(agent);
                1
            }
            Action::RefreshLease(agent) => held_by(agent),
            Action::ReleaseLease(agent) => {
                let held = held_by(agent);
                self.holder.take_if(|holder| *holder == agent);
                held
            }
            Action::LeaseHolder => self.holder.map_or(-1, i64::from),
            Action::CleanupStale(_) => i64::from(self.holder.take().is_some()),
            _ => unreachable!("{action:?} of a lease"),
        }
    }

    /// Acts with an effect that the result does not tell; always possible.
    pub(super) fn unsure(&mut self, action: Action, effect: Effect) -> bool {
        if effect == Effect::Hidden {
            self.perform(action);
        }
        true
    }
}

impl Display for Lease {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self.holder {
            Some(agent) => write!(formatter, "a lease that agent {agent} holds"),
            None => formatter.write_str("a free lease"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_agent_holds_a_lease_and_nobody_else_renews_or_releases_it() {
        let mut lease = Lease::default();
        let mut gives = |action| lease.perform(action);
        assert_eq!((gives(Action::LeaseHolder), gives(Action::RefreshLease(7))), (-1, 0));
        assert_eq!((gives(Action::AcquireLease(7)), gives(Action::AcquireLease(8))), (1, 0));
        assert_eq!((gives(Action::AcquireLease(7)), gives(Action::LeaseHolder)), (0, 7));
        assert_eq!((gives(Action::RefreshLease(8)), gives(Action::RefreshLease(7))), (0, 1));
        assert_eq!((gives(Action::ReleaseLease(8)), gives(Action::ReleaseLease(7))), (0, 1));
        assert_eq!(gives(Action::CleanupStale(0)), 0);
        assert_eq!((gives(Action::AcquireLease(8)), gives(Action::CleanupStale(0))), (1, 1));
        assert_eq!(gives(Action::LeaseHolder), -1);
    }
}
