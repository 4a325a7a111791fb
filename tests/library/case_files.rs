//! Case files: what is written reads back the same, and what is no case is refused with a reason.

use std::io::Write;

use threadbare::case::{Case, Workload};
use threadbare::check::framework::{Framework, Test};
use threadbare::check::{self, Check};
use threadbare::model::schedule::{Choice, Injection, Schedule};
use threadbare::model::settings::{Engine, MemoryModel, Races, Sanitizer, Settings};
use threadbare::model::verdict::{OracleName, Verdict};
use threadbare::target::Points;
use threadbare::task_graph::from_seed;
use threadbare::task_graph::generate::{Decisions, Seeded};

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
        if random.chance(1, 10) {
            return Choice::Older { by: 1 + random.below(15) as u16 };
        }
        Choice::Run { thread, points: random.below(300), digest: random.below(65_536) as u16 }
    };
    let choices = (0..random.below(200)).map(|_| choice(&mut random)).collect();
    Case {
        settings: Settings {
            runtime: "bundled".into(),
            threads: 1 + random.below(256) as u16,
            sanitizer: [Sanitizer::None, Sanitizer::Thread, Sanitizer::Address][random.below(3) as usize],
            engine: [Engine::Fibers, Engine::Threads, Engine::Free][random.below(3) as usize],
            strategy: STRATEGIES[random.below(STRATEGIES.len() as u32) as usize].parse().expect("a strategy"),
            seed: u64::MAX - seed,
            memory: MemoryModel::ALL[random.below(3) as usize],
            races: Races::ALL[random.below(2) as usize],
            bug: random.chance(1, 2).then(|| "lost-notify".into()),
        },
        workload: from_seed(seed, 6).into(),
        schedule: random.chance(3, 4).then(|| Schedule { choices, cut: random.chance(1, 2) }),
        verdict: [Verdict::Clean, Verdict::LostWakeup, Verdict::DataRace, Verdict::OutOfMemory]
            [random.below(4) as usize],
        oracle: random.chance(1, 2).then_some(OracleName::Progress),
        fingerprint: format!("{seed:016x}"),
        report: ["", "one line", "two\n\nlines and | bars\n", "\n\ttabs, schedule\nend\n"][random.below(4) as usize]
            .into(),
    }
}

/// Any text that C can hold, mostly of characters that quoting could stumble over.
fn words(random: &mut Seeded) -> String {
    const ODD: [char; 12] = ['"', '\\', '\n', '\r', '\t', '#', ' ', '|', '\u{1b}', '\u{85}', '\u{2028}', 'é'];
    let character = |random: &mut Seeded| match random.below(2) {
        0 => ODD[random.below(12) as usize],
        _ => char::from_u32(random.below(0x11_0000)).filter(|character| *character != '\0').unwrap_or('x'),
    };
    let length = 1 + random.below(30);
    (0..length).map(|_| character(random)).collect()
}

fn check_case(seed: u64) -> Case {
    let mut random = Seeded::new(seed ^ 77);
    let mut list = |most: u32| -> Vec<String> { (0..random.below(most)).map(|_| words(&mut random)).collect() };
    let (others, flags, arguments) = (list(4), list(6), list(6));
    let sources: Vec<_> = others.iter().map(|name| format!("./{name}.c").into()).chain(["a.c".into()]).collect();
    let points = Points::ALL[random.below(2) as usize];
    let recorded = random.chance(1, 2).then(|| format!("{seed:016x}"));
    let test = random.chance(1, 3).then(|| Test { framework: Framework::Boost, name: words(&mut random) });
    let check = Check {
        directory: std::path::PathBuf::new(),
        sources,
        flags,
        arguments,
        points,
        injections: Vec::new(),
        test,
        recorded,
    };
    check.validate().expect("valid");
    let case = case(seed);
    let settings = Settings { runtime: check::RUNTIME.into(), threads: 1, bug: None, ..case.settings };
    let verdict = [Verdict::FailedAssertion, Verdict::UncaughtException, Verdict::ExitStatus, Verdict::DataRace]
        [random.below(4) as usize];
    Case { settings, workload: Workload::Check(check), verdict, ..case }
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
fn a_case_of_a_check_reads_back_the_same_whatever_its_words_and_line_ends_are() {
    for seed in 0..2_000 {
        let case = check_case(seed);
        let text = case.to_string();
        assert_eq!(Case::parse(&text).as_ref(), Ok(&case), "{text}");
        assert_eq!(Case::parse(&text.replace('\n', "\r\n")).as_ref(), Ok(&case), "{text}");
    }
}

#[test]
fn the_settings_of_a_case_fit_its_workload() {
    let graph = case(1).to_string();
    let check = Case { schedule: None, report: String::new(), ..check_case(1) }.to_string();
    let line = |text: &str, key: &str| 1 + text.lines().position(|line| line.starts_with(key)).expect("the line");
    let begin = line(&check, "check ");
    for (from, to, what) in [
        ("runtime check", "runtime bundled", "a check, but `runtime bundled`; write `runtime check`"),
        ("threads 1", "threads 2", "a check, but `threads 2`; write `threads 1`, since it begins its own"),
    ] {
        assert_eq!(mistake(&check.replacen(from, to, 1)), format!("line {begin}: {what}"));
    }
    let buggy = check.replacen("verdict", "bug lost-notify\nverdict", 1);
    assert_eq!(mistake(&buggy), format!("line {}: a check, but a `bug` line; leave it out", begin + 1));
    let told = mistake(&graph.replacen("runtime bundled", "runtime check", 1));
    let begin = line(&graph, "task-graph");
    assert_eq!(told, format!("line {begin}: a task graph, but `runtime check`; name the runtime that it is for"));
}

#[test]
fn a_mistake_in_a_check_is_named_by_its_line_in_the_case() {
    let text = Case { schedule: None, report: String::new(), ..check_case(1) }.to_string();
    let at = 1 + text.lines().position(|line| line == r#"  source "a.c""#).expect("the source");
    let told = mistake(&text.replacen(r#"source "a.c""#, "source a.c", 1));
    assert_eq!(told, format!("line {at}: `a.c` where a text in quotes belongs; write `\"...\"`"));
}

#[test]
fn a_case_of_a_check_that_was_cut_off_is_refused() {
    for seed in 0..50 {
        let text = Case { report: String::new(), ..check_case(seed) }.to_string();
        let last = text.lines().count();
        let whole = 1 + text.lines().position(|line| line == "  end").expect("the end of the check");
        for count in (0..last).filter(|count| *count != whole) {
            let cut: Vec<&str> = text.lines().take(count).collect();
            let told = mistake(&cut.join("\n"));
            assert!(told.contains("cut off") || told.contains("ends inside the check") || count == 0, "{told}");
        }
    }
}

#[test]
fn a_newer_version_says_to_update() {
    let told = mistake("threadbare case 2\nwho knows");
    assert_eq!(told, "line 1: case version 2 is newer than this threadbare, which reads 1; update threadbare");
    assert!(mistake("").contains("not a threadbare case"));
    assert!(mistake("threadbare case one").contains("no version"));
    assert!(mistake("threadbare case +1").contains("no version"));
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
        ("seed", "seed +1", "`+1` is no seed that fits"),
        ("threads", "threads +1", "`+1` is no threads that fits"),
        ("runtime", "runtime ../../etc", "is no runtime"),
        ("engine", "motor fibers", "where `engine ...` belongs"),
        ("task-graph", "task-graphs", "where a task graph begins"),
    ] {
        let (line, told) = with(from, to);
        assert!(told.starts_with(&format!("line {line}: ")) && told.contains(what), "`{to}` gave `{told}`");
    }
}

#[test]
fn a_choice_with_a_plus_is_none() {
    let text = (0..).map(case).find(|case| case.schedule.is_some()).expect("a schedule").to_string();
    let begin = text.find("\nschedule\n").expect("a schedule") + "\nschedule\n".len();
    for word in ["+0*12#3fa1", "0*+12#3fa1", "0*12#+fa1", "wake*+1", "older*+1"] {
        let told = mistake(&format!("{}  {word} {}", &text[..begin], &text[begin..]));
        assert!(told.contains(&format!("`{word}` is no choice")), "{told}");
    }
}

#[test]
fn a_truncated_or_damaged_case_is_refused_and_never_panics() {
    let mut random = Seeded::new(5);
    for seed in 0..300 {
        let text = if seed % 2 == 0 { case(seed) } else { check_case(seed) }.to_string();
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
        let cut = text.find("\ntask-graph").or_else(|| text.find("\ncheck ")).expect("a workload") + 10;
        assert!(Case::parse(&text[..cut]).is_err());
    }
}

#[test]
fn a_file_that_cannot_be_a_case_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("odd.case");
    let missing = format!("{:#}", Case::read(&path).expect_err("missing"));
    assert!(missing.contains("odd.case: cannot be read"), "{missing}");
    std::fs::write(&path, b"threadbare case 1\nruntime \xff\n").expect("written");
    let binary = format!("{:#}", Case::read(&path).expect_err("binary"));
    assert!(binary.contains("odd.case: line 2: not UTF-8 text"), "{binary}");
    let huge = std::fs::File::create(&path).expect("created");
    huge.set_len(65 << 20).expect("sized");
    let told = format!("{:#}", Case::read(&path).expect_err("huge"));
    assert!(told.contains("odd.case: larger than 64 MiB"), "{told}");
    let mut file = std::fs::File::create(&path).expect("created");
    write!(file, "{}", case(3)).expect("written");
    assert_eq!(Case::read(&path).expect("a case"), case(3));
    let folder = format!("{:#}", Case::read(directory.path()).expect_err("a directory"));
    assert!(folder.contains("not a regular file"), "{folder}");
}
