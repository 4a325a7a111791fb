//! Parents and children: who waits for whose end, who holds whose handle, and who was asked to stop.

use super::frame::Frame;
use crate::task_graph::{Begun, Outcome, TaskGraph, TaskId, Tree};

pub(super) struct Family {
    tree: Tree,
    members: Vec<Member>,
}

struct Member {
    bond: Bond,
    outcome: Option<Outcome>,
    /// Whether it was asked to stop itself. Its ancestors may have been asked too.
    stop: bool,
    wait: Option<Wait>,
}

/// What the parent of a task wants with its end.
#[derive(Clone, Copy)]
enum Bond {
    /// It may yet ask: it holds the handle.
    Held,
    /// It waits for it.
    Awaited,
    /// Nothing: it gave the handle up.
    GivenUp,
}

/// A task that waits for children.
struct Wait {
    frame: Frame,
    /// How many have not ended; at least 1.
    pending: usize,
}

/// What the end of a task brings about.
pub(super) enum Sequel {
    Nothing,
    /// Nobody wants the result, so the frame goes.
    Free,
    /// The parent waited only for this.
    Wake(Frame),
}

impl Family {
    pub fn new(graph: &TaskGraph) -> Self {
        let member = |_| Member { bond: Bond::Held, outcome: None, stop: false, wait: None };
        Self { tree: Tree::of(graph), members: (0..graph.tasks.len()).map(member).collect() }
    }

    /// Lets a task wait for children. Gives its frame back if all of them have ended.
    pub fn wait(&mut self, children: &[TaskId], frame: Frame) -> Option<Frame> {
        let mut pending = 0;
        for &child in children {
            let child = self.member(child);
            if child.outcome.is_none() {
                child.bond = Bond::Awaited;
                pending += 1;
            }
        }
        if pending == 0 {
            return Some(frame);
        }
        let task = frame.task;
        self.member(task).wait = Some(Wait { frame, pending });
        None
    }

    /// Notes the end of a task.
    pub fn end(&mut self, graph: &TaskGraph, task: TaskId, outcome: Outcome) -> Sequel {
        let member = self.member(task);
        member.outcome = Some(outcome);
        match member.bond {
            Bond::Held => Sequel::Nothing,
            Bond::GivenUp => Sequel::Free,
            Bond::Awaited => self.end_awaited(graph, task),
        }
    }

    fn end_awaited(&mut self, graph: &TaskGraph, task: TaskId) -> Sequel {
        let parent = self.tree.parent(task);
        if self.tree.begun(task) == Begun::Raced && !self.member(task).stop {
            let operation = usize::from(self.tree.operation(task));
            self.win(parent, graph.tasks[parent as usize].operations[operation].begins(), task);
        }
        let mut wait = self.member(parent).wait.take().expect("who awaits a child waits");
        wait.pending -= 1;
        if wait.pending == 0 {
            return Sequel::Wake(wait.frame);
        }
        self.member(parent).wait = Some(wait);
        Sequel::Nothing
    }

    /// The first to end wins its race. Having been asked to stop is what marks the others as too late.
    fn win(&mut self, parent: TaskId, racers: &[TaskId], winner: TaskId) {
        for (position, &racer) in (0..).zip(racers) {
            self.member(racer).stop = true;
            if racer == winner {
                let wait = self.member(parent).wait.as_mut();
                wait.expect("who races children waits").frame.given = position;
            }
        }
    }

    /// Gives the handle of a child up. True if the child has ended, so that its frame goes.
    pub fn give_up(&mut self, child: TaskId) -> bool {
        let child = self.member(child);
        child.bond = Bond::GivenUp;
        child.outcome.is_some()
    }

    /// How a task ended.
    ///
    /// # Panics
    /// If it has not.
    pub fn outcome(&self, task: TaskId) -> Outcome {
        self.members[task as usize].outcome.expect("a child that was waited for has ended")
    }

    /// Asks a started task to stop, and all that it awaits.
    pub fn ask_stop(&mut self, task: TaskId) {
        self.member(task).stop = true;
    }

    /// Whether the task was asked to stop.
    pub fn stop_asked(&self, mut task: TaskId) -> bool {
        loop {
            match self.tree.begun(task) {
                Begun::Root => return false,
                Begun::Started => return self.members[task as usize].stop,
                Begun::Raced if self.members[task as usize].stop => return true,
                Begun::Raced | Begun::Awaited => task = self.tree.parent(task),
            }
        }
    }

    fn member(&mut self, task: TaskId) -> &mut Member {
        &mut self.members[task as usize]
    }
}
