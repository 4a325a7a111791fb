//! Who is told of what the threads do, besides strategies.

use super::Controller;
use crate::feedback::Observer;

impl Controller {
    /// Whether somebody is told of what the threads do.
    #[inline]
    pub fn is_observed(&self) -> bool {
        self.observer.is_some()
    }

    /// The running thread was given this memory.
    pub fn allocated(&mut self, address: usize, size: usize) {
        if let Some(observer) = &mut self.observer {
            observer.allocated(address, size);
        }
    }

    /// Who is told of what the threads do from the next execution on.
    pub fn set_observer(&mut self, observer: Option<Observer>) {
        self.observer = observer.map(Box::new);
    }

    /// The behaviour of the next execution is asked for, where nobody else observes it.
    pub fn look_at_behaviour(&mut self) {
        if self.observer.is_none() {
            self.observer = self.behaviours.take().or_else(|| Some(Box::new(Observer::of_behaviours())));
        }
    }

    /// That of the execution that has just ended, if it was asked for. It is not asked for in the next one.
    pub fn take_behaviour(&mut self) -> Option<u64> {
        let behaviour = self.observer.as_ref()?.behaviour()?;
        self.behaviours = self.observer.take();
        Some(behaviour)
    }
}
