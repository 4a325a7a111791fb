//! Findings that explain themselves: small schedules, the step that decides, and whether a fix holds.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::command::{CLEAN, FOUND, Workplace};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A place with a copy of an example, and the case that a check of it leaves.
fn checked(name: &str, flags: &str) -> (Workplace, PathBuf, String) {
    let place = Workplace::new();
    let text = fs::read_to_string(root().join("examples/check").join(name)).expect("an example");
    place.write(name, &text);
    let ran = place.run(&format!("check {name} {flags}")).left_with(FOUND);
    let case = place.cases("findings").remove(0);
    (place, case, ran.stdout)
}

#[test]
fn a_lost_update_is_explained_by_the_order_of_two_accesses_and_its_fix_is_verified() {
    let (place, case, found) = checked("lost_update.c", "--sanitizer none --executions 300 --seed 3 --minimise 20s");
    assert!(found.contains("made small: 1 preemption with"), "{found}");
    assert!(found.contains("writes counter (0 → 1)"), "values are told:\n{found}");
    let case = case.display();
    let explained = place.run(&format!("explain {case}")).left_with(CLEAN).stdout;
    let critical = explained.lines().find(|line| line.starts_with("critical point: thread ")).expect(&explained);
    assert!(critical.contains("lost_update.c:14 add"), "{explained}");
    assert!(explained.contains("  comes before\n"), "{explained}");
    assert!(explained.contains("smallest change that passes: thread"), "{explained}");
    assert!(explained.contains("◀ critical point"), "{explained}");
    let verified = place.run(&format!("verify {case}")).left_with(FOUND).stdout;
    assert!(verified.contains("still fails: its schedule showed failed-assertion"), "{verified}");
    let fixed = fs::read_to_string(root().join("examples/check/lost_update_fixed.c")).expect("its twin");
    place.write("lost_update.c", &fixed);
    let verified = place.run(&format!("verify {case} --executions 500")).left_with(CLEAN).stdout;
    assert!(verified.contains(": not observed in ") && verified.contains(", where before 1 in "), "{verified}");
    // A fix that only moves the race by a few points is none.
    let text = fs::read_to_string(root().join("examples/check/lost_update.c")).expect("the example");
    place.write(
        "lost_update.c",
        &text.replace("  counter++;", "  if (argument == &counter) return argument;\n  counter++;"),
    );
    let verified = place.run(&format!("verify {case} --executions 500")).left_with(FOUND).stdout;
    assert!(verified.contains("still fails: "), "{verified}");
}

#[test]
fn a_crash_is_told_with_its_thread_and_the_steps_that_led_there() {
    let (_place, case, found) = checked("null_after_check.cpp", "--sanitizer none --executions 300 --seed 3");
    assert!(found.contains("interleaving: ") && found.contains("in thread "), "{found}");
    let text = fs::read_to_string(case).expect("a case");
    assert!(text.contains("null_after_check.cpp:"), "{text}");
}

#[test]
fn the_case_of_a_program_is_made_small_and_goes_on_where_it_was_left() {
    let (place, case, _) = checked("peterson.cpp", "--sanitizer none --executions 300 --seed 3 --minimise off");
    let case = case.display();
    let said = place.run(&format!("minimise {case} --output small.case")).left_with(CLEAN).stdout;
    assert!(said.contains(" came to 1 preemption with") || said.contains(" came to 2 preemptions with"), "{said}");
    assert!(said.contains("none of which can be left out"), "{said}");
    let again = place.run("minimise small.case --output small.case").left_with(CLEAN).stdout;
    assert!(again.contains("none of which can be left out"), "{again}");
    place.run("replay small.case --repeat 3").left_with(CLEAN);
}

#[test]
fn the_system_is_examined_and_the_shell_learns_the_commands() {
    let place = Workplace::new();
    let examined = place.run("doctor").stdout;
    for what in ["compiler", "sanitizer thread", "symbolizer", "ptrace", "seccomp", "/dev/shm", "core files"] {
        assert!(examined.contains(what), "{what}:\n{examined}");
    }
    let script = place.run("completions bash").left_with(CLEAN).stdout;
    assert!(script.contains("threadbare") && script.contains("explain"), "{script}");
    place.run("man pages").left_with(CLEAN);
    let page = fs::read_to_string(place.path().join("pages/threadbare-explain.1")).expect("a page");
    assert!(page.contains("threadbare") && page.contains("budget"), "{page}");
    assert!(!place.path().join("pages/threadbare-worker.1").exists(), "what is hidden has no page");
}

/// Prints how small the cases of every example and seeded bug come to be, how long that takes, and whether their explanation
/// names lines of the component. Run it with `cargo test --test cli minimal -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, of minutes"]
fn minimal_cases_of_all_examples_and_seeded_bugs() {
    let mut rows: Vec<(String, String, f64, bool)> = Vec::new();
    let mut measure = |place: &Workplace, name: &str, case: &str, component: &str| {
        let begun = Instant::now();
        let said = place.run(&format!("minimise {case} --output small.case --budget 60"));
        let seconds = begun.elapsed().as_secs_f64();
        let size =
            said.stdout.rsplit(" came to ").next().unwrap_or_default().split(" points").next().unwrap_or_default();
        let size = if said.code == Some(CLEAN) { size.to_owned() } else { said.stderr.trim().to_owned() };
        let explained = place.run("explain small.case").stdout;
        let heads = explained.split("\ninterleaving:").next().unwrap_or_default();
        rows.push((name.to_owned(), size, seconds, heads.contains(component)));
    };
    let mut examples: Vec<PathBuf> =
        fs::read_dir(root().join("examples/check")).expect("examples").flatten().map(|entry| entry.path()).collect();
    examples.sort();
    for path in examples {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let text = fs::read_to_string(&path).unwrap_or_default();
        let is_source = name.ends_with(".c") || name.ends_with(".cpp");
        let fact = |fact: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("// {fact}: ")))?;
            Some(line.trim().to_owned())
        };
        let Some(verdict) = fact("verdict").filter(|verdict| is_source && verdict != "clean") else { continue };
        let place = Workplace::new();
        place.write(&name, &text);
        let sanitizer = fact("sanitizer").unwrap_or_else(|| "none".to_owned());
        let sanitizer = sanitizer.split([',', ' ']).next().unwrap_or("none").to_owned();
        let points = fact("points").unwrap_or_else(|| "memory".to_owned());
        place.run(&format!("check {name} --points {points} --sanitizer {sanitizer} --executions 20000 --budget 30 --seed 3 --minimise off"));
        let Some(case) = place.cases("findings").into_iter().find(|case| case.to_string_lossy().contains(&verdict))
        else {
            println!("{name}: not found");
            continue;
        };
        measure(&place, &name, &case.display().to_string(), &name);
    }
    let mut cases: Vec<PathBuf> =
        fs::read_dir(root().join("tests/corpus")).expect("cases").flatten().map(|entry| entry.path()).collect();
    cases.sort();
    for case in cases {
        let place = Workplace::new();
        let name = case.file_stem().expect("a name").to_string_lossy().into_owned();
        measure(&place, &name, &case.display().to_string(), "cpp/");
    }
    for (name, size, seconds, explains) in &rows {
        println!("{name:<32} {seconds:>6.1} s  {:<5} {size}", if *explains { "names" } else { "" });
    }
    let small =
        |size: &str| size.split(' ').next().and_then(|count| count.parse::<u32>().ok()).is_some_and(|count| count <= 3);
    let mut seconds: Vec<f64> = rows.iter().map(|row| row.2).collect();
    seconds.sort_by(f64::total_cmp);
    let of = |count: usize| format!("{count} of {}", rows.len());
    println!("at most 3 preemptions: {}", of(rows.iter().filter(|row| small(&row.1)).count()));
    println!("explanation names the component: {}", of(rows.iter().filter(|row| row.3).count()));
    println!("seconds: median {:.1}, longest {:.1}", seconds[seconds.len() / 2], seconds[seconds.len() - 1]);
}
