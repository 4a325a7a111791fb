//! For each object a wrong history, and one that is right only because overlapping calls may be reordered.

use super::super::notation::{cause, failure, judge, judge_allocating, judge_two};
use super::search::MAX_VISITED;
use crate::model::execution::Ending;
use crate::model::verdict::{Incomparable, Judgement, OracleName, Verdict};
use crate::task_graph::call::{ArcState, FILE_ERROR, visited};
use crate::task_graph::{CLOSED, Pair};

fn right(judgement: Judgement) {
    assert_eq!(judgement, Judgement::Right);
}

fn wrong(judgement: Judgement, word: &str) {
    let failure = failure(judgement);
    assert_eq!((failure.verdict, failure.oracle), (Verdict::WrongHistory, OracleName::History), "{failure:?}");
    let kind = failure.cause.strip_prefix("no order of the calls explains it: ").expect("the rule");
    assert!(failure.message.contains(&format!("`{word}")) && failure.message.contains(kind), "{failure:?}");
}

#[test]
fn mutex() {
    let judged = |middle: &str| judge_two("mutexes 1", "lock 0, unlock 0", "lock 0, unlock 0", middle);
    wrong(judged("1.0( 1.0) 2.0( 2.0)"), "lock");
    // Task 1 has begun to give it back, and may have, though it has not come to say so.
    right(judged("1.0( 1.0) 2.0( 1.1( 2.0) 1.1) 2.1( 2.1)"));
}

#[test]
fn a_failing_task_gives_its_mutex_back() {
    let graph = "mutexes 1\ntask 0 main int\nawait-catch 1\nlock 0\nunlock 0\ntask 1 worker int\nlock 0\nthrow 3";
    let history = "+0 0[ 0.0( +1 1[@1 1.0( 1.0) 1.1( 1.1!3 1!3 -1 0.0!3 0.1( 0.1) 0.2( 0.2) 0]=1000006 -0";
    right(judge(graph, history));
}

#[test]
fn semaphore() {
    let judged = |middle: &str| judge_two("semaphores 0", "acquire 0", "release 0", middle);
    wrong(judged("1.0( 1.0)"), "acquire");
    right(judged("1.0( 2.0( 1.0) 2.0)"));
}

#[test]
fn manual_event() {
    let judged = |middle: &str| judge_two("events manual", "wait-event 0", "set-event 0, reset-event 0", middle);
    wrong(judged("1.0( 1.0)"), "wait-event");
    right(judged("2.0( 2.0) 2.1( 1.0( 2.1) 1.0)"));
    wrong(judged("2.0( 2.0) 2.1( 2.1) 1.0( 1.0)"), "wait-event");
    let judged = |middle: &str| judge_two("events manual", "set-event 0", "reset-event 0, wait-event 0", middle);
    // The set overlaps the reset, so it may have come after it.
    right(judged("1.0( 2.0( 1.0) 2.0) 2.1( 2.1)"));
    wrong(judged("1.0( 1.0) 2.0( 2.0) 2.1( 2.1)"), "wait-event");
}

#[test]
fn automatic_event() {
    let judged =
        |middle: &str| judge_two("events auto", "wait-event 0, wait-event 0", "set-event 0, set-event 0", middle);
    wrong(judged("2.0( 2.0) 1.0( 1.0) 1.1( 1.1)"), "wait-event");
    right(judged("2.0( 2.0) 1.0( 1.0) 1.1( 2.1( 1.1) 2.1)"));
    // Two sets that nobody went through between are one.
    wrong(judged("2.0( 2.0) 2.1( 2.1) 1.0( 1.0) 1.1( 1.1)"), "wait-event");
    right(judged("2.0( 2.0) 1.0( 2.1( 2.1) 1.0) 1.1( 1.1)"));
}

#[test]
fn latch() {
    let judged = |middle: &str| judge_two("latches 2", "latch-arrive 0, latch-wait 0", "latch-arrive 0", middle);
    wrong(judged("1.0( 1.0) 1.1( 1.1)"), "latch-wait");
    right(judged("1.0( 1.0) 1.1( 2.0( 1.1) 2.0)"));
}

#[test]
fn barrier() {
    let both = "barrier-arrive 0, barrier-wait 0, barrier-arrive 0, barrier-wait 0";
    let judged = |middle: &str| judge_two("barriers 2", both, both, middle);
    wrong(judged("1.0( 1.0) 1.1( 1.1)"), "barrier-wait");
    let first = "1.0( 2.0( 1.0) 2.0) 1.1( 2.1( 1.1) 2.1)";
    wrong(judged(&format!("{first} 1.2( 1.2) 1.3( 1.3)")), "barrier-wait");
    right(judged(&format!("{first} 1.2( 1.2) 1.3( 2.2( 1.3) 2.2) 2.3( 2.3)")));
}

#[test]
fn arrivals_that_overlap_may_be_at_either_phase() {
    let graph = |word: &str| {
        format!(
            "barriers 2\ntask 0 main void\nbarrier-arrive 0\nwhen-all 1 2\n{word}\
        task 1 worker void\nbarrier-arrive 0\ntask 2 worker void\nbarrier-arrive 0\nbarrier-wait 0"
        )
    };
    let begin = "+0 0[ 0.0( 0.0) 0.1( +1 +2 1[@1 2[@2";
    let end = "1] 2] 0.1) 0] -1 -2 -0";
    // Task 1 was called first, but task 2 may have completed the phase.
    right(judge(&graph(""), &format!("{begin} 1.0( 2.0( 2.0) 2.1( 2.1) 1.0) {end}")));
    wrong(judge(&graph(""), &format!("{begin} 1.0( 1.0) 2.0( 2.0) 2.1( 2.1) {end}")), "barrier-wait");
}

#[test]
fn channel() {
    let judged = |middle: &str| judge_two("channels 2", "send 0 7, send 0 8", "receive 0, receive 0", middle);
    wrong(judged("2.0( 2.0)=7"), "receive");
    let sent = "1.0( 1.0)=1 1.1( 1.1)=1";
    wrong(judged(&format!("{sent} 2.0( 2.0)=7 2.1( 2.1)=7")), "receive");
    wrong(judged(&format!("{sent} 2.0( 2.0)=8 2.1( 2.1)=7")), "receive");
    right(judged(&format!("{sent} 2.0( 2.0)=7 2.1( 2.1)=8")));
    // Before its send has said that it is done, a value may be there.
    right(judged("1.0( 2.0( 2.0)=7 1.0)=1 1.1( 1.1)=1 2.1( 2.1)=8"));
    wrong(judged("1.0( 1.0)=3"), "send");
    let judged = |middle: &str| judge_two("channels 3", "send 0 7, send 0 8", "receive 0", middle);
    wrong(judged("1.0( 1.0)=1 1.1( 1.1)=1 2.0( 2.0)=8"), "receive");
    right(judged("1.0( 1.0)=1 1.1( 1.1)=1 2.0( 2.0)=7"));
}

#[test]
fn overlapping_receives_may_come_back_in_any_order() {
    let sends = "channels 2\ntask 0 main void\nsend 0 7\nsend 0 8\nwhen-all 1 2\ntask 1 worker void\nreceive 0\n\
        task 2 worker void\nreceive 0";
    let begin = "+0 0[ 0.0( 0.0)=1 0.1( 0.1)=1 0.2( +1 +2 1[@1 2[@2";
    let end = "1] 2] 0.2) 0] -0 -1 -2";
    right(judge(sends, &format!("{begin} 1.0( 2.0( 1.0)=8 2.0)=7 {end}")));
    wrong(judge(sends, &format!("{begin} 1.0( 1.0)=8 2.0( 2.0)=7 {end}")), "receive");
}

#[test]
fn a_channel_holds_no_more_than_its_capacity() {
    let judged = |middle: &str| judge_two("channels 1", "send 0 7, send 0 8", "receive 0", middle);
    wrong(judged("1.0( 1.0)=1 1.1( 1.1)=1"), "send");
    right(judged("1.0( 1.0)=1 1.1( 2.0( 1.1)=1 2.0)=7"));
}

#[test]
fn closing_refuses_what_comes_after_and_keeps_what_came_before() {
    let judged = |middle: &str| judge_two("channels 1", "send 0 7, receive 0", "close 0", middle);
    wrong(judged("1.0( 1.0)=0"), "send");
    wrong(judged("2.0( 2.0) 1.0( 1.0)=1"), "send");
    right(judged(&format!("2.0( 1.0( 1.0)=0 2.0) 1.1( 1.1)={CLOSED}")));
    wrong(judged(&format!("1.0( 1.0)=1 2.0( 2.0) 1.1( 1.1)={CLOSED}")), "receive");
    wrong(judged(&format!("1.0( 1.0)=1 1.1( 1.1)={CLOSED}")), "receive");
    right(judged("1.0( 1.0)=1 2.0( 2.0) 1.1( 1.1)=7"));
}

#[test]
fn processor() {
    let judged = |middle: &str| judge_two("processors checked", "resume 0 plain", "resume 0 nested", middle);
    right(judged("1.0( 1.0< 2.0( 2.0)=0 1.0> 1.0)=1"));
    wrong(judged("1.0( 1.0< 1.0> 1.0)=1 2.0( 2.0)=0"), "resume");
    // Task 1 is about to leave, so it may be out or not.
    right(judged("1.0( 1.0< 1.0> 2.0( 2.0)=0 1.0)=1"));
    right(judged("1.0( 1.0< 1.0> 2.0( 2.0< 2.0<=2 2.0>=2 2.0> 2.0)=1 1.0)=1"));
    // It may have entered, though it has not said so.
    right(judged("1.0( 2.0( 2.0)=0 1.0< 1.0> 1.0)=1"));
    wrong(judged("1.0( 1.0< 2.0( 2.0<"), "resume");
}

#[test]
fn an_unchecked_processor_refuses_nobody_and_lets_one_in() {
    let judged = |middle: &str| judge_two("processors unchecked", "resume 0 plain", "resume 0 plain", middle);
    right(judged("1.0( 1.0< 1.0> 1.0)=1 2.0( 2.0< 2.0> 2.0)=1"));
    wrong(judged("1.0( 1.0< 2.0( 2.0)=0 1.0> 1.0)=1"), "resume");
    wrong(judged("1.0( 1.0< 2.0( 2.0<"), "resume");
}

#[test]
fn a_resume_goes_as_deep_as_its_body_says() {
    let judged = |middle: &str| judge_two("processors checked", "resume 0 plain", "resume 0 nested", middle);
    for middle in ["1.0( 1.0< 1.0<=2", "1.0( 1.0)=1", "1.0( 1.0< 1.0)=1", "1.0( 1.0< 1.0> 1.0)=0", "1.0( 1.0>"] {
        assert_eq!(cause(judged(middle)), "a resume out of step: resume", "{middle}");
    }
    for middle in ["2.0( 2.0< 2.0> 2.0)=1", "2.0( 2.0< 2.0<=2 2.0>", "2.0( 2.0< 2.0<=2 2.0>=2 2.0<=2", "2.0( 2.0<=2"] {
        assert_eq!(cause(judged(middle)), "a resume out of step: resume", "{middle}");
    }
}

#[test]
fn registry() {
    let (first, second) = ("start-arc 0 1 2, complete-arc 0 1 2", "start-arc 0 1 2, progress-arc 0 1 2");
    let started =
        |task: u32| format!("{task}.0*={}", crate::task_graph::call::ArcEvent::Started.of(Pair { a: 1, b: 2 }));
    let completed = format!("1.1*={}", crate::task_graph::call::ArcEvent::Completed.of(Pair { a: 1, b: 2 }));
    let progressed = format!("2.1*={}", crate::task_graph::call::ArcEvent::Progressed.of(Pair { a: 1, b: 2 }));
    let (one, two) = (started(1), started(2));
    let judged = |middle: &str| judge_two("registries 1", first, second, middle);
    wrong(judged(&format!("1.0( {one} 1.0)=1 2.0( {two} 2.0)=1")), "start-arc");
    right(judged(&format!("1.0( {one} 2.0( 2.0)=0 1.0)=1 2.1( 1.1( {completed} 1.1)=1 2.1)=-1")));
    right(judged(&format!("2.0( 1.0( {one} 1.0)=1 2.0)=0 1.1( {completed} 2.1( 2.1)=-1 1.1)=1")));
    // Progressed before it was completed, as their overlap allows.
    right(judged(&format!("2.0( {two} 2.0)=1 1.0( 1.0)=0 2.1( {progressed} 1.1( {completed} 1.1)=1 2.1)=1")));
    wrong(
        judged(&format!("2.0( {two} 2.0)=1 1.0( 1.0)=0 1.1( {completed} 1.1)=1 2.1( {progressed} 2.1)=1")),
        "progress-arc",
    );
}

#[test]
fn readers_of_a_registry_see_one_moment() {
    let pairs = "registries 1";
    let first = "start-arc 0 1 2, start-arc 0 3 4";
    let started = |operation: u32, a: u32, b: u32| {
        format!("1.{operation}*={}", crate::task_graph::call::ArcEvent::Started.of(Pair { a, b }))
    };
    let both = format!("1.0( {} 1.0)=1 1.1( {}", started(0, 1, 2), started(1, 3, 4));
    let judged = |word: &str, gave: i64| judge_two(pairs, first, word, &format!("{both} 2.0( 2.0)={gave} 1.1)=1"));
    let one = visited([(Pair { a: 1, b: 2 }, 0)]);
    let two = visited([(Pair { a: 1, b: 2 }, 0), (Pair { a: 3, b: 4 }, 0)]);
    right(judged("process-arcs 0", one));
    right(judged("process-arcs 0", two));
    wrong(judged("process-arcs 0", visited([])), "process-arcs");
    right(judged("active-arcs 0", 1));
    right(judged("active-arcs 0", 2));
    wrong(judged("active-arcs 0", 0), "active-arcs");
    right(judged("arc-status 0 3 4", -1));
    right(judged("arc-status 0 3 4", ArcState::Active.status(0)));
    wrong(judged("arc-status 0 1 2", -1), "arc-status");
}

#[test]
fn lease() {
    let judged = |middle: &str| {
        judge_two("leases 1", "acquire-lease 0 1, refresh-lease 0 1", "acquire-lease 0 2, release-lease 0 2", middle)
    };
    wrong(judged("1.0( 1.0)=1 2.0( 2.0)=1"), "acquire-lease");
    right(judged("1.0( 2.0( 2.0)=1 2.1( 2.1)=1 1.0)=1 1.1( 1.1)=1"));
    wrong(judged("1.0( 2.0( 2.0)=1 1.0)=1 2.1( 2.1)=1 1.1( 1.1)=1"), "acquire-lease");
    // After an error on files nobody knows whether it was taken.
    right(judged(&format!("1.0( 1.0)={FILE_ERROR} 2.0( 2.0)=0 1.1( 1.1)=1 2.1( 2.1)=0")));
    right(judged(&format!("1.0( 1.0)={FILE_ERROR} 2.0( 2.0)=1 1.1( 1.1)=0 2.1( 2.1)=1")));
    wrong(judged(&format!("1.0( 1.0)={FILE_ERROR} 2.0( 2.0)=1 1.1( 1.1)=1")), "refresh-lease");
}

#[test]
fn only_a_lease_that_was_not_renewed_for_no_time_at_all_is_certainly_stale() {
    let judged = |age: u32, gave: i64, holder: i64| {
        let middle = format!("1.0( 1.0)=1 2.0( 2.0)={gave} 2.1( 2.1)={holder}");
        let second = format!("cleanup-stale 0 {age}, lease-holder 0");
        judge_two("leases 1", "acquire-lease 0 1", &second, &middle)
    };
    right(judged(0, 1, -1));
    wrong(judged(0, 0, 1), "cleanup-stale");
    right(judged(9, 1, -1));
    right(judged(9, 0, 1));
    wrong(judged(9, 0, -1), "lease-holder");
    wrong(judged(9, 1, 1), "lease-holder");
}

#[test]
fn the_message_names_the_shortest_prefix_and_the_operations_involved() {
    // The second receive comes back first, with a value that nobody sent; what follows does not matter.
    let judged = judge_two("channels 2", "send 0 7, send 0 8", "receive 0", "1.0( 2.0( 2.0)=9 1.0)=1 1.1( 1.1)=1");
    let failure = failure(judged);
    assert_eq!(
        failure.message,
        "task 2, operation 0 `receive 0`: no order of the calls explains it: from a channel with [] of 2 on, \
         `send 0 7` of task 1 has not returned, `receive 0` of task 2 gave 9 (10 events)"
    );
}

#[test]
fn a_prefix_does_not_know_what_comes_after_it() {
    // Up to the first return it is right, if task 1 has sent; that it had not shows later.
    let judged = judge_two("channels 2", "send 0 7", "receive 0, close 0", "1.0( 2.0( 2.0)=7 2.1( 2.1) 1.0)=0");
    wrong(judged.clone(), "send");
    assert!(failure(judged).message.contains("(13 events)"));
}

/// A task graph of so many receives that are pending at once on a channel of that capacity, and as many sends.
fn crowd(size: usize) -> (String, String, String) {
    let tasks = 2 * size;
    let numbers = (1..=tasks).map(|task| task.to_string()).collect::<Vec<_>>().join(" ");
    let mut graph = format!("channels {size}\ntask 0 main void\nwhen-all {numbers}\n");
    let (mut begin, mut calls, mut ends) = ("+0 0[ 0.0(".to_owned(), String::new(), String::new());
    for task in 1..=tasks {
        let word = if task > size { "receive 0".to_owned() } else { format!("send 0 {task}") };
        graph += &format!("task {task} worker void\n{word}\n");
        begin += &format!(" +{task} {task}[@{}", 1 + task % 2);
        calls += &format!(" {task}.0(");
    }
    // Each value comes back from another receive than the one that would be tried first.
    for task in 1..=size {
        ends += &format!(" {}.0)={task}", tasks + 1 - task);
    }
    for task in 1..=size {
        ends += &format!(" {task}.0)=1");
    }
    let end = (1..=tasks).map(|task| format!(" {task}]")).collect::<String>();
    let freed = (1..=tasks).map(|task| format!(" -{task}")).collect::<String>();
    (graph, begin + &calls, format!("{ends}{end} 0.0) 0] -0{freed}"))
}

#[test]
fn many_overlapping_calls_are_explained_and_too_many_are_counted_as_incomparable() {
    let (graph, begin, end) = crowd(4);
    right(judge(&graph, &(begin + &end)));
    let (graph, begin, end) = crowd(12);
    match judge(&graph, &(begin + &end)) {
        Judgement::Incomparable(Incomparable::HistoryTooLong, why) => assert!(why.contains("channel"), "{why}"),
        other => panic!("{other:?} within {MAX_VISITED} configurations"),
    }
}

#[test]
fn waits_for_one_event_are_explained_however_many_there_are() {
    let tasks = 100;
    let numbers = (2..=tasks).map(|task| task.to_string()).collect::<Vec<_>>().join(" ");
    let mut graph = format!("events manual\ntask 0 main void\nwhen-all 1 {numbers}\ntask 1 worker void\nset-event 0\n");
    let mut history = "+0 0[ 0.0( +1 1[@1".to_owned();
    for task in 2..=tasks {
        graph += &format!("task {task} worker void\nwait-event 0\n");
        history += &format!(" +{task} {task}[@1");
    }
    // At most 64 pending calls fit a search.
    let waits = |from: u32, to: u32, end: &str| (from..=to).map(|task| format!(" {task}.0{end}")).collect::<String>();
    history += &waits(2, 50, "(");
    history += " 1.0( 1.0)";
    history += &waits(2, 50, ")");
    history += &waits(51, tasks, "(");
    history += &waits(51, tasks, ")");
    history += &(1..=tasks).map(|task| format!(" {task}]")).collect::<String>();
    history += " 0.0) 0] -0";
    history += &(1..=tasks).map(|task| format!(" -{task}")).collect::<String>();
    right(judge(&graph, &history));
}

fn stuck(objects: &str, first: &str, second: &str, middle: &str, may_stop: bool) -> Judgement {
    let lines = |operations: &str| operations.replace(", ", "\n");
    let graph = format!(
        "{objects}\nfail-allocation 1\ntask 0 main int\nwhen-all 1 2 3\ntask 1 worker void\n{}\ntask 2 worker void\n{}\n\
        task 3 worker void\nsleep 1",
        lines(first),
        lines(second)
    );
    // A third task runs out of memory, or does not.
    let third = if may_stop { "3.0!4294967294 3!4294967294" } else { "3.0)=1 3]" };
    let history = format!("+0 0[ 0.0( +1 +2 +3 1[@1 2[@2 3[@0 3.0( {third} {middle}");
    judge_allocating(&graph, &history, Ending::Stuck(vec![]), u64::from(may_stop))
}

#[test]
fn a_stop_is_right_only_where_the_model_is_stuck_too() {
    let judged =
        |middle: &str, may_stop| stuck("events auto", "wait-event 0", "wait-event 0, set-event 0", middle, may_stop);
    right(judged("1.0( 2.0(", true));
    assert_eq!(failure(judged("1.0( 2.0(", false)).verdict, Verdict::Deadlock);
    let lost = stuck("events auto", "wait-event 0", "set-event 0", "1.0( 2.0( 2.0) 2]", true);
    let lost = failure(lost);
    assert_eq!(lost.verdict, Verdict::LostWakeup);
    assert!(lost.message.contains("task 1 could proceed in `wait-event 0`"), "{}", lost.message);
}

#[test]
fn a_stop_is_right_if_one_explanation_leaves_the_model_stuck() {
    // The set may have come before the reset or after it.
    let overlapping = "1.0( 2.0( 2.0) 1.0) 1]";
    let after = "2.0( 2.0) 1.0( 1.0) 1]";
    let judged = |middle: &str| {
        stuck("events manual", "set-event 0", "reset-event 0, wait-event 0", &format!("{middle} 2.1("), true)
    };
    right(judged(overlapping));
    assert_eq!(failure(judged(after)).verdict, Verdict::LostWakeup);
}

#[test]
fn a_wrong_history_comes_before_the_way_it_stopped() {
    let judged =
        stuck("channels 1", "receive 0", "send 0 7, send 0 8, receive 0", "1.0( 2.0( 2.0)=1 1.0)=8 1] 2.1(", true);
    wrong(judged, "receive");
}
