//! What the fuzz targets do, on the inputs in fuzz/seeds/.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use threadbare::case::{Case, Workload};
use threadbare::fuzzing::{Executor, check_history, check_text};
use threadbare::input::{Input, Mutator, Theme};
use threadbare::model::schedule::Injection;
use threadbare::task_graph::from_seed;
use threadbare::task_graph::generate::{Decisions, Seeded};

use super::harness::{Loads, Test, object};
use threadbare::model::settings::Sanitizer;

const TARGETS: [&str; 4] = ["differential", "history", "lease", "text"];
/// As libFuzzer's `-max_len` without a corpus.
const MOST: usize = 4096;

const TESTS: [(&str, Loads, fn()); 7] = [
    ("every_target_is_named_once_and_has_seeds", Loads::Nothing, targets),
    ("every_seed_task_graph_runs_clean", Loads::Runtime(None), task_graphs),
    ("every_seed_about_files_runs_clean", Loads::Runtime(None), files),
    ("every_seed_text_reads_the_same_after_it_was_written", Loads::Nothing, texts),
    ("the_oracle_agrees_with_trying_every_order_on_every_seed", Loads::Nothing, histories),
    ("a_bug_is_found_from_nothing_by_mutation_and_the_input_shows_it_again", Loads::Runtime(Some("lost-notify")), bug),
    ("an_input_whose_process_crashes_is_judged_and_the_next_one_runs", Loads::Runtime(None), crashes),
];

pub fn tests() -> Vec<Test> {
    TESTS.map(|(name, loads, body)| Test::new(name, loads, body).under(&[Sanitizer::None])).into()
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = here("fuzz/seeds").join(target);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).expect("readable"))).collect()
}

fn targets() {
    let named = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(here(folder)).expect("a folder");
        let name = |entry: fs::DirEntry| entry.path().file_stem().expect("a name").to_string_lossy().into_owned();
        entries.map(|entry| name(entry.expect("an entry"))).collect()
    };
    let expected: BTreeSet<String> = TARGETS.map(str::to_owned).into();
    assert_eq!(named("fuzz/fuzz_targets"), expected);
    assert_eq!(named("fuzz/seeds"), expected);
    let (manifest, docs) = ("fuzz/Cargo.toml", "docs/fuzzing.md");
    for target in TARGETS {
        assert!(
            fs::read_to_string(here(manifest)).expect(manifest).contains(&format!("name = \"{target}\"")),
            "{target}"
        );
        assert!(fs::read_to_string(here(docs)).expect(docs).contains(&format!("| `{target}` |")), "{target}");
        let source = fs::read_to_string(here(&format!("fuzz/fuzz_targets/{target}.rs"))).expect("a target");
        assert!(source.lines().count() <= 30, "{target} is more than glue");
        assert!(seeds(target).len() >= 10, "{target}");
    }
}

fn run_clean(target: &str) {
    let mut executor = Executor::on(&object()).expect("it opens");
    for (path, bytes) in seeds(target) {
        assert!(Input::decode(&bytes).is_ok(), "{} is of an old version; see docs/fuzzing.md", path.display());
        assert_eq!(executor.run(&bytes), Ok(true), "{}", path.display());
    }
    assert_eq!(executor.run(b"noise"), Ok(false));
}

fn task_graphs() {
    run_clean("differential");
}

fn files() {
    run_clean("lease");
    let with_crash = |(_, bytes): &(PathBuf, Vec<u8>)| {
        Input::decode(bytes).is_ok_and(|input| input.graph.injections.allow(Injection::Crash))
    };
    assert!(seeds("lease").iter().any(with_crash));
}

fn texts() {
    let words = fs::read_to_string(here("fuzz/text.dict")).expect("a dictionary");
    for operation in (0..2_000).flat_map(|seed| from_seed(seed, 6).tasks).flat_map(|task| task.operations) {
        assert!(words.contains(&format!("\"{}\"\n", operation.word())), "{operation}");
    }
    for (path, bytes) in seeds("text") {
        assert_eq!(check_text(&bytes), Ok(()), "{}", path.display());
    }
}

fn histories() {
    for (path, bytes) in seeds("history") {
        assert_eq!(check_history(&bytes), Ok(()), "{}", path.display());
    }
}

fn bug() {
    // A check for a process of its own: the finding leaves threads in the middle of something.
    let mut executor = Executor::on(&object()).expect("it opens");
    let mut bytes = vec![];
    for seed in 0..5_000 {
        bytes = Mutator::of(Theme::All).mutate(if seed % 5 == 0 { b"" } else { &bytes }, seed, MOST);
        let Err(failure) = executor.run(&bytes) else { continue };
        assert!(format!("{failure:?}").contains("LostWakeup"), "{failure:?}");
        // The same input, alone in a new process.
        let mut again = Input::decode(&bytes).expect("an input");
        again.graph.injections.failing_allocation = Some(1 << 40);
        let mut fresh = Executor::on(&object()).expect("it opens");
        let shown = fresh.run(&again.encode()).expect_err("it shows again");
        assert_eq!(shown.verdict, failure.verdict);
        return;
    }
    panic!("not found in 5000 executions");
}

fn crashes() {
    let mut executor = Executor::on(&object()).expect("it opens");
    let mut crashing = 0;
    for seed in 0..400 {
        let mut input = Input::decode(&Mutator::of(Theme::Files).mutate(b"", seed, MOST)).expect("an input");
        if seed % 8 == 0 {
            input.graph.injections.set(Injection::Crash, true);
            // The numbers with which every file call crashes, if it is asked for.
            input.choices = vec![0; 100];
            crashing += 1;
        }
        assert_eq!(executor.run(&input.encode()), Ok(true), "seed {seed}\n{}", input.graph);
    }
    assert_eq!(crashing, 50);
}

/// Makes the seeds anew, after the version of inputs has changed: `WRITE_SEEDS=1 cargo test --test fuzz_targets`.
pub fn write_seeds() {
    const GENERATED: u32 = 12;
    let write = |target: &str, name: &str, bytes: &[u8]| {
        let folder = here("fuzz/seeds").join(target);
        fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join(name), bytes)).expect("written");
    };
    for number in 0..GENERATED {
        write("differential", &format!("generated-{number:02}"), &Mutator::of(Theme::All).mutate(b"", number, MOST));
        let mut about_files = Input::decode(&Mutator::of(Theme::Files).mutate(b"", number, MOST)).expect("an input");
        if number % 4 == 0 {
            about_files.graph.injections.set(Injection::Crash, true);
        }
        write("lease", &format!("generated-{number:02}"), &about_files.encode());
        let mut random = Seeded::new(number.into());
        let bytes: Vec<u8> = (0..48).map(|_| random.below(256) as u8).collect();
        write("history", &format!("{number:02}"), &bytes);
        write(
            "text",
            &format!("generated-{number:02}"),
            Mutator::of(Theme::All).fresh(number.into()).graph.to_string().as_bytes(),
        );
    }
    for entry in fs::read_dir(here("tests/corpus")).expect("the corpus") {
        let path = entry.expect("an entry").path();
        let case = Case::read(&path).expect("a case");
        let Workload::TaskGraph(graph) = case.workload.clone() else { continue };
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let target = if name.starts_with("lease") { "lease" } else { "differential" };
        let input = Input { threads: case.settings.threads, seed: case.settings.seed, graph, choices: vec![] };
        write(target, &name, &input.encode());
        if case.to_string().len() < 4096 {
            write("text", &name, case.to_string().as_bytes());
        }
    }
}
