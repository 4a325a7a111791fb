//! A case step by step, as a page and as a trace; findings as reports; and a case as a regression test.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::command::{CLEAN, COULD_NOT, FOUND, Workplace};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn example(name: &str) -> String {
    fs::read_to_string(root().join("examples/check").join(name)).expect("an example")
}

/// A place with the cases of a lost update, in which somebody tries to become script.
fn with_findings() -> Workplace {
    let place = Workplace::new();
    let hostile =
        example("lost_update.c").replace("counter == 2", "counter == 2 && \"</script><script>alert(1)</script>\"");
    place.write("lost_update.c", &hostile);
    place.run("check lost_update.c --sanitizer none --executions 300 --seed 3").left_with(FOUND);
    place
}

/// What the page holds as data.
fn data_of(page: &str) -> Value {
    let data = page.split("id=\"data\">").nth(1).and_then(|rest| rest.split("</script>").next()).expect("data");
    serde_json::from_str(data).expect("JSON")
}

#[test]
fn a_case_is_shown_step_by_step_with_values_source_and_the_point_that_decides() {
    let place = with_findings();
    let case = place.cases("findings").remove(0);
    let case = case.strip_prefix(place.path()).expect("here").display().to_string();
    place.run(&format!("show {case} --format html --output page.html --budget 5m")).left_with(CLEAN);
    let page = fs::read_to_string(place.path().join("page.html")).expect("a page");
    assert_eq!(page.matches("<script").count(), 2, "what the assertion says is no markup");
    let data = data_of(&page);
    assert!(data["failure"].as_str().is_some_and(|failure| failure.contains("</script>")), "{}", data["failure"]);
    let steps = data["steps"]["thread"].as_array().expect("steps").len();
    let at = |column: &str, step: usize| data["steps"][column][step].as_u64().expect("an index") as usize;
    let text = |step: usize| {
        let stack = &data["stacks"][at("stack", step)];
        let call = &stack["calls"][stack["own"].as_u64().expect("an index") as usize];
        let file = &data["files"][call[1].as_u64().unwrap_or_default() as usize]["name"];
        let (kind, object) = (&data["kinds"][at("kind", step)], &data["objects"][at("object", step)]);
        format!("{file}:{} {kind} {object} {}", call[2], data["notes"][at("note", step)]).replace('"', "")
    };
    let texts: Vec<String> = (0..steps).map(text).collect();
    assert!(texts.contains(&"lost_update.c:14 writes counter 0 → 1".to_owned()), "{texts:?}");
    assert!(data["files"][0]["parts"][0][1].as_str().is_some_and(|source| source.contains("counter++")));
    let marks = data["marks"].as_array().expect("marks");
    assert!(marks.iter().any(|mark| mark[2] == "critical"), "{marks:?}");
    assert!(data["waits"].as_array().is_some_and(|waits| waits.iter().any(|wait| wait[3] == "pthread_join")), "{data}");

    let trace = place.run(&format!("show {case} --format perfetto --budget off")).left_with(CLEAN).stdout;
    let trace: Value = serde_json::from_str(&trace).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("events");
    assert_eq!(events.iter().filter(|event| event["cat"] == "step").count(), steps);

    // What a case that no longer fails does is shown too, and said to be that.
    place.write("lost_update.c", &example("lost_update_fixed.c"));
    let fixed = place.run(&format!("show {case} --format html --output fixed.html")).left_with(CLEAN);
    assert!(fixed.stderr.contains("note: Replayed, this case "), "{}", fixed.stderr);
    let data = data_of(&fs::read_to_string(place.path().join("fixed.html")).expect("a page"));
    assert!(data["notice"].as_str().is_some_and(|notice| notice.contains("diverged")), "{}", data["notice"]);
    assert_eq!(data["reasons"], json!([]));
}

#[test]
fn the_page_of_a_task_graph_tells_what_each_task_does_at_each_step() {
    let place = Workplace::new();
    let case = root().join("tests/corpus/lost-notify.case").display().to_string();
    let page = place.run(&format!("show {case} --format html --budget off")).left_with(CLEAN).stdout;
    let data = data_of(&page);
    let graph = &data["graph"];
    assert_eq!(graph["tasks"][1]["how"], "start");
    let kind = |event: &Value| graph["kinds"][event[2].as_u64().expect("an index") as usize].clone();
    let events: Vec<(Value, Value)> =
        graph["events"].as_array().expect("events").iter().map(|event| (kind(event), event[1].clone())).collect();
    let position = |kind: &str, task: u32| events.iter().position(|event| *event == (json!(kind), json!(task)));
    assert!(position("begins", 0) < position("frame-made", 1), "{events:?}");
    assert!(events.iter().any(|(kind, _)| kind == "operation-begins"), "{events:?}");
    let end = data["steps"]["thread"].as_array().expect("steps").len();
    let waits = data["waits"].as_array().expect("waits");
    assert_eq!(waits.iter().filter(|wait| wait[2] == json!(end + 1)).count(), 2, "both wait for ever: {waits:?}");
    assert!(
        data["files"].as_array().is_some_and(|files| files.iter().any(|file| file["parts"] != json!([]))),
        "the runtime's source"
    );
}

#[test]
fn findings_are_reported_once_for_each_bug_in_every_format() {
    let place = with_findings();
    let case = place.cases("findings").remove(0);
    fs::copy(&case, place.path().join("findings/again.case")).expect("copied");
    let said = place
        .run("report --html index.html --markdown issue.md --junit junit.xml --sarif all.sarif")
        .left_with(CLEAN)
        .stdout;
    assert!(said.contains("failed-assertion") && said.contains("1 bug in 2 cases"), "{said}");
    let read = |name: &str| fs::read_to_string(place.path().join(name)).expect("written");
    assert_eq!(data_of(&read("index.html"))["bugs"].as_array().map(Vec::len), Some(1));
    assert!(read("issue.md").contains("threadbare verify findings/again.case"), "{}", read("issue.md"));
    assert!(read("junit.xml").contains("failures=\"1\""), "{}", read("junit.xml"));
    let flow = &place.json("all.sarif")["runs"][0]["results"][0]["codeFlows"][0]["threadFlows"];
    assert_eq!(flow.as_array().map(Vec::len), Some(3), "{flow}");
    let github = place.run("report findings --github").left_with(CLEAN).stdout;
    assert!(
        github.starts_with("::error file=lost_update.c,line=22,title=threadbare%3A failed-assertion::"),
        "{github}"
    );
    place.write("findings/no.case", "threadbare case 1\nruntime");
    place.run("report findings").refused(&["no.case", "left out"]);
}

#[test]
fn an_exported_case_is_a_test_that_fails_with_the_bug_and_passes_without_it() {
    let place = with_findings();
    let case = place.cases("findings").remove(0).display().to_string();
    place.run(&format!("export {case} --output tests/lost --executions 200")).left_with(CLEAN);
    place.run(&format!("export {case} --output tests/lost")).refused(&["tests/lost", "--output"]);
    let build = place.path().join("build");
    let run = |program: &str, arguments: &[&str]| {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
        let mut command = Command::new(program);
        command.args(arguments).current_dir(place.path()).env("THREADBARE_CACHE", cache);
        let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
        )
    };
    let build = build.to_string_lossy();
    let tool = format!("-DTHREADBARE_EXECUTABLE={}", env!("CARGO_BIN_EXE_threadbare"));
    let configured = run("cmake", &["-S", "tests/lost", "-B", &build, &tool]);
    assert!(configured.0, "{}", configured.1);
    let built = run("cmake", &["--build", &build]);
    assert!(built.0, "{}", built.1);
    let test = || run("ctest", &["--test-dir", &build, "--output-on-failure"]);
    let (passed, said) = test();
    assert!(!passed && said.contains("the case still fails"), "{said}");
    place.write("lost_update.c", &example("lost_update_fixed.c"));
    let (passed, said) = test();
    assert!(passed, "{said}");
    // What cannot be judged is no pass.
    fs::remove_file(place.path().join("lost_update.c")).expect("removed");
    let (passed, said) = test();
    assert!(!passed && said.contains("could not judge"), "{said}");
    assert_eq!(place.run("export none.case").code, Some(COULD_NOT));
}
