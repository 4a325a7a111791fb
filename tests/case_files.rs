//! Case files: what is written reads back the same, and what is no case is refused with a reason.

use std::io::Write;

use threadbare::case::Case;
use threadbare::finding::{OracleName, Verdict};
use threadbare::program::from_seed;
use threadbare::program::generate::{Decisions, Seeded};
use threadbare::schedule::{Choice, Injection, Schedule};
use threadbare::settings::{Engine, Sanitizer, Settings};

const STRATEGIES: [&str; 8] = ["random", "random:0.25", "pct", "pct:3", "pos", "rff", "exhaustive:2", "portfolio"];

fn case(seed: u64) -> Case {
    let mut random = Seeded::new(seed);
    let choice = |random: &mut Seeded| {
        let thread = random.below(4) as u16;
        if random.chance(1, 10) {
            return Choice::Wake { thread };
        }
        if random.chance(1, 10) {
            return Choice::Inject { injection: Injection::ALL[random.below(4) as usize] };
        }
        Choice::Run { thread, points: random.below(300), digest: random.below(65_536) as u16 }
    };
    let choices = (0..random.below(200)).map(|_| choice(&mut random)).collect();
    Case {
        settings: Settings {
            subject: "bundled".into(),
            threads: 1 + random.below(256) as u16,
            sanitizer: [Sanitizer::None, Sanitizer::Thread, Sanitizer::Address][random.below(3) as usize],
            engine: [Engine::Fibers, Engine::Threads, Engine::Free][random.below(3) as usize],
            strategy: STRATEGIES[random.below(STRATEGIES.len() as u32) as usize].parse().expect("a strategy"),
            seed: u64::MAX - seed,
            fault: random.chance(1, 2).then(|| "lost-notify".into()),
        },
        program: from_seed(seed, 6),
        schedule: random.chance(3, 4).then(|| Schedule { choices, cut: random.chance(1, 2) }),
        verdict: [Verdict::Clean, Verdict::LostWakeup, Verdict::DataRace, Verdict::OutOfMemory]
            [random.below(4) as usize],
        oracle: random.chance(1, 2).then_some(OracleName::Progress),
        fingerprint: format!("{seed:016x}"),
        report: ["", "one line", "two\n\nlines and | bars\n", "\n\ttabs, schedule\nend\n"][random.below(4) as usize]
            .into(),
    }
}

fn mistake(text: &str) -> String {
    Case::parse(text).expect_err("a mistake").to_string()
}

#[test]
fn a_case_reads_back_the_same() {
    for seed in 0..2_000 {
        let case = case(seed);
        let text = case.to_string();
        assert_eq!(Case::parse(&text).as_ref(), Ok(&case), "{text}");
        assert!(text.lines().all(|line| line.len() <= 120), "a line too long\n{text}");
    }
}

#[test]
fn a_newer_version_says_to_update() {
    let told = mistake("threadbare case 2\nwho knows");
    assert_eq!(told, "line 1: case version 2 is newer than this threadbare, which reads 1; update threadbare");
    assert!(mistake("").contains("not a threadbare case"));
    assert!(mistake("threadbare case one").contains("no version"));
}

#[test]
fn a_mistake_names_its_line() {
    let text = case(1).to_string();
    let with = |from: &str, to: &str| {
        let at = text.lines().position(|line| line.starts_with(from)).expect("the line") + 1;
        let lines: Vec<&str> = text.lines().map(|line| if line.starts_with(from) { to } else { line }).collect();
        (at, mistake(&lines.join("\n")))
    };
    for (from, to, what) in [
        ("threads", "threads 0", "0 threads; write 1 to 256"),
        ("threads", "threads 257", "257 threads; write 1 to 256"),
        ("threads", "threads 100000", "is no threads that fits"),
        ("sanitizer", "sanitizer memory", "unknown variant `memory`, expected one of `none`, `thread`, `address`"),
        ("verdict", "verdict fine", "unknown variant `fine`"),
        ("seed", "seed -1", "is no seed that fits"),
        ("subject", "subject ../../etc", "is no subject"),
        ("engine", "motor fibers", "where `engine ...` belongs"),
        ("program", "programme", "where a program begins"),
    ] {
        let (line, told) = with(from, to);
        assert!(told.starts_with(&format!("line {line}: ")) && told.contains(what), "`{to}` gave `{told}`");
    }
}

#[test]
fn a_truncated_or_damaged_case_is_refused_and_never_panics() {
    let mut random = Seeded::new(5);
    for seed in 0..300 {
        let text = case(seed).to_string();
        for _ in 0..10 {
            let mut bytes = text.clone().into_bytes();
            let at = random.below(bytes.len() as u32) as usize;
            if random.chance(1, 2) {
                bytes.truncate(at);
            } else {
                bytes[at] = random.below(128) as u8;
            }
            let _ = Case::parse(&String::from_utf8_lossy(&bytes));
        }
        let cut = text.find("\nprogram").expect("a program") + 20;
        assert!(Case::parse(&text[..cut]).is_err());
    }
}

#[test]
fn a_file_that_cannot_be_a_case_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("odd.case");
    let missing = format!("{:#}", Case::read(&path).expect_err("missing"));
    assert!(missing.contains("odd.case: cannot be opened"), "{missing}");
    std::fs::write(&path, b"threadbare case 1\nsubject \xff\n").expect("written");
    let binary = format!("{:#}", Case::read(&path).expect_err("binary"));
    assert!(binary.contains("odd.case: line 2: not UTF-8 text"), "{binary}");
    let huge = std::fs::File::create(&path).expect("created");
    huge.set_len(65 << 20).expect("sized");
    let told = format!("{:#}", Case::read(&path).expect_err("huge"));
    assert!(told.contains("odd.case: larger than 64 MiB"), "{told}");
    let mut file = std::fs::File::create(&path).expect("created");
    write!(file, "{}", case(3)).expect("written");
    assert_eq!(Case::read(&path).expect("a case"), case(3));
    assert!(format!("{:#}", Case::read(directory.path()).expect_err("a directory")).contains("cannot be read"));
}
