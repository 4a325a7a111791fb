//! Cases made small.

use crate::command::{CLEAN, COULD_NOT, FOUND, Workplace};

#[test]
fn a_case_made_small_is_small_and_fails_as_before() {
    let place = Workplace::new();
    place.run("fuzz --executions 400 --threads 2 --sanitizer none --seed 5 --bug lost-notify").left_with(FOUND);
    let case = place.cases("findings").remove(0);
    place.run(&format!("minimise {} --output small.case", case.display())).left_with(CLEAN);
    let small = std::fs::read_to_string(place.path().join("small.case")).expect("a case");
    let graph: Vec<&str> =
        small.lines().skip_while(|line| *line != "task-graph").take_while(|line| *line != "schedule").collect();
    assert!(graph.len() <= 7, "one task that waits for another is enough:\n{small}");
    place.run("replay small.case --repeat 10").left_with(CLEAN);
}

#[test]
fn what_does_not_fail_is_refused() {
    let place = Workplace::new();
    place.run("fuzz --executions 400 --threads 2 --sanitizer none --seed 5 --bug lost-notify").left_with(FOUND);
    let case = place.cases("findings").remove(0);
    let text = std::fs::read_to_string(&case).expect("a case");
    std::fs::write(place.path().join("clean.case"), text.replace("verdict lost-wakeup", "verdict clean"))
        .expect("written");
    assert!(place.run("minimise clean.case").left_with(COULD_NOT).stderr.contains("nothing to make small"));
    std::fs::write(place.path().join("right.case"), text.replace("bug lost-notify\n", "")).expect("written");
    assert!(place.run("minimise right.case --attempts 5").left_with(COULD_NOT).stderr.contains("--attempts"));
}
