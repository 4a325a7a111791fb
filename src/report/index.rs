//! Findings that were gathered as a page of HTML.

use std::path::Path;

use serde_json::{Value, json};

use super::{bugs, page};
use crate::campaign::gathered::{Bug, Gathered};
use crate::model::word;

const PAGE: &str = include_str!("index/index.html");
const STYLE: &str = include_str!("index/index.css");
const SCRIPT: &str = include_str!("index/index.js");

/// The page, which leads to the pages of cases that lie in the same `directory` as the page, or below.
#[must_use]
pub fn html(gathered: &Gathered, directory: &Path) -> String {
    let bugs: Vec<Value> = gathered.bugs.iter().map(|bug| data(bug, directory)).collect();
    let unread: Vec<&str> = gathered.unread.iter().map(|(_, why)| why.as_str()).collect();
    page::filled("threadbare: findings", PAGE, STYLE, SCRIPT, &json!({"bugs": bugs, "unread": unread}).to_string())
}

fn data(bug: &Bug, directory: &Path) -> Value {
    let case = &bug.case;
    let shown = [bug.path.with_extension("html"), bug.path.with_extension("case.html")];
    let page = shown.iter().find(|page| page.is_file()).and_then(|page| page.strip_prefix(directory).ok());
    json!({
        "verdict": word(&case.verdict),
        "place": bugs::place(bug),
        "failure": bug.failure(),
        "fingerprint": case.fingerprint,
        "sanitizer": word(&case.settings.sanitizer),
        "path": bug.path.to_string_lossy(),
        "paths": bug.paths.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
        "page": page.map(|page| page.to_string_lossy()),
        "report": case.report,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::gathered::sample;

    #[test]
    fn the_index_holds_every_bug_as_data_and_nothing_else_of_a_case() {
        let mut gathered = sample::gathered();
        gathered.bugs[0].case.report.push_str("</script><script>alert(1)</script>");
        let page = html(&gathered, Path::new(""));
        assert_eq!(page.matches("<script").count(), 2, "the data and the script");
        let data = page.split("id=\"data\">").nth(1).and_then(|rest| rest.split("</script>").next()).expect("data");
        let data: Value = serde_json::from_str(data).expect("JSON");
        assert_eq!(data["bugs"][0]["paths"], json!(["findings/a.case", "findings/b.case"]));
        assert!(data["bugs"][0]["report"].as_str().is_some_and(|report| report.ends_with("</script>")));
        assert_eq!(data["unread"], json!(["findings/c.case: cut off"]));
        for word in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "fetch(", "http"] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
    }
}
