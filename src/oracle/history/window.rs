//! The history of one object: the calls since nothing was pending, and the states that the object may have
//! been in then.

use super::search::{Search, Stop};
use crate::reference::sequential::{Action, Caller, Effect, Moment, Object};
use crate::task_graph::TaskId;

/// Calls on an object since it was last at rest.
#[derive(Default)]
pub(super) struct Window {
    pub entries: Vec<Entry>,
    /// Calls and returns in the order in which they were recorded.
    pub steps: Vec<Step>,
    /// Calls that have not returned.
    pending: usize,
}

/// A call on an object.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub caller: Caller,
    pub action: Action,
    /// What it gave; `None` if it did not return.
    pub result: Option<i64>,
    /// The stamps of its call and its return, which is [`PENDING`] at first.
    pub called: u32,
    pub returned: u32,
}

/// No stamp is as late.
pub(super) const PENDING: u32 = u32::MAX;

#[derive(Clone, Copy)]
pub(super) struct Step {
    pub entry: u32,
    pub returned: bool,
}

/// What is known of one object.
pub(super) struct Track {
    initial: Object,
    /// Whether the order of calls never matters, so that there is one state and no window.
    monotone: bool,
    /// The states that the object may have been in when the window began.
    states: Vec<Object>,
    count: usize,
    /// For trying.
    spare: Object,
    window: Window,
    /// A search gave up; nothing more is known.
    pub lost: bool,
}

/// The event, by its stamp, that nothing explains; or why that cannot be told.
pub(super) enum Found {
    Impossible(u32),
    TooLong,
}

impl Track {
    pub fn new(initial: Object) -> Self {
        Self {
            monotone: initial.is_monotone(),
            states: vec![initial.clone()],
            spare: initial.clone(),
            initial,
            count: 1,
            window: Window::default(),
            lost: false,
        }
    }

    /// The executions are under a weak memory model.
    pub fn under_weak_memory(&mut self) {
        if let Object::Processor(processor) = &mut self.initial {
            *processor = processor.under_weak_memory();
        }
        self.reset();
    }

    pub fn reset(&mut self) {
        self.states[0].clone_from(&self.initial);
        self.count = 1;
        self.window.clear();
        self.lost = false;
    }

    /// A state that the object may have been in when the calls that matter now began.
    pub fn state(&self) -> &Object {
        &self.states[0]
    }

    /// A mutex is given back by its holder's failure.
    pub fn abandon(&mut self, task: TaskId) {
        if let Object::Mutex(mutex) = &mut self.states[0] {
            mutex.abandon(task);
        }
    }

    /// Records a call. Gives its place in the window.
    #[inline]
    pub fn called(&mut self, caller: Caller, action: Action, stamp: u32) -> u32 {
        if self.monotone {
            if self.initial.moment(action) == Moment::Call {
                self.states[0].perform(caller, action);
            }
            return 0;
        }
        self.window.called(Entry { caller, action, result: None, called: stamp, returned: PENDING })
    }

    /// Records the return of a call that was recorded at `place`.
    #[inline]
    pub fn returned(
        &mut self,
        place: u32,
        caller: Caller,
        action: Action,
        result: i64,
        stamp: u32,
        search: &mut Search,
    ) -> Result<(), Found> {
        if self.monotone {
            let last = self.initial.moment(action) == Moment::Call;
            let right = last || self.states[0].explain(caller, action, Some(result), Effect::Told);
            return if right { Ok(()) } else { Err(Found::Impossible(stamp)) };
        }
        if let ([_], 1, &[effect]) = (&self.window.entries[..], self.count, Effect::of(action, Some(result))) {
            // Nothing overlaps, and there is one way to understand it.
            self.window.clear();
            self.spare.clone_from(&self.states[0]);
            let right = self.spare.explain(caller, action, Some(result), effect);
            if right {
                std::mem::swap(&mut self.states[0], &mut self.spare);
            }
            return if right { Ok(()) } else { Err(Found::Impossible(stamp)) };
        }
        self.window.returned(place, result, stamp);
        if self.window.pending > 0 { Ok(()) } else { self.settle(search) }
    }

    /// Takes back a call that was recorded at `place` and had no effect. Where the order of calls never matters, it
    /// is one that would have taken effect at its return.
    pub fn withdrawn(&mut self, place: u32, search: &mut Search) -> Result<(), Found> {
        if self.monotone {
            return Ok(());
        }
        self.window.withdrawn(place);
        if self.window.pending > 0 { Ok(()) } else { self.settle(search) }
    }

    /// Checks what is in the window although calls are pending.
    pub fn check(&mut self, search: &mut Search) -> Result<(), Found> {
        if self.lost || self.window.pending == self.window.entries.len() {
            return Ok(());
        }
        let states = &self.states[..self.count];
        match search.run(states, &self.window, PENDING) {
            Ok(()) => Ok(()),
            Err(Stop::TooLong) => {
                self.lost = true;
                Err(Found::TooLong)
            }
            Err(Stop::Impossible) => {
                // The shortest prefix: a return that all later ones leave without an explanation.
                let returns = self.window.steps.iter().filter(|step| step.returned);
                let stamps = returns.map(|step| self.window.entries[step.entry as usize].returned);
                let last = stamps.clone().max().unwrap_or(PENDING);
                let first = stamps
                    .into_iter()
                    .find(|&stamp| matches!(search.run(states, &self.window, stamp), Err(Stop::Impossible)));
                Err(Found::Impossible(first.unwrap_or(last)))
            }
        }
    }

    /// Checks the window when nothing is pending any more, and begins another.
    fn settle(&mut self, search: &mut Search) -> Result<(), Found> {
        self.check(search)?;
        self.window.clear();
        self.count = 0;
        for explanation in search.explanations() {
            match self.states.get_mut(self.count) {
                Some(state) => state.clone_from(&explanation.object),
                None => self.states.push(explanation.object.clone()),
            }
            self.count += 1;
        }
        Ok(())
    }

    /// Of tasks that wait for this object, those that could go on; none if in some explanation none could.
    /// Each comes with its action and the place of its call.
    pub fn ready(&mut self, waiting: &[(TaskId, Action, u32)], search: &mut Search) -> Vec<TaskId> {
        if self.monotone {
            let goes_on = |&&(task, action, _): &&(TaskId, Action, u32)| {
                self.states[0].clone().perform(Caller { task, thread: 0 }, action).is_some()
            };
            return waiting.iter().filter(goes_on).map(|&(task, ..)| task).collect();
        }
        match search.run(&self.states[..self.count], &self.window, PENDING) {
            Ok(()) => {}
            Err(Stop::TooLong) => {
                self.lost = true;
                return vec![];
            }
            Err(Stop::Impossible) => return vec![],
        }
        let mut ready = vec![];
        for explanation in 0..search.explanations().len() {
            let before = ready.len();
            for &(task, _, place) in waiting {
                if search.goes_on(explanation, &self.window.entries[place as usize], place) {
                    ready.push(task);
                }
            }
            if ready.len() == before {
                return vec![];
            }
        }
        ready
    }
}

impl Window {
    fn called(&mut self, entry: Entry) -> u32 {
        let place = self.entries.len() as u32;
        self.entries.push(entry);
        self.steps.push(Step { entry: place, returned: false });
        self.pending += 1;
        place
    }

    fn returned(&mut self, place: u32, result: i64, stamp: u32) {
        let entry = &mut self.entries[place as usize];
        entry.result = Some(result);
        entry.returned = stamp;
        self.steps.push(Step { entry: place, returned: true });
        self.pending -= 1;
    }

    fn withdrawn(&mut self, place: u32) {
        self.steps.retain(|step| step.entry != place);
        self.pending -= 1;
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.steps.clear();
        self.pending = 0;
    }
}
