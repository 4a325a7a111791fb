//! The programs of the paper, which have so many executions that differ, and no more may be made.

use super::*;
use crate::model::op::OpKind;
use crate::strategy::ThreadSet;

/// What a thread does next, given what its last operation came to.
#[derive(Clone, Copy)]
enum Action {
    Load(usize),
    Store(usize, i64),
    /// 1 if it took place.
    CompareExchange(usize, i64, i64),
    Lock(usize),
    Unlock(usize),
    End,
}

type Thread = Box<dyn FnMut(i64) -> Action>;

fn op(action: Action) -> Op {
    let memory = |kind, place: usize| Op { size: 4, ..Op::new(kind, 0x1000 + 4 * place) };
    let lock = |kind, place: usize| Op { waits: kind == OpKind::Lock, ..Op::new(kind, 0x10_0000 + 64 * place) };
    match action {
        Action::Load(place) => memory(OpKind::Load, place),
        Action::Store(place, _) => memory(OpKind::Store, place),
        Action::CompareExchange(place, ..) => memory(OpKind::CompareExchange, place),
        Action::Lock(place) => lock(OpKind::Lock, place),
        Action::Unlock(place) => lock(OpKind::Unlock, place),
        Action::End => Op::NOTHING,
    }
}

/// Runs threads that were started at once, and that none waits for, to their ends.
fn run(strategy: &mut Exhaustive, mut threads: Vec<Thread>) {
    let mut memory = vec![0; 256];
    let mut taken = [false; 64];
    let mut actions: Vec<_> = threads.iter_mut().map(|thread| thread(0)).collect();
    let mut runnable = ThreadSet::default();
    (0..threads.len()).for_each(|thread| runnable.insert(thread as ThreadId));
    strategy.begin(0, 100);
    let mut current = 0;
    while !runnable.is_empty() {
        let pending: Vec<_> = actions.iter().map(|&action| op(action)).collect();
        if runnable.len() > 1 || !runnable.contains(current) {
            let (sleeping, current_now) = (&[], Some(current).filter(|&thread| runnable.contains(thread)));
            let decision = Decision {
                current: current_now,
                yielding: false,
                runnable: &runnable,
                pending: &pending,
                sleeping,
                now: 0,
                points: 0,
                digest: 0,
            };
            current = strategy.choose(&decision).expect("it replays nothing").thread;
        }
        let action = actions[usize::from(current)];
        strategy.made(current, &op(action));
        let mut result = 0;
        match action {
            Action::Load(place) => result = memory[place],
            Action::Store(place, value) => memory[place] = value,
            Action::CompareExchange(place, expected, desired) => {
                if memory[place] == expected {
                    (memory[place], result) = (desired, 1);
                }
            }
            Action::Lock(place) => {
                assert!(!std::mem::replace(&mut taken[place], true), "nobody is sent to where it cannot go on");
                strategy.uses(current, Use::Took(op(action).object));
            }
            Action::Unlock(place) => {
                taken[place] = false;
                strategy.uses(current, Use::GaveUp(op(action).object));
            }
            Action::End => {}
        }
        let next = threads[usize::from(current)](result);
        if matches!(next, Action::End) {
            runnable.remove(current);
        }
        actions[usize::from(current)] = next;
    }
}

/// How many executions the search makes of these threads.
fn executions(threads: impl Fn() -> Vec<Thread>) -> u64 {
    let mut strategy = Exhaustive::new();
    strategy.lies_still(0..usize::MAX);
    let mut first = None;
    while !strategy.search_ended() {
        run(&mut strategy, threads());
        first = first.or(strategy.extent().map(|extent| extent.executions));
    }
    let extent = strategy.extent().expect("it has an end");
    assert_eq!((first, extent.repeated, extent.strayed), (Some(1), 0, 0));
    assert_eq!(extent.estimate, extent.executions, "what is over is known");
    assert_eq!(extent.distinct, extent.executions, "each reads and modifies in another order");
    extent.executions
}

fn script(actions: Vec<Action>) -> Thread {
    let mut actions = actions.into_iter();
    Box::new(move |_| actions.next().unwrap_or(Action::End))
}

/// One thread writes what all the others read.
fn readers(count: usize) -> Vec<Thread> {
    let readers = (0..count).map(|_| script(vec![Action::Load(0)]));
    std::iter::once(script(vec![Action::Store(0, 1)])).chain(readers).collect()
}

/// Each thread makes its element one more than the one before, while the first looks for the last that is 0.
fn last_zero(count: usize) -> Vec<Thread> {
    let mut next = count + 1;
    let search: Thread = Box::new(move |last| {
        if next <= count && last == 0 {
            return Action::End;
        }
        next -= 1;
        Action::Load(next)
    });
    let writer = |place: usize| -> Thread {
        let mut step = 0;
        Box::new(move |last| {
            step += 1;
            match step {
                1 => Action::Load(place - 1),
                2 => Action::Store(place, last + 1),
                _ => Action::End,
            }
        })
    };
    std::iter::once(search).chain((1..=count).map(writer)).collect()
}

/// Threads put four words each into a hash table, where only some of eleven and more meet.
fn indexer(count: usize) -> Vec<Thread> {
    const SIZE: usize = 128;
    let thread = |number: usize| -> Thread {
        let (mut words, mut word, mut place) = (0, 0, 0);
        Box::new(move |last| {
            if words == 0 || last == 1 {
                words += 1;
                word = words * 11 + number;
                place = word * 7 % SIZE;
            } else {
                place = (place + 1) % SIZE;
            }
            if words > 4 { Action::End } else { Action::CompareExchange(place, 0, word as i64) }
        })
    };
    (0..count).map(thread).collect()
}

/// Threads find a free block for an inode each, where only some of 14 and more meet.
fn file_system(count: usize) -> Vec<Thread> {
    const INODES: usize = 32;
    const BLOCKS: usize = 26;
    let thread = |number: usize| -> Thread {
        let inode = number % INODES;
        let (mut step, mut block) = (0, inode * 2 % BLOCKS);
        let (inode_lock, busy) = (inode, INODES);
        Box::new(move |last| {
            step += 1;
            match step {
                1 => Action::Lock(inode_lock),
                2 => Action::Load(inode),
                3 => Action::Lock(INODES + block),
                4 => Action::Load(busy + block),
                5 if last != 0 => {
                    step = 2;
                    block = (block + 1) % BLOCKS;
                    Action::Unlock(INODES + (block + BLOCKS - 1) % BLOCKS)
                }
                5 => Action::Store(busy + block, 1),
                6 => Action::Store(inode, block as i64 + 1),
                7 => Action::Unlock(INODES + block),
                8 => Action::Unlock(inode_lock),
                _ => Action::End,
            }
        })
    };
    (0..count).map(thread).collect()
}

#[test]
fn readers_of_one_write_have_an_execution_for_each_set_of_those_that_come_first() {
    for count in 2..=10 {
        assert_eq!(executions(|| readers(count)), 1 << count, "{count} readers");
    }
}

#[test]
fn the_last_zero_has_as_many_executions_as_in_the_paper() {
    assert_eq!(executions(|| last_zero(5)), 64);
    assert_eq!(executions(|| last_zero(10)), 3_328);
}

#[test]
fn hash_tables_and_file_systems_have_two_executions_for_each_place_where_threads_meet() {
    for (count, expected) in [(11, 1), (12, 8), (13, 64), (14, 512)] {
        assert_eq!(executions(|| indexer(count)), expected, "{count} threads");
    }
    for (count, expected) in [(13, 1), (14, 2), (16, 8), (18, 32), (19, 64)] {
        assert_eq!(executions(|| file_system(count)), expected, "{count} threads");
    }
}

#[test]
#[ignore = "takes long"]
fn the_largest_of_the_paper() {
    assert_eq!(executions(|| readers(13)), 8_192);
    assert_eq!(executions(|| last_zero(15)), 147_456);
    assert_eq!(executions(|| indexer(15)), 4_096);
}
