//! One execution as a page of HTML that needs nothing else: lanes of threads, the source, the task graph and why it fails.
//!
//! What comes from a case, a source or a program is data: JSON without `<`, which the page's script puts into the document
//! as text. Should any of it be taken for script all the same, the page's policy forbids it: only what carries the nonce
//! runs, and that is a hash of the data, which nothing in it can tell in advance.

mod data;
mod sources;
mod tasks;

pub use data::Told;
pub use sources::Sources;

/// What every page begins with: its policy, and places for its title and style.
const HEAD: &str = include_str!("page/head.html");
const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
/// In this order, since each uses those before it.
const SCRIPTS: [&str; 5] = [
    include_str!("page/data.js"),
    include_str!("page/lanes.js"),
    include_str!("page/overview.js"),
    include_str!("page/panels.js"),
    include_str!("page/page.js"),
];

/// The page.
#[must_use]
pub fn html(told: Told<'_>) -> String {
    filled(
        "threadbare",
        PAGE,
        STYLE,
        &SCRIPTS.concat(),
        &serde_json::to_string(&data::Data::of(told)).expect("plain data"),
    )
}

/// A page with its title, its style, its script and the data of that.
pub(super) fn filled(title: &str, page: &str, style: &str, script: &str, json: &str) -> String {
    let data = embedded(json);
    // The data comes last, since it may hold what looks like a place for something else.
    page.replacen("@HEAD@\n", HEAD, 1)
        .replace("@TITLE@", title)
        .replace("@NONCE@", &nonce_of(&data))
        .replace("@CSS@", style)
        .replace("@JS@", script)
        .replacen("@DATA@", &data, 1)
}

/// JSON such that it stands in a script element: neither the end of one nor the beginning of a comment can be in it.
fn embedded(json: &str) -> String {
    json.replace('<', "\\u003c")
}

fn nonce_of(data: &str) -> String {
    blake3::hash(data.as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::campaign::account::{Account, Call};
    use crate::case::Case;
    use crate::evidence::interleaving::Step;
    use crate::model::execution::{Aside, Event, EventKind, Happened};
    use crate::model::op::OpKind;
    use crate::model::settings::Settings;
    use crate::model::verdict::Verdict;
    use crate::task_graph::{Affinity, Operation, ResultKind, Task, TaskGraph};

    const HOSTILE: &str = "</script><script>alert(1)</script><!--\u{2028}@JS@ @NONCE@ \" ' & \\";

    fn case() -> Case {
        let task = |operations| Task { affinity: Affinity::Worker, result: ResultKind::Int, operations };
        let graph = TaskGraph { tasks: vec![task(vec![Operation::Await(1)]), task(vec![])], ..TaskGraph::default() };
        Case {
            settings: Settings::sample(),
            workload: graph.into(),
            schedule: None,
            verdict: Verdict::Deadlock,
            oracle: None,
            fingerprint: "0123456789abcdef".to_owned(),
            report: format!("deadlock: {HOSTILE}\nmore"),
        }
    }

    fn account(count: usize) -> Account {
        let step = |number: usize| Step {
            thread: (number / 3 % 4) as u16,
            kind: [OpKind::PlainLoad, OpKind::PlainStore, OpKind::Lock][number % 3],
            object: ["counter", "0x7f0000001000", HOSTILE][number % 3].to_owned(),
            place: "a.cpp:7 take".to_owned(),
            note: (number % 3 == 1).then(|| format!("{number} → {}", number + 1)),
            mark: (number == 5).then(|| "one access of the race".to_owned()),
        };
        let call =
            |function: &str, file: &str, line| Call { function: function.to_owned(), file: file.to_owned(), line };
        let event = Event { value: 0, task: 1, operation: 0, thread: 2, kind: EventKind::TaskBegin };
        let aside = |step, what| Aside { step, what };
        Account {
            steps: (0..count).map(step).collect(),
            points: (0..count as u64).collect(),
            stack_of: (0..count).map(|number| number % 2).collect(),
            stacks: vec![
                vec![call("std::x", "/usr/include/x", 9), call("take", "a.cpp", 7)],
                vec![call(HOSTILE, HOSTILE, 1)],
            ],
            asides: vec![
                aside(2, Happened::Recorded(event)),
                aside(3, Happened::Blocked(1, "sem_wait".to_owned())),
                aside(6, Happened::Unblocked(1)),
                aside(9, Happened::Blocked(5, HOSTILE.to_owned())),
            ],
        }
    }

    fn page(count: usize) -> String {
        let (case, account, notice) = (case(), account(count), String::new());
        let told =
            Told { case: &case, name: HOSTILE, account: &account, reasons: None, notice, sources: Sources::below([]) };
        html(told)
    }

    fn data_of(page: &str) -> Value {
        let begin = page.split("id=\"data\">").nth(1).expect("data");
        serde_json::from_str(begin.split("</script>").next().expect("its end")).expect("JSON")
    }

    #[test]
    fn nothing_that_comes_from_a_case_can_become_markup() {
        let page = page(12);
        assert_eq!(page.matches("<script").count(), 2, "the data and the script");
        assert_eq!(page.matches("</script>").count(), 2);
        assert!(!page.contains("<!--"));
        let data = data_of(&page);
        assert_eq!(data["name"], HOSTILE, "it is told all the same");
        let nonce = page.split("<script nonce=\"").nth(1).expect("a nonce").split('"').next().expect("its end");
        assert_eq!(page.matches(nonce).count(), 4, "the policy twice, the style and the script");
        assert!(page.contains("default-src 'none'"));
    }

    #[test]
    fn the_scripts_put_texts_into_the_document_as_text_and_load_nothing() {
        for script in SCRIPTS {
            for word in
                ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function(", "fetch(", "http"]
            {
                assert!(!script.contains(word), "{word}");
            }
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }

    #[test]
    fn every_step_has_its_thread_object_value_and_stack() {
        let data = data_of(&page(12));
        let at = |column: &str, step: usize| data["steps"][column][step].as_u64().expect("an index") as usize;
        assert_eq!(data["threads"], 6, "one only ever waits");
        assert_eq!(data["kinds"][at("kind", 4)], "writes");
        assert_eq!(data["objects"][at("object", 4)], "o1");
        assert_eq!(data["notes"][at("note", 4)], "4 → 5");
        assert_eq!(data["stacks"][0]["own"], 1, "a header of the system is none of the program's sources");
        assert_eq!(data["files"][0]["name"], "a.cpp", "the program's own come first");
        assert_eq!(data["marks"], serde_json::json!([[5, "one access of the race", "race"]]));
        assert_eq!(data["waits"], serde_json::json!([[1, 3, 6, "sem_wait"], [5, 9, 13, HOSTILE]]));
        assert_eq!(data["graph"]["tasks"][1]["how"], "await");
        assert_eq!(data["graph"]["events"], serde_json::json!([[2, 1, 0, 0, 2, 0]]));
    }

    #[test]
    fn a_page_of_ten_thousand_steps_is_small_and_one_of_none_is_a_page() {
        let large = page(10_000);
        assert!(large.len() < 2_000_000, "{} bytes", large.len());
        assert_eq!(data_of(&page(0))["steps"]["thread"], serde_json::json!([]));
    }
}
