//! The enumerator on programs whose outcomes are known from the literature, or by hand, and the comparison on made-up
//! searches.

use std::collections::BTreeSet;

use super::enumerate::{Outcomes, enumerate};
use super::explore::Explored;
use super::program::{BUSY, DEADLOCK, Guard, MUTEXES, MutexKind, Operation, Outcome, Program, Step, TIMED_OUT};
use super::{Case, Setting, Verdict};
use threadbare::model::settings::{Engine, Sanitizer, StrategyName};

pub const TESTS: [(&str, fn()); 14] = [
    ("store_buffering_has_three_outcomes", store_buffering),
    ("message_passing_never_shows_the_flag_without_the_message", message_passing),
    ("an_increment_of_two_threads_can_be_lost_and_races", lost_update),
    ("a_lock_orders_increments", locked_update),
    ("locks_in_opposite_order_can_deadlock", opposite_locks),
    ("a_notification_before_the_wait_is_lost", lost_wake_up),
    ("a_signal_wakes_any_one_waiter_and_a_broadcast_all", who_wakes),
    ("a_time_out_may_come_before_the_notification_and_not_after", time_outs),
    ("of_those_who_wait_at_a_futex_any_may_wake", futexes),
    ("a_semaphore_lets_as_many_pass_as_it_holds", semaphores),
    ("mutexes_of_each_kind_do_what_they_do_when_locked_again", kinds_of_mutex),
    ("readers_share_a_lock_and_guards_leave_operations_out", readers_and_guards),
    ("what_is_missing_is_excused_only_by_a_search_that_is_not_over_and_what_is_impossible_never", differences),
    ("a_report_is_a_race_and_no_report_is_none", reports),
];

fn program(threads: &[&[Operation]]) -> Program {
    let steps = |thread: &&[Operation]| thread.iter().map(|&operation| Step { guard: None, operation }).collect();
    Program { threads: threads.iter().map(steps).collect(), mutexes: [MutexKind::Normal; MUTEXES], semaphore: 0 }
}

fn outcomes(program: &Program) -> Outcomes {
    enumerate(program, 10_000).expect("few states")
}

/// What the threads can have recorded at the end, and whether they can deadlock.
fn records(program: &Program) -> (BTreeSet<Vec<Vec<i32>>>, bool) {
    let all = outcomes(program).all;
    let ends = all.iter().filter(|outcome| outcome.stopped.is_none()).map(|outcome| outcome.records.clone());
    (ends.collect(), all.iter().any(|outcome| outcome.stopped.is_some()))
}

fn store_buffering() {
    let threads =
        program(&[&[Operation::Store(0, 1), Operation::Load(1)], &[Operation::Store(1, 1), Operation::Load(0)]]);
    let loaded = [[0, 1], [1, 0], [1, 1]].map(|[one, other]| vec![vec![0, one], vec![0, other]]);
    assert_eq!(records(&threads), (loaded.into(), false));
}

fn message_passing() {
    let threads =
        program(&[&[Operation::Store(0, 1), Operation::Store(1, 1)], &[Operation::Load(1), Operation::Load(0)]]);
    let loaded = [[0, 0], [0, 1], [1, 1]].map(|loads| vec![vec![0, 0], loads.to_vec()]);
    assert_eq!(records(&threads), (loaded.into(), false));
}

fn lost_update() {
    let threads = program(&[&[Operation::Increment(0)], &[Operation::Increment(0)]]);
    let read = [[0, 0], [0, 1], [1, 0]].map(|[one, other]| vec![vec![one], vec![other]]);
    assert_eq!(records(&threads), (read.into(), false));
    assert!(outcomes(&threads).races);
    assert_eq!(outcomes(&threads).all.iter().map(|outcome| outcome.plains[0]).min(), Some(1));
}

fn locked_update() {
    let body = [Operation::Lock(0), Operation::Increment(0), Operation::Unlock(0)];
    let threads = program(&[&body, &body]);
    let read = [[0, 1], [1, 0]].map(|[one, other]| vec![vec![0, one, 0], vec![0, other, 0]]);
    assert_eq!(records(&threads), (read.into(), false));
    assert!(!outcomes(&threads).races);
}

fn opposite_locks() {
    let one = [Operation::Lock(0), Operation::Lock(1), Operation::Unlock(1), Operation::Unlock(0)];
    let other = [Operation::Lock(1), Operation::Lock(0), Operation::Unlock(0), Operation::Unlock(1)];
    let all = outcomes(&program(&[&one, &other])).all;
    let stopped: Vec<_> = all.iter().filter(|outcome| outcome.stopped.is_some()).collect();
    assert_eq!(stopped.len(), 1);
    assert_eq!(stopped[0].records, [[0], [0]], "each holds one");
    assert_eq!(all.len(), 2);
}

fn lost_wake_up() {
    let waits = [Operation::Lock(0), Operation::Wait { condition: 0, mutex: 0 }, Operation::Unlock(0)];
    let (ends, deadlocks) = records(&program(&[&waits, &[Operation::Signal(0)]]));
    assert_eq!((ends.len(), deadlocks), (1, true));
    let until = Operation::WaitUntil { condition: 0, mutex: 0, plain: 0, value: 1 };
    let looks = [Operation::Lock(0), until, Operation::Unlock(0)];
    let tells = [Operation::Lock(0), Operation::Write(0, 1), Operation::Unlock(0), Operation::Signal(0)];
    assert!(!records(&program(&[&looks, &tells])).1, "what looks first loses nothing");
    let forgets = [Operation::Write(0, 1), Operation::Signal(0)];
    assert!(records(&program(&[&looks, &forgets])).1, "without the lock it does");
}

fn who_wakes() {
    let waits = [Operation::Add(0, 1), Operation::Lock(0), Operation::Wait { condition: 0, mutex: 0 }];
    let waits = [&waits[..], &[Operation::Unlock(0)]].concat();
    let stopped = |end| {
        let mut all = outcomes(&program(&[&waits, &waits, &[end]])).all;
        all.retain(|outcome| outcome.stopped.is_some());
        all.iter().map(|outcome| [outcome.records[0].len(), outcome.records[1].len()]).collect::<BTreeSet<_>>()
    };
    let any = BTreeSet::from([[2, 2], [2, 4], [4, 2]]);
    assert_eq!(stopped(Operation::Signal(0)), any);
    assert_eq!(stopped(Operation::Broadcast(0)), any, "each may come too late, and then all go on or none");
    assert!(!records(&program(&[&waits, &waits, &[Operation::Signal(0)]])).0.iter().any(|all| all[0].len() == 4));
    assert!(!records(&program(&[&waits, &waits, &[Operation::Broadcast(0)]])).0.is_empty());
}

fn time_outs() {
    let waits = [Operation::Lock(0), Operation::TimedWait { condition: 0, mutex: 0 }, Operation::Unlock(0)];
    let (ends, deadlocks) = records(&program(&[&waits, &[Operation::Signal(0)]]));
    let expected = [0, TIMED_OUT].map(|waited| vec![vec![0, waited, 0], vec![0]]);
    assert_eq!((ends, deadlocks), (expected.into(), false));
    let (ends, _) = records(&program(&[&[Operation::SemaphoreTimedWait], &[Operation::SemaphorePost]]));
    assert_eq!(ends, [0, TIMED_OUT].map(|waited| vec![vec![waited], vec![0]]).into());
    let (ends, _) = records(&program(&[&[Operation::SemaphorePost, Operation::SemaphoreTimedWait]]));
    assert_eq!(ends, [vec![vec![0, 0]]].into(), "what is there is taken");
}

fn futexes() {
    let waits = [Operation::FutexWait { atomic: 0, expected: 0 }];
    let wakes = [Operation::Store(0, 1), Operation::FutexWake { atomic: 0, most: 1 }];
    let (ends, deadlocks) = records(&program(&[&waits, &wakes]));
    let expected = [(0, 1), (BUSY, 0)].map(|(waited, woken)| vec![vec![waited], vec![0, woken]]);
    assert_eq!((ends, deadlocks), (expected.into(), false));
    let two = program(&[&waits, &waits, &wakes]);
    let stopped = outcomes(&two).all.into_iter().filter(|outcome| outcome.stopped.is_some());
    let woken: BTreeSet<_> = stopped.map(|outcome| outcome.records).collect();
    let expected = [[vec![0], vec![]], [vec![], vec![0]]].map(|[one, other]| vec![one, other, vec![0, 1]]);
    assert_eq!(woken, expected.into());
}

fn semaphores() {
    let takes = [Operation::SemaphoreWait];
    let mut threads = program(&[&takes, &takes, &[Operation::SemaphoreTryWait]]);
    threads.semaphore = 2;
    let (ends, deadlocks) = records(&threads);
    assert!(deadlocks, "all three may try");
    assert_eq!(ends, [vec![vec![0], vec![0], vec![BUSY]]].into());
}

fn kinds_of_mutex() {
    let again = |kind, lock| {
        let mut threads = program(&[&[Operation::Lock(0), lock]]);
        threads.mutexes[0] = kind;
        let (ends, _) = records(&threads);
        ends.first().map(|records| records[0][1])
    };
    assert_eq!(again(MutexKind::Normal, Operation::Lock(0)), None);
    assert_eq!(again(MutexKind::Normal, Operation::TryLock(0)), Some(BUSY));
    assert_eq!(again(MutexKind::Normal, Operation::TimedLock(0)), Some(TIMED_OUT));
    assert_eq!(again(MutexKind::Recursive, Operation::Lock(0)), Some(0));
    assert_eq!(again(MutexKind::ErrorCheck, Operation::Lock(0)), Some(DEADLOCK));
    assert_eq!(again(MutexKind::ErrorCheck, Operation::TryLock(0)), Some(BUSY));
}

fn readers_and_guards() {
    let shares = [Operation::ReadLock];
    assert_eq!(records(&program(&[&shares, &shares])), ([vec![vec![0], vec![0]]].into(), false));
    let (ends, deadlocks) = records(&program(&[&shares, &[Operation::TryWriteLock, Operation::ReadWriteUnlock]]));
    let expected = [vec![BUSY], vec![0, 0]].map(|writer| vec![vec![0], writer]);
    assert_eq!((ends, deadlocks), (expected.into(), false), "what is not held is not unlocked");
    let mut threads = program(&[&[Operation::Load(0), Operation::Store(1, 1)], &[Operation::Store(0, 1)]]);
    threads.threads[0][1].guard = Some(Guard { value: 1, is: true });
    let ends: BTreeSet<_> = outcomes(&threads).all.iter().map(|outcome| outcome.atomics).collect();
    assert_eq!(ends, [[1, 0, 0], [1, 1, 0]].into());
}

/// A search that came to these outcomes of the program.
fn judged(program: Program, reached: &[Outcome], search_ended: bool, reports: u64, sanitizer: Sanitizer) -> Verdict {
    let setting = Setting { sanitizer, engine: Engine::Fibers, strategy: StrategyName::Exhaustive, executions: 1 };
    let outcomes = reached.iter().map(|outcome| (outcome.clone(), 1)).collect();
    let explored = Explored { executions: 1, search_ended, spent: false, reports, outcomes };
    let outcomes = enumerate(&program, 10_000).expect("few states");
    Case { seed: 0, program, outcomes }.judge(&explored, &setting)
}

fn differences() {
    let increments = program(&[&[Operation::Increment(0)], &[Operation::Increment(0)]]);
    let all: Vec<_> = outcomes(&increments).all.into_iter().collect();
    let judged = |reached: &[Outcome], ended| judged(increments.clone(), reached, ended, 0, Sanitizer::None);
    assert_eq!(judged(&all, true), Verdict::Equal);
    assert_eq!(judged(&all[1..], false), Verdict::Part);
    let missing = vec![all[0].clone()];
    assert_eq!(judged(&all[1..], true), Verdict::Different { missing, extra: Vec::new() });
    let impossible = Outcome { plains: [3, 0], ..all[0].clone() };
    let reached = [&all[..], std::slice::from_ref(&impossible)].concat();
    assert_eq!(judged(&reached, false), Verdict::Different { missing: Vec::new(), extra: vec![impossible] });
}

fn reports() {
    let races = program(&[&[Operation::Read(0)], &[Operation::Write(0, 1)]]);
    let tries = program(&[&[Operation::TryLock(0), Operation::Read(0)], &[Operation::Lock(0)]]);
    let ordered = program(&[&[Operation::Lock(0), Operation::Read(0)], &[Operation::Lock(0)]]);
    let judged = |program: &Program, reports, sanitizer| {
        let all: Vec<_> = outcomes(program).all.into_iter().collect();
        judged(program.clone(), &all, true, reports, sanitizer)
    };
    let wrong = |reported| Verdict::Reports { reported };
    assert_eq!(judged(&races, 1, Sanitizer::Thread), Verdict::Equal);
    assert_eq!(judged(&races, 0, Sanitizer::Thread), wrong(false));
    assert_eq!(judged(&races, 1, Sanitizer::Address), wrong(true));
    assert_eq!(judged(&ordered, 1, Sanitizer::Thread), wrong(true));
    assert_eq!(judged(&tries, 1, Sanitizer::Thread), Verdict::Equal, "what fails orders nothing");
}
