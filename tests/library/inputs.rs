//! Inputs of fuzzers: what is encoded decodes, what is mutated stays a task graph that runs to its end, and noise is
//! refused within bounds.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use threadbare::case::Case;
use threadbare::input::{Input, MAGIC, Mutator, NoInput, Theme, VERSION};
use threadbare::model::limits::MAX_INPUT_BYTES;
use threadbare::model::schedule::Injection;
use threadbare::reference::trial::ends;
use threadbare::task_graph::encode::Undecodable;
use threadbare::task_graph::generate::{Decisions, Seeded};
use threadbare::task_graph::validate::validate;
use threadbare::task_graph::{AccessChecks, Shape, from_seed, text};

/// As libFuzzer's `-max_len` without a corpus.
const MOST: usize = 4096;

fn decoded(bytes: &[u8]) -> Input {
    Input::decode(bytes).unwrap_or_else(|error| panic!("{error}: {bytes:?}"))
}

fn fresh(seed: u64, size: u32) -> Input {
    Mutator::new(1 + (seed % 8) as u16, Shape::of_size(size)).fresh(seed)
}

fn random_input(seed: u64, size: u32) -> Input {
    let mut random = Seeded::new(!seed);
    let choices = (0..random.below(100)).map(|_| random.below(1 << 16) as u16).collect();
    Input { choices, ..fresh(seed, size) }
}

#[test]
fn every_input_decodes_to_what_was_encoded() {
    for (seeds, size) in [(0..5_000, 6), (0..200, 40), (0..3, 3_000)] {
        for seed in seeds {
            let mut input = random_input(seed, size);
            if seed % 2 == 0 {
                let injections = &mut input.graph.injections;
                injections.set(Injection::SpuriousWakeUp, true);
                injections.set(Injection::WeakFailure, seed % 4 == 0);
                injections.set(Injection::Crash, seed % 8 == 0);
                injections.failing_allocation = Some(u64::MAX - seed);
            }
            let bytes = input.encode();
            assert_eq!(Input::decode(&bytes), Ok(input), "seed {seed}");
        }
    }
}

#[test]
fn bytes_stand_for_one_input_only() {
    let mut random = Seeded::new(5);
    for seed in 0..3_000 {
        let bytes = damaged(random_input(seed, 4).encode(), &mut random);
        if let Ok(input) = Input::decode(&bytes) {
            assert_eq!(input.encode(), bytes, "seed {seed}");
        }
    }
}

/// What a corpus of version 1 holds must mean the same for ever: if this test fails, the version must change.
#[test]
fn version_1_is_what_it_was() {
    let graph = "task-graph\nobjects\nmutexes 1\nleases 2\nevents auto\ninject enospc crash\ntask 0 main int\ncompute -3\nstart 1\n\
                   lock 0\nunlock 0\nacquire-lease 1 3\njoin 1\ntask 1 worker void\nset-event 0\nwait-event 0\nend";
    let graph = text::parse(graph).expect("a task graph");
    let input = Input { threads: 4, seed: 300, graph, choices: vec![0, 65_535] };
    let bytes = b"\x89tbi\n\x01\x04\xac\x02\x01\x00\x01\x01\x00\x00\x00\x00\x00\x00\x02\x0a\x02\
        \x00\x06\x00\x05\x05\x01\x0e\x00\x0f\x00\x4d\x01\x03\x06\x01\
        \x05\x02\x12\x00\x14\x00\x02\x00\xff\xff\x03";
    assert_eq!(input.encode(), bytes);
    assert_eq!(decoded(bytes), input);
}

#[test]
fn what_is_no_input_is_refused_by_name() {
    let good = fresh(1, 3).encode();
    assert_eq!(Input::decode(b"threadbare case 1\n"), Err(NoInput::Foreign));
    assert_eq!(Input::decode(b""), Err(NoInput::Foreign));
    for (version, told) in [(0, "no version of inputs"), (VERSION as u8 + 1, "is newer than this threadbare")] {
        let mut other = good.clone();
        other[MAGIC.len()] = version;
        let error = Input::decode(&other).expect_err("another version");
        assert_eq!(error, NoInput::Version(version.into()));
        assert!(error.to_string().contains(told) && error.to_string().contains(&version.to_string()), "{error}");
    }
    for cut in MAGIC.len()..good.len() {
        let error = Input::decode(&good[..cut]).expect_err("cut off");
        assert_eq!(error, NoInput::Undecodable(Undecodable::CutOff), "at {cut}");
    }
    let longer = [&good[..], b"\0"].concat();
    assert!(Input::decode(&longer).expect_err("too long").to_string().contains("bytes after the end"));
    let huge = [&MAGIC[..], &vec![0xff; MAX_INPUT_BYTES]].concat();
    assert_eq!(Input::decode(&huge), Err(NoInput::TooLong));
    let mut threads = fresh(1, 3);
    threads.threads = 0;
    assert!(Input::decode(&threads.encode()).expect_err("no thread").to_string().contains("threads out of bounds"));
    let mut invalid = fresh(1, 3);
    invalid.graph.tasks.clear();
    assert!(Input::decode(&invalid.encode()).expect_err("no task").to_string().contains("not valid"));
}

/// Chains of mutations, so that task graphs drift far from what the generator makes.
fn chains(count: u64, length: u32, theme: Theme, mut each: impl FnMut(&Input, &Input)) {
    let mutator = Mutator::of(theme);
    for chain in 0..count {
        let mut bytes = vec![];
        let mut before = Input::default();
        for step in 0..length {
            let seed = (chain as u32) << 16 | step;
            bytes = mutator.mutate(&bytes, seed, MOST);
            assert!(bytes.len() <= MOST);
            let input = decoded(&bytes);
            assert_eq!(input.encode(), bytes);
            each(&before, &input);
            before = input;
        }
    }
}

#[test]
fn a_hundred_thousand_mutations_are_valid_and_reach_every_operation() {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut task_graphs, mut choices, mut threads, mut same, mut injections) = (0, 0, [0; 9], 0, [0; 6]);
    chains(1_000, 100, Theme::All, |before, input| {
        assert_eq!(validate(&input.graph), Ok(()));
        task_graphs += u32::from(before.graph != input.graph);
        choices += u32::from(before.choices != input.choices);
        threads[usize::from(input.threads)] += 1;
        same += u32::from(before == input);
        for operation in input.graph.tasks.iter().flat_map(|task| &task.operations) {
            *seen.entry(operation.word()).or_default() += 1;
        }
        for (count, injection) in injections.iter_mut().zip(Injection::OF_OPERATIONS) {
            *count += u32::from(input.graph.injections.allow(injection));
        }
    });
    assert_eq!(seen.len(), 46, "{:?}", seen.keys());
    for (operation, count) in seen {
        assert!(count >= 1_000, "`{operation}` is in {count} places of 100000 inputs");
    }
    assert!(
        task_graphs > 40_000 && choices > 30_000,
        "{task_graphs} task graphs and {choices} lists of choices changed"
    );
    assert!(same < 10_000, "{same} mutations changed nothing");
    assert!(threads[1..].iter().all(|&count| count > 2_000), "{threads:?}");
    for (count, injection) in injections.into_iter().zip(Injection::OF_OPERATIONS) {
        // A crash uses a process up, so it is rare here; those about files have more.
        let least = if injection == Injection::Crash { 100 } else { 1_000 };
        assert!(count > least, "{injections:?}");
    }
}

#[test]
fn mutations_about_files_have_leases() {
    let (mut with, mut crashes) = (0, 0);
    chains(100, 20, Theme::Files, |_, input| {
        with += u32::from(input.graph.objects.leases > 0);
        crashes += u32::from(input.graph.injections.allow(Injection::Crash));
    });
    assert!(with > 1_800, "{with} of 2000 inputs have leases");
    assert!(crashes > 200, "{crashes} of 2000 inputs may crash");
}

#[test]
fn no_mutation_makes_a_task_graph_that_can_get_stuck() {
    let mut schedule = Seeded::new(7);
    chains(200, 100, Theme::All, |before, input| {
        if before.graph != input.graph {
            for _ in 0..3 {
                let told = || format!("before:\n{}\nafter:\n{}", before.graph, input.graph);
                assert!(ends(&input.graph, &mut schedule), "stuck\n{}", told());
            }
        }
    });
}

/// Nobody but a mutex keeps threads out of what does not look after itself.
#[test]
fn no_mutation_lets_tasks_meet_in_a_processor_that_does_not_check() {
    use threadbare::task_graph::{Call, Operation};
    let mut met = 0;
    chains(300, 100, Theme::All, |_, input| {
        for task in &input.graph.tasks {
            let mut held = 0;
            for operation in &task.operations {
                match operation {
                    Operation::Lock(_) => held += 1,
                    Operation::Unlock(_) => held -= 1,
                    Operation::Call(Call::Resume(id, _))
                        if input.graph.objects.processors[*id as usize] == AccessChecks::Off =>
                    {
                        met += 1;
                        assert!(held > 0, "{}", input.graph);
                    }
                    _ => {}
                }
            }
        }
    });
    assert!(met > 1_000, "{met} were looked at");
}

fn damaged(mut bytes: Vec<u8>, random: &mut Seeded) -> Vec<u8> {
    for _ in 0..random.between(1, 4) {
        let at = random.below(bytes.len() as u32) as usize;
        match random.below(5) {
            0 => bytes[at] = random.below(256) as u8,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, [0, 1, 0x7f, 0x80, 0xff][random.below(5) as usize]),
            _ => bytes.truncate(at.max(MAGIC.len() + 1)),
        }
        if bytes.is_empty() {
            return b"\0".to_vec();
        }
    }
    bytes
}

fn refuses_noise(times: u64) {
    let mut random = Seeded::new(13);
    let (mut slowest, mut read) = (Duration::ZERO, [0_u64; 2]);
    for seed in 0..times {
        let binary = damaged(random_input(seed % 1_000, 4).encode(), &mut random);
        let mut written = from_seed(seed % 1_000, 4).to_string();
        if seed % 2 == 0 {
            let case = include_str!("../corpus/lost-notify.case");
            written = case.to_owned();
        }
        let written = damaged(written.into_bytes(), &mut random);
        let begun = Instant::now();
        if let Ok(input) = Input::decode(&binary) {
            assert_eq!(validate(&input.graph), Ok(()));
            read[0] += 1;
        }
        let written = String::from_utf8_lossy(&written);
        read[1] += u64::from(text::parse(&written).is_ok() || Case::parse(&written).is_ok());
        slowest = slowest.max(begun.elapsed());
    }
    assert!(read.iter().all(|&read| read > times / 100), "{read:?} of {times} were read");
    assert!(slowest < Duration::from_secs(2), "one took {slowest:?}");
    assert!(peak() < 256 << 20, "{} bytes of memory at the most", peak());
}

/// The most memory that this process has had at a time, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line for the peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

#[test]
fn noise_is_refused_without_a_panic() {
    refuses_noise(20_000);
}

#[test]
#[ignore = "takes a minute"]
fn a_million_mutated_inputs_to_both_decoders_neither_panic_nor_hang_nor_take_much_memory() {
    refuses_noise(1_000_000);
}
