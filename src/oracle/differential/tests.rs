//! What each operation may give and what it may not, by small task graphs and histories.

use super::super::notation::{cause, judge, judge_allocating, judge_two};
use crate::model::execution::Ending;
use crate::model::verdict::Judgement;
use crate::task_graph::OUT_OF_MEMORY;

/// Judges a history in which `!!` is a failure for want of memory.
fn judge_out_of_memory(graph: &str, history: &str) -> Judgement {
    let history = history.replace("!!", &format!("!{OUT_OF_MEMORY}"));
    judge_allocating(&format!("fail-allocation 1\n{graph}"), &history, Ending::Completed, 1)
}

#[test]
fn a_wrong_result_is_noticed_where_it_arises() {
    let graph = "task 0 main int\nawait 1\ntask 1 worker int\ncompute 5";
    let begin = "+0 0[ 0.0( +1 1[@1 1.0( 1.0)";
    assert_eq!(judge(graph, &format!("{begin} 1]=5 0.0)=5 0]=5 -1 -0")), Judgement::Right);
    assert_eq!(cause(judge(graph, &format!("{begin} 1]=6"))), "a wrong result");
    assert_eq!(cause(judge(graph, &format!("{begin} 1]=5 0.0)=0"))), "a wrong value: await");
    assert_eq!(cause(judge(graph, &format!("{begin} 1]=5 0.0)=5 0]=0"))), "a wrong result");
}

#[test]
fn failures_cross_awaits_and_are_caught_where_the_task_graph_says() {
    let graph = "task 0 main int\nawait-catch 1\ntask 1 worker int\nawait 2\ntask 2 main void\nthrow 7";
    let begin = "+0 0[ 0.0( +1 1[@1 1.0( +2 2[ 2.0( 2.0!7 2!7";
    assert_eq!(judge(graph, &format!("{begin} 1.0!7 1!7 0.0!7 0]=1000010 -1 -2 -0")), Judgement::Right);
    assert_eq!(cause(judge(graph, &format!("{begin} 1.0)=0"))), "a failure was swallowed: await");
    assert_eq!(cause(judge(graph, &format!("{begin} 1.0!8"))), "a wrong failure: await");
}

#[test]
fn when_all_fails_with_the_first_in_order_not_in_time() {
    let graph = "task 0 main int\nwhen-all 1 2\ntask 1 worker int\nthrow 1\ntask 2 worker int\nthrow 2";
    let begin = "+0 0[ 0.0( +1 +2 1[@1 2[@2 2.0( 2.0!2 2!2 1.0( 1.0!1 1!1";
    assert_eq!(judge(graph, &format!("{begin} 0.0!1 0!1 -0 -1 -2")), Judgement::Right);
    assert_eq!(cause(judge(graph, &format!("{begin} 0.0!2"))), "a wrong failure: when-all");
}

#[test]
fn any_child_may_win_but_the_value_is_its_own() {
    let graph = "task 0 main int\nwhen-any 1 2\ntask 1 worker int\ncompute 3\ntask 2 worker int\ncompute 4";
    let begin = "+0 0[ 0.0( +1 +2 1[@1 2[@2 1.0( 2.0( 1.0) 2.0) 1]=3 2]=4";
    // The end of task 1 was recorded first, but it may have been interrupted before it could win.
    assert_eq!(judge(graph, &format!("{begin} 0.0)=1 0]=35 -0 -1 -2")), Judgement::Right);
    assert_eq!(judge(graph, &format!("{begin} 0.0)=0 0]=3 -0 -1 -2")), Judgement::Right);
    assert_eq!(cause(judge(graph, &format!("{begin} 0.0)=0 0]=4"))), "a wrong result");
    assert_eq!(cause(judge(graph, &format!("{begin} 0.0)=2"))), "a winner that is no child: when-any");
}

#[test]
fn a_stop_is_seen_after_it_was_asked_for_and_never_before() {
    let graph = "task 0 main int\nstart 1\ncancel 1\ntask 1 worker int\ncheck-cancel";
    let begin = "+0 0[ 0.0( +1 0.0)";
    let cancelled = 4_294_967_295_u32;
    let early = format!("{begin} 1[@1 1.0( 1.0!{cancelled}");
    assert_eq!(cause(judge(graph, &early)), "cancelled without a stop: check-cancel");
    let during = format!("{begin} 1[@1 1.0( 0.1( 1.0!{cancelled} 1!{cancelled} 0.1) 0]=0 -0 -1");
    assert_eq!(judge(graph, &during), Judgement::Right);
    let overlooked = format!("{begin} 1[@1 0.1( 0.1) 1.0( 1.0)");
    assert_eq!(cause(judge(graph, &overlooked)), "a stop was not seen: check-cancel");
    let overlapping = format!("{begin} 1[@1 1.0( 0.1( 0.1) 1.0) 1]=0 0]=0 -0 -1");
    assert_eq!(judge(graph, &overlapping), Judgement::Right);
}

const AWAITS: &str = "task 0 main int\nawait-catch 1\nawait-catch 2\ntask 1 worker int\nyield\ntask 2 worker int";

#[test]
fn one_operation_runs_out_of_memory_and_only_where_an_allocation_was_made_to_fail() {
    let caught = 1_000_003 + i64::from(OUT_OF_MEMORY);
    let rest = format!("0.1( +2 2[@1 2]=0 0.1)=0 0]={} -1 -2 -0", caught * 31);
    let inside = format!("+0 0[ 0.0( +1 1[@1 1.0( 1.0!! 1!! 0.0!! {rest}");
    assert_eq!(judge_out_of_memory(AWAITS, &inside), Judgement::Right);
    let before = format!("+0 0[ 0.0( +1 1[@1 1!! 0.0!! {rest}");
    assert_eq!(judge_out_of_memory(AWAITS, &before), Judgement::Right);
    let unmade = format!("+0 0[ 0.0( 0.0!! {}", rest.replace("-1 ", ""));
    assert_eq!(judge_out_of_memory(AWAITS, &unmade), Judgement::Right);
    let by_itself = unmade.replace("!!", &format!("!{OUT_OF_MEMORY}"));
    assert_eq!(cause(judge(AWAITS, &by_itself)), "memory ran out by itself: await-catch");
    let twice = "+0 0[ 0.0( 0.0!! 0.1( 0.1!!";
    assert_eq!(cause(judge_out_of_memory(AWAITS, twice)), "memory ran out a second time: await-catch");
    let twice = "+0 0[ 0.0( +1 1[@1 1.0( 1.0!! 1!! 0.0!! 0.1( +2 2[@1 2!!";
    assert_eq!(cause(judge_out_of_memory(AWAITS, twice)), "memory ran out a second time");
}

#[test]
fn what_follows_from_memory_that_ran_out_is_exact() {
    let swallowed = "+0 0[ 0.0( +1 1[@1 1.0( 1.0!! 1!! 0.0)=0";
    assert_eq!(cause(judge_out_of_memory(AWAITS, swallowed)), "a failure was swallowed: await-catch");
    let left = "+0 0[ 0.0( +1 1[@1 0.0!!";
    assert_eq!(cause(judge_out_of_memory(AWAITS, left)), "an operation failed that had begun a task: await-catch");
    // A task that had no part in it ends as ever.
    let other = "task 0 main int\nawait-catch 1\nawait 2\ntask 1 worker int\ntask 2 worker int\ncompute 5";
    let spoilt = "+0 0[ 0.0( 0.0!! 0.1( +2 2[@1 2.0( 2.0) 2]=6";
    assert_eq!(cause(judge_out_of_memory(other, spoilt)), "a wrong result");
    let started = "task 0 main int\nstart 1\ntask 1 worker int";
    let begun = "+0 0[ 0.0( +1 0.0!! 1[@1";
    assert_eq!(cause(judge_out_of_memory(started, begun)), "a task began whose beginning had failed");
    let lost = "+0 0[ 0.0( +1 -1 0.0)";
    let rule = "an operation returned although it destroyed a task unbegun";
    assert_eq!(cause(judge_out_of_memory(started, lost)), rule);
    assert_eq!(judge_out_of_memory(started, "+0 0[ 0.0( +1 -1 0.0!! 0!! -0"), Judgement::Right);
}

#[test]
fn a_task_graph_that_there_is_no_memory_for_does_not_begin() {
    assert_eq!(judge_out_of_memory(AWAITS, ""), Judgement::Right);
    assert_eq!(judge_out_of_memory(AWAITS, "+0 -0"), Judgement::Right);
    assert_eq!(cause(judge(AWAITS, "")), "the root did not come to its end");
    assert_eq!(cause(judge_out_of_memory(AWAITS, "+0")), "the root did not come to its end");
    assert_eq!(cause(judge_out_of_memory(AWAITS, "+0 0[")), "the root did not come to its end");
}

#[test]
fn a_call_that_ran_out_of_memory_had_no_effect() {
    let judged = |objects: &str, first: &str, second: &str, middle: &str| {
        let lines = |operations: &str| operations.replace(", ", "\n");
        let (first, second) = (lines(first), lines(second));
        let graph = format!(
            "{objects}\ntask 0 main int\nawait-catch 1\nawait 2\ntask 1 main int\n{first}\ntask 2 main int\n{second}"
        );
        let caught = (1_000_003 + i64::from(OUT_OF_MEMORY)) * 31;
        let rest = format!("0.1)=0 0]={caught} -1 -2 -0");
        judge_out_of_memory(&graph, &format!("+0 0[ 0.0( +1 1[ {middle} 2]=0 {rest}"))
    };
    let arc = |gave| {
        let middle = format!("1.0( 1.0!! 1!! 0.0!! 0.1( +2 2[ 2.0( 2.0)={gave}");
        judged("registries 1", "start-arc 0 1 2", "arc-status 0 1 2", &middle)
    };
    assert_eq!(arc(-1), Judgement::Right);
    assert_eq!(cause(arc(0)), "no order of the calls explains it: registry");
    // A processor is left on the way out.
    let resume = |inside: &str, rest: &str| {
        let middle = format!("1.0( {inside} 1.0!! 1!! 0.0!! 0.1( +2 2[ 2.0( {rest}");
        judged("processors checked", "resume 0 nested", "resume 0 plain", &middle)
    };
    assert_eq!(resume("1.0< 1.0>", "2.0< 2.0> 2.0)=1"), Judgement::Right);
    assert_eq!(resume("", "2.0< 2.0> 2.0)=1"), Judgement::Right);
    assert_eq!(cause(resume("1.0<", "2.0< 2.0> 2.0)=1")), "a resume out of step: resume");
    // Giving back needs no memory.
    let release = judged("semaphores 0", "release 0", "compute 1", "1.0( 1.0!!");
    assert_eq!(cause(release), "an operation failed that cannot: release");
}

#[test]
fn what_cannot_fail_does_not() {
    assert_eq!(cause(judge_two("", "yield", "yield", "1.0( 1.0!3")), "an operation failed that cannot: yield");
}
