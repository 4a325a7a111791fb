//! The detector against a naive one, and what random executions do not reach.

mod clocks;
mod naive;
mod traces;

use std::collections::BTreeSet;

use super::{Birth, Block, Detector, Held, Kind, Missed, Now, Seen};
use clocks::Clocks;
use naive::{Before, Pair};
use traces::{Event, Random, What};

/// What a step told, with the event that it was.
struct Told {
    event: usize,
    access: traces::Access,
    seen: Seen,
}

/// Tells the detector an execution.
fn tell(races: &mut Detector, events: &[Event]) -> Vec<Told> {
    let mut told = Vec::new();
    let mut clocks = Clocks::new();
    let mut others = 0;
    races.begin(0..usize::MAX);
    for (number, event) in events.iter().enumerate() {
        let thread = event.thread;
        clocks.acquire(event);
        let now = Now { thread, epoch: clocks.epoch(thread), clock: clocks.clock(thread) };
        for access in event.accesses() {
            let seen = match event.what {
                What::Free(_) => races.freed(now, access.place, access.address, access.size),
                _ => races.range(now, access.place, access.address, access.size, access.kind),
            };
            told.push(Told { event: number, access: *access, seen });
        }
        match event.what {
            What::Forget(address, size) if number % 2 == 0 => races.allocated(thread, 0, address, size),
            What::Forget(address, size) => races.begins(address..address + size),
            What::Create(child) => {
                races.add_thread(thread, child, 0);
                others += 1;
            }
            What::Join(_) => {
                others -= 1;
                if others == 0 {
                    races.settled();
                }
            }
            _ => {}
        }
        clocks.release_of(number, event);
    }
    told
}

fn number_of(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |number| number.parse().expect("a number"))
}

/// `THREADBARE_RACE_EXECUTIONS` says how many, and `THREADBARE_RACE_SEED` from which on.
#[test]
fn in_random_executions_each_pair_of_places_is_found_that_races_and_no_other() {
    let (first, executions) = (number_of("THREADBARE_RACE_SEED", 1), number_of("THREADBARE_RACE_EXECUTIONS", 300));
    let mut races = Detector::new();
    let (mut with_races, mut pairs) = (0, 0);
    for seed in first..first + executions {
        let mut random = Random(seed << 20);
        let length = 4 + random.below(80);
        let events = traces::trace(&mut random, length);
        let before = Before::of(&events);
        let right = naive::races(&events, &before);
        let places = naive::places(&right);
        races.watch(Vec::new());
        let told = tell(&mut races, &events);
        let found: Vec<(usize, usize)> =
            races.races().iter().map(|race| (race.earlier.place, race.later.place)).collect();
        let found_pairs: BTreeSet<(usize, usize)> =
            found.iter().map(|(one, other)| (*one.min(other), *one.max(other))).collect();
        assert_eq!(found_pairs, places, "seed {seed}: {events:#?}");
        assert_eq!((found.len(), races.missed()), (places.len(), Default::default()), "seed {seed}");
        assert_eq!(told.iter().any(|told| told.seen == Seen::Race), !places.is_empty());
        watch_all(&mut races, &events, &right, seed);
        with_races += u64::from(!places.is_empty());
        pairs += places.len();
    }
    println!("{executions} executions, {with_races} with races, {pairs} pairs");
    assert!(executions < 100 || (executions / 3..executions).contains(&with_races), "{with_races} with races");
}

/// Each race that is reported is one, and both its accesses are seen again when the execution is watched.
fn watch_all(races: &mut Detector, events: &[Event], right: &[Pair], seed: u64) {
    for race in races.races().to_vec() {
        races.watch(vec![race.earlier.step, race.later.step]);
        let told = tell(races, events);
        let watched = told.iter().filter(|told| matches!(told.seen, Seen::Watched(_)));
        let [one, two] = watched.collect::<Vec<_>>()[..] else { panic!("seed {seed}: {race:?} is not seen") };
        assert_eq!([one.seen, two.seen], [0, 1].map(Seen::Watched));
        let has = |access: &traces::Access| {
            access.address <= race.bytes.start && race.bytes.end <= access.address + access.size
        };
        assert!(has(&one.access) && has(&two.access), "seed {seed}: {race:?}");
        let is_it = |((earlier, first), (later, second)): &Pair| {
            (*earlier, *later) == (one.event, two.event)
                && (first.place, second.place) == (race.earlier.place, race.later.place)
                && (first.kind, second.kind) == (race.earlier.kind, race.later.kind)
                && (first.size, second.size) == (race.earlier.size as usize, race.later.size as usize)
        };
        assert!(right.iter().any(is_it), "seed {seed}: {race:?}");
    }
}

/// An access of a thread that has synchronised with nobody.
fn alone(thread: usize) -> Now<'static> {
    Now { thread, epoch: 0, clock: &[] }
}

fn pairs(races: &Detector) -> BTreeSet<(usize, usize)> {
    races.races().iter().map(|race| (race.earlier.place, race.later.place)).collect()
}

#[test]
fn a_race_tells_both_accesses_the_block_the_locks_and_the_threads() {
    let mut races = Detector::new();
    let run = |races: &mut Detector| {
        races.begin(0..usize::MAX);
        races.allocated(0, 1, 0x1000, 48);
        races.add_thread(0, 1, 2);
        races.add_thread(1, 2, 3);
        races.locked(1, 4, 0x5000, false);
        let earlier = races.access(alone(1), 5, 0x1006, 4, Kind::WRITE);
        races.unlocked(1, 0x5000);
        races.locked(2, 6, 0x6000, true);
        let later = races.access(alone(2), 7, 0x1008, 8, Kind::READ);
        races.freed(Now { thread: 2, epoch: 0, clock: &[0, 1] }, 8, 0x1000, 48);
        [earlier, later]
    };
    assert_eq!(run(&mut races), [Seen::Nothing, Seen::Race]);
    let race = races.races()[0].clone();
    assert_eq!((race.earlier.thread, race.earlier.place, race.earlier.step), (1, 5, 1));
    assert_eq!((race.earlier.size, race.earlier.kind), (4, Kind::WRITE));
    assert_eq!((race.later.thread, race.later.place, race.later.step), (2, 7, 2));
    assert_eq!((race.later.size, race.later.kind), (8, Kind::READ));
    assert_eq!(race.bytes, 0x1008..0x100a);
    let block = Block { address: 0x1000, size: 48, thread: 0, stack: 1, number: 1 };
    assert_eq!((race.block, race.held.len()), (Some(block), 0), "only an execution that is watched keeps locks");
    assert_eq!(races.birth(0), None);
    assert_eq!(races.birth(2), Some(Birth { parent: 1, stack: 3 }));

    races.watch(vec![race.earlier.step, race.later.step]);
    assert_eq!(run(&mut races), [Seen::Watched(0), Seen::Watched(1)]);
    assert_eq!(races.races(), [super::Race { held: vec![Held { lock: 0x6000, stack: 6, is_shared: true }], ..race }]);
    assert_eq!(races.findings.blocks.around(0x102f), Some(block));
    assert_eq!(races.findings.blocks.around(0x1030), None);
}

#[test]
fn a_use_after_free_is_a_race_until_the_memory_is_handed_out_again() {
    let mut races = Detector::new();
    races.allocated(0, 1, 0x1000, 24);
    races.freed(alone(0), 2, 0x1000, 24);
    assert_eq!(races.access(alone(1), 3, 0x1010, 8, Kind::READ), Seen::Race);
    assert!(races.races()[0].earlier.kind.frees());
    races.allocated(1, 4, 0x1000, 24);
    assert_eq!(races.access(alone(2), 5, 0x1018, 8, Kind::READ), Seen::Nothing);
    assert_eq!(races.access(alone(2), 6, 0x1000, 8, Kind::READ), Seen::Nothing);
}

#[test]
fn memory_that_may_begin_anew_unseen_has_no_races_and_what_may_have_been_one_is_counted() {
    let mut races = Detector::new();
    races.begin(0x1000..0x2000);
    let race = |races: &mut Detector, address: usize| {
        let known = races.races().len();
        races.access(alone(1), address, address, 8, Kind::WRITE);
        races.access(alone(2), address, address, 8, Kind::WRITE);
        races.races().len() > known
    };
    assert!(race(&mut races, 0x1ff8), "a variable");
    assert!(!race(&mut races, 0x2000));
    races.allocated(0, 0, 0x3000, 64);
    assert!(race(&mut races, 0x3038), "a block");
    races.given_back(0x3000, 64);
    assert!(!race(&mut races, 0x3000));
    races.begins(0x4000..0x5000);
    assert!(race(&mut races, 0x4000), "a stack");
    assert_eq!(races.missed().races, 2);
    races.are_meant(0x4100..0x4108);
    assert!(!race(&mut races, 0x4100), "the program's own word");
    assert_eq!(races.missed().races, 2);
}

#[test]
fn records_of_a_granule_are_bounded_and_those_that_are_dropped_are_counted() {
    let mut races = Detector::new();
    races.begin(0..usize::MAX);
    for thread in 0..514 {
        races.access(alone(thread), 1, 0x1000, 8, Kind::READ);
    }
    assert_eq!(races.missed(), Missed { accesses: 2, races: 0 });
    for (thread, place) in (0..100).map(|number| (number / 50, number)) {
        races.access(alone(thread), place, 0x2000, 8, Kind::WRITE);
    }
    assert_eq!((races.races().len(), races.missed().races), (1024, 50 * 50 - 1024));
    races.begin(0..usize::MAX);
    assert_eq!((races.races().len(), races.missed()), (0, Missed::default()));
}

#[test]
fn many_pages_are_known_and_too_many_are_counted() {
    let mut races = Detector::with_room(300, 1 << 20);
    for execution in 0..5_usize {
        races.begin(0..usize::MAX);
        // Other pages each time.
        let page = |number: usize| (execution * 1000 + number * 3) << 12;
        for number in 0..300 {
            races.access(alone(1), number, page(number) + 8 * number, 8, Kind::WRITE);
        }
        assert_eq!(races.missed(), Missed::default());
        for number in 0..300 {
            races.access(alone(2), number, page(number) + 8 * number, 8, Kind::WRITE);
        }
        let same: BTreeSet<(usize, usize)> = (0..300).map(|number| (number, number)).collect();
        assert_eq!(pairs(&races), same);
        races.access(alone(1), 1, page(500), 8, Kind::WRITE);
        races.settled();
        assert_eq!(races.missed().accesses, 1);
    }
}

#[test]
fn what_large_ranges_share_is_taken_back_when_there_is_no_room() {
    let mut races = Detector::with_room(1000, 4096);
    races.begin(0..usize::MAX);
    let range = 0x10_0000..0x10_1000;
    for round in 0..9000 {
        races.allocated(1, 1, range.start, range.len());
        races.freed(Now { thread: 1, epoch: round, clock: &[] }, 2, range.start, range.len());
    }
    races.access(alone(3), 3, range.end - 1, 1, Kind::READ);
    assert_eq!((pairs(&races), races.missed()), (BTreeSet::from([(2, 3)]), Missed::default()));
    for place in 10..5000 {
        // Each has a record of its own in that granule, or another.
        races.access(alone(1), place, range.start + place * 8, 8, Kind::READ);
    }
    assert!(races.missed().accesses > 100 && races.missed().accesses < 1000, "{:?}", races.missed());
}

#[test]
fn of_a_very_large_access_the_beginning_is_judged_and_the_rest_counted() {
    let mut races = Detector::new();
    races.begin(0..usize::MAX);
    races.range(alone(1), 1, 0x1000, 1 << 40, Kind::WRITE);
    assert_eq!(races.missed(), Missed { accesses: 1, races: 0 });
    assert_eq!(races.access(alone(2), 2, 0x1000, 8, Kind::READ), Seen::Race);
    assert_eq!(races.access(alone(2), 3, 0x1000 + (1 << 30), 8, Kind::READ), Seen::Nothing);
}

#[test]
fn an_access_of_no_bytes_is_none_and_one_to_the_end_of_memory_is_one() {
    let mut races = Detector::new();
    races.begin(0..usize::MAX);
    for thread in 1..3 {
        assert_eq!(races.range(alone(thread), 1, 0x1000, 0, Kind::WRITE), Seen::Nothing);
        assert_eq!(races.access(alone(thread), 1, 0x1000, 0, Kind::WRITE), Seen::Nothing);
    }
    assert_eq!(races.access(alone(1), 2, usize::MAX - 15, 16, Kind::WRITE), Seen::Nothing);
    races.forget(usize::MAX - 15, 32);
    races.forget(0, usize::MAX);
    assert_eq!(races.missed(), Missed::default());
}
