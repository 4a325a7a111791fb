//! One execution in the trace event format of Chrome, which Perfetto and `chrome://tracing` show:
//! <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>. A step takes a microsecond.

use serde_json::{Value, json};

use super::page::Told;
use crate::campaign::account::Account;
use crate::case::Workload;
use crate::evidence::interleaving::{self, Step};
use crate::model::execution::{EventKind, Happened, ThreadId};
use crate::model::word;
use crate::task_graph::TaskGraph;

const PROCESS: u32 = 1;

/// The trace as JSON.
#[must_use]
pub fn json(told: &Told<'_>) -> Value {
    let steps = told.steps();
    let mut events = named(told.name, &steps);
    events.extend(runs(&steps));
    events.extend(operations(&steps, told.account));
    for (thread, from, to, what) in told.account.waits(steps.len()) {
        let name = format!("waits in {what}");
        events.push(json!({"ph": "X", "cat": "blocked", "name": name, "pid": PROCESS, "tid": thread, "ts": from, "dur": to - from}));
    }
    if let Workload::TaskGraph(graph) = &told.case.workload {
        events.extend(tasks(graph, told.account));
    }
    json!({
        "displayTimeUnit": "ns",
        "otherData": {"verdict": word(&told.case.verdict), "fingerprint": told.case.fingerprint, "notice": told.notice},
        "traceEvents": events,
    })
}

fn named(name: &str, steps: &[Step]) -> Vec<Value> {
    let last = steps.iter().map(|step| step.thread).max();
    let threads = last.map_or(0..0, |last| 0..last + 1);
    let thread = |thread: ThreadId| {
        let name = if thread == 0 { "main".to_owned() } else { format!("thread {thread}") };
        [
            json!({"ph": "M", "name": "thread_name", "pid": PROCESS, "tid": thread, "args": {"name": name}}),
            json!({"ph": "M", "name": "thread_sort_index", "pid": PROCESS, "tid": thread, "args": {"sort_index": thread}}),
        ]
    };
    let process = json!({"ph": "M", "name": "process_name", "pid": PROCESS, "args": {"name": name}});
    std::iter::once(process).chain(threads.flat_map(thread)).collect()
}

/// The steps between two switches, as a slice around them, and an arrow from each to the next.
fn runs(steps: &[Step]) -> Vec<Value> {
    let mut events = Vec::new();
    let mut start = 0;
    for run in steps.chunk_by(|step, next| step.thread == next.thread) {
        let (thread, end) = (run[0].thread, start + run.len());
        events.push(json!({
            "ph": "X", "cat": "run", "name": "runs", "pid": PROCESS, "tid": thread, "ts": start, "dur": run.len(),
        }));
        if let Some(next) = steps.get(end) {
            let arrow = |phase: &str, thread: ThreadId, ts: f64| json!({"ph": phase, "bp": "e", "cat": "switch", "name": "switch", "id": end, "pid": PROCESS, "tid": thread, "ts": ts});
            // Within the slices that it leads from and to.
            events.push(arrow("s", thread, end as f64 - 0.1));
            events.push(arrow("f", next.thread, end as f64 + 0.1));
        }
        start = end;
    }
    events
}

fn operations(steps: &[Step], account: &Account) -> Vec<Value> {
    let objects = interleaving::objects(steps);
    let mut events = Vec::new();
    for (index, (step, object)) in steps.iter().zip(objects).enumerate() {
        let (thread, kind) = (step.thread, interleaving::words(step.kind));
        let name = if object.is_empty() { kind.to_owned() } else { format!("{kind} {object}") };
        let stack: Vec<String> = account.stack(index).iter().map(ToString::to_string).collect();
        events.push(json!({
            "ph": "X", "cat": "step", "name": name, "pid": PROCESS, "tid": thread, "ts": index, "dur": 1,
            "args": {"step": index, "place": step.place, "value": step.note, "stack": stack},
        }));
        if let Some(why) = &step.mark {
            events.push(json!({
                "ph": "i", "s": "g", "cat": "mark", "name": why, "pid": PROCESS, "tid": thread, "ts": index,
            }));
        }
    }
    events
}

/// Tasks and their operations, which may begin on one thread and end on another.
fn tasks(graph: &TaskGraph, account: &Account) -> Vec<Value> {
    let event = |aside: &crate::model::execution::Aside| {
        let Happened::Recorded(event) = &aside.what else { return None };
        let phase = match event.kind {
            EventKind::TaskBegin | EventKind::OperationBegin => "b",
            EventKind::TaskEnd | EventKind::TaskFail | EventKind::OperationEnd | EventKind::OperationFail => "e",
            _ => return None,
        };
        let name = match event.kind.is_of_operation() {
            true => graph.tasks.get(event.task as usize)?.operations.get(usize::from(event.operation))?.to_string(),
            false => format!("task {}", event.task),
        };
        Some(json!({
            "ph": phase, "cat": "task", "name": name, "id": event.task, "pid": PROCESS, "tid": event.thread, "ts": aside.step,
            "args": {"event": event.kind.word(), "value": event.value},
        }))
    };
    account.asides.iter().filter_map(event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Case;
    use crate::model::execution::Aside;
    use crate::model::op::OpKind;
    use crate::model::settings::Settings;
    use crate::model::verdict::Verdict;
    use crate::report::page::Sources;

    #[test]
    fn steps_lie_in_runs_that_arrows_join_and_waits_beside_them() {
        let step = |thread| Step {
            thread,
            kind: OpKind::Lock,
            object: "m".to_owned(),
            place: "a.c:1 f".to_owned(),
            note: None,
            mark: (thread == 1).then(|| "critical point".to_owned()),
        };
        let blocked = Aside { step: 2, what: Happened::Blocked(1, "pthread_mutex_lock".to_owned()) };
        let account = Account { steps: vec![step(0), step(1), step(0)], asides: vec![blocked], ..Account::default() };
        let case = Case {
            settings: Settings::sample(),
            workload: TaskGraph::default().into(),
            schedule: None,
            verdict: Verdict::Deadlock,
            oracle: None,
            fingerprint: "f".to_owned(),
            report: String::new(),
        };
        let sources = Sources::below([]);
        let told =
            Told { case: &case, name: "a.case", account: &account, reasons: None, notice: String::new(), sources };
        let trace = json(&told);
        let all = trace["traceEvents"].as_array().expect("events");
        let of = |category: &str| all.iter().filter(|event| event["cat"] == category).collect::<Vec<_>>();
        assert_eq!([of("step").len(), of("run").len(), of("switch").len(), of("mark").len()], [3, 3, 4, 1]);
        assert_eq!(of("step")[1]["name"], "locks m");
        let wait = of("blocked")[0];
        assert_eq!(
            (&wait["tid"], &wait["ts"], &wait["dur"]),
            (&json!(1), &json!(2), &json!(2)),
            "to the end and beyond"
        );
        assert!(all.iter().all(|event| event["pid"] == 1 && event["ph"].is_string()));
    }
}
