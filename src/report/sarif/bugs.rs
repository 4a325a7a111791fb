//! The findings of directories as SARIF.

use std::path::Path;

use super::{Sarif, found};
use crate::campaign::gathered::{Bug, Gathered};
use crate::model::word;
use crate::report::bugs;

impl Sarif {
    /// Each bug; paths are relative to `root`, which the process runs in.
    #[must_use]
    pub fn of_bugs(gathered: &Gathered, root: &Path) -> Self {
        let results = gathered.bugs.iter().map(|bug| of_bug(bug, root)).collect();
        Self::of(results, gathered.unread.is_empty(), None)
    }
}

fn of_bug(bug: &Bug, root: &Path) -> super::Found {
    let said = format!("{}\n{}", bug.failure(), bugs::replay(bug));
    let (rule, count) = (word(&bug.case.verdict), bug.paths.len() as u64);
    let found = found(rule, said, &bug.path, bug.line(), bug.case.fingerprint.clone(), Some(count), root);
    found.with_flows(&bug.interleaving(), root)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::campaign::gathered::sample;

    #[test]
    fn a_bug_is_a_result_whose_code_flow_tells_the_order_of_its_threads() {
        let sarif = serde_json::to_value(Sarif::of_bugs(&sample::gathered(), Path::new("/checkout"))).expect("JSON");
        let run = &sarif["runs"][0];
        assert_eq!(run["invocations"][0]["executionSuccessful"], false, "a file was no case");
        assert_eq!(run["properties"], Value::Null);
        let result = &run["results"][0];
        assert_eq!((&result["ruleId"], &result["occurrenceCount"]), (&json!("data-race"), &json!(2)));
        let flows = result["codeFlows"][0]["threadFlows"].as_array().expect("threads");
        let order = |flow: &Value| {
            flow["locations"]
                .as_array()
                .expect("steps")
                .iter()
                .map(|at| at["executionOrder"].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!((&flows[0]["id"], order(&flows[0])), (&json!("main"), vec![json!(0), json!(2)]));
        assert_eq!((&flows[1]["id"], order(&flows[1])), (&json!("thread 1"), vec![json!(1)]));
        let second = &flows[1]["locations"][0];
        assert_eq!(second["location"]["physicalLocation"]["region"]["startLine"], 9);
        assert_eq!(second["location"]["physicalLocation"]["artifactLocation"]["uri"], "src/a.c");
        assert_eq!(second["importance"], "essential");
    }
}
