//! Proves by trial that the oracles pass whatever the specification allows, and notice what it does not.

use threadbare::model::execution::{Event, EventKind, Execution};
use threadbare::model::verdict::Judgement;
use threadbare::oracle::Judge;
use threadbare::reference::Expectations;
use threadbare::reference::model::Model;
use threadbare::task_graph::generate::{Decisions, Seeded};
use threadbare::task_graph::{Operation, TaskGraph, from_seed};

const THREADS: u16 = 4;

fn execution(events: Vec<Event>) -> Execution {
    Execution::completed(events)
}

fn text(events: &[Event]) -> String {
    let line = |event: &Event| {
        let Event { value, task, operation, thread, kind } = event;
        format!("task {task} [{operation}] {kind:?} {value} on thread {thread}\n")
    };
    events.iter().map(line).collect()
}

/// The events of a random schedule, with threads that change wherever they may.
fn history(graph: &TaskGraph, schedule: &mut Seeded) -> Vec<Event> {
    let mut model = Model::new(graph);
    let tasks = graph.tasks.len() as u32;
    let longest = 1 << schedule.below(5);
    while !model.ended() {
        let first = schedule.below(tasks);
        for turn in 0..tasks {
            let thread = schedule.below(u32::from(THREADS)) as u16;
            let mut moved = model.step((first + turn) % tasks, thread);
            for _ in 0..schedule.below(longest) {
                moved |= !model.ended() && model.step((first + turn) % tasks, thread);
            }
            if moved {
                break;
            }
        }
    }
    model.shut_down();
    model.events().to_vec()
}

#[test]
fn every_history_of_the_specification_is_right() {
    for (seeds, schedules, size) in [(0..20_000, 5, 6), (0..1_000, 5, 20), (0..50, 3, 100)] {
        for seed in seeds {
            let graph = from_seed(seed, size);
            let mut judge = Judge::new(&graph, THREADS, Expectations::of(&graph));
            let mut schedule = Seeded::new(!seed);
            for _ in 0..schedules {
                let execution = execution(history(&graph, &mut schedule));
                let judgement = judge.judge(&execution);
                assert_eq!(
                    judgement,
                    Judgement::Right,
                    "seed {seed}, size {size}\n{graph}\n{}",
                    text(&execution.events)
                );
            }
        }
    }
}

/// Spoils a history at a random place; `None` if what comes out may still be right.
fn spoil(graph: &TaskGraph, history: &[Event], random: &mut Seeded) -> Option<Vec<Event>> {
    let mut events = history.to_vec();
    let at = random.below(events.len() as u32) as usize;
    let event = events[at];
    match random.below(4) {
        // What is left out is missed, and what is doubled is one too many.
        0 => drop(events.remove(at)),
        1 => events.insert(at, event),
        // Every value counts; of times only that too little of it passed.
        2 => match event.kind {
            EventKind::OperationBegin => {
                // A sleep may begin at any time, as long as the shutdown cuts it short.
                let operations = &graph.tasks[event.task as usize].operations;
                if matches!(operations[usize::from(event.operation)], Operation::Sleep(_)) {
                    return None;
                }
                events[at].value = event.value + 1;
            }
            EventKind::OperationEnd
            | EventKind::OperationFail
            | EventKind::TaskEnd
            | EventKind::TaskFail
            | EventKind::Entered
            | EventKind::Leaving
            | EventKind::Callback
            | EventKind::ContextsLeft => {
                events[at].value = event.value.wrapping_sub(1_000_000);
            }
            EventKind::FrameMade | EventKind::FrameFreed | EventKind::TaskBegin => return None,
        },
        _ => {
            // What a task does is in order.
            let next = events[at + 1..].iter().position(|other| other.task == event.task)?;
            events.swap(at, at + 1 + next);
        }
    }
    Some(events)
}

#[test]
fn a_spoilt_history_is_wrong() {
    let mut random = Seeded::new(7);
    for seed in 0..40_000 {
        let graph = from_seed(seed, 6);
        let mut judge = Judge::new(&graph, THREADS, Expectations::of(&graph));
        let right = history(&graph, &mut random);
        let Some(events) = spoil(&graph, &right, &mut random) else { continue };
        let judgement = judge.judge(&execution(events.clone()));
        assert!(matches!(judgement, Judgement::Wrong(_)), "seed {seed}\n{graph}\n{}", text(&events));
    }
}
