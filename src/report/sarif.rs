//! A run as SARIF 2.1.0, which code scanning reads: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>.

mod bugs;
mod flows;
mod rules;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::json::targets::kind;
use super::{findings, replays};
use crate::campaign::ci::{self, Summary};
use crate::campaign::findings::Finding;
use crate::campaign::plan;
use crate::campaign::replay::Replayed;
use crate::evidence::interleaving::read::{self, Told};
use crate::model::settings::{Engine, Sanitizer};
use crate::model::word;
use crate::oracle::sanitizer::Line;

use flows::CodeFlow;
use rules::Rule;

/// What paths are relative to.
const ROOT: &str = "%SRCROOT%";

/// The file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sarif {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: [Invocation; 1],
    original_uri_base_ids: BTreeMap<&'static str, Base>,
    column_kind: &'static str,
    results: Vec<Found>,
    /// Of what was explored.
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Properties>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
}

#[derive(Serialize)]
struct Base {
    description: Text,
}

/// What ran.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    seed: u64,
    engine: Engine,
    regressions: usize,
    #[serde(flatten)]
    explored: Explored,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Explored {
    /// The bundled runtime alone.
    Bundled(Ran),
    Project {
        targets: Vec<Target>,
    },
}

#[derive(Serialize)]
struct Target {
    name: String,
    kind: &'static str,
    /// Why nothing, or not everything, is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    shortfall: Option<String>,
    #[serde(flatten)]
    ran: Option<Ran>,
}

/// What was executed of a target.
#[derive(Serialize)]
struct Ran {
    executions: u64,
    /// Of a runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    task_graphs: Option<u64>,
    seconds: f64,
    interrupted: bool,
    cells: Vec<Cell>,
}

#[derive(Serialize)]
struct Cell {
    sanitizer: Sanitizer,
    /// Of a runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    threads: Option<u16>,
    executions: u64,
}

impl Ran {
    fn of(target: &ci::Explored) -> Option<Self> {
        let (summary, is_of_program) = (target.outcome.as_ref().ok()?, target.campaign.is_of_program());
        let cell = |cell: &plan::Cell| Cell {
            sanitizer: cell.sanitizer,
            threads: (!is_of_program).then_some(cell.threads),
            executions: cell.executions,
        };
        Some(Self {
            executions: summary.executions,
            task_graphs: (!is_of_program).then_some(summary.task_graphs),
            seconds: summary.seconds,
            interrupted: summary.interrupted,
            cells: summary.cells.iter().map(cell).collect(),
        })
    }
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    rule_id: String,
    rule_index: usize,
    level: &'static str,
    message: Text,
    /// The line of the target if one is known, else the case.
    locations: [Location; 1],
    /// The case.
    related_locations: [Location; 1],
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    occurrence_count: Option<u64>,
    /// What its threads did, if that is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    code_flows: Vec<CodeFlow>,
}

impl Found {
    fn with_flows(self, told: &[Told], root: &Path) -> Self {
        Self { code_flows: flows::of(told, root), ..self }
    }
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Physical,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
}

impl Sarif {
    /// What was found; `root` is the directory of the checkout, which the process runs in.
    #[must_use]
    pub fn new(summary: &Summary, root: &Path) -> Self {
        let is_alone = summary.of_bundled_alone().is_some();
        let regressions = summary.regressions.iter().filter(|case| ci::failed(case));
        let results = regressions.map(|case| of_regression(case, root));
        let found = summary.targets.iter().flat_map(|target| {
            let name = (!is_alone).then_some(target.name.as_str());
            target.findings().iter().map(move |finding| of_finding(finding, name, root))
        });
        let results = results.chain(found).collect();
        let properties = Properties {
            seed: summary.seed,
            engine: summary.engine,
            regressions: summary.regressions.iter().filter(|case| case.was_replayed()).count(),
            explored: explored(summary),
        };
        Self::of(results, summary.shortfall().is_none(), Some(properties))
    }

    fn of(results: Vec<Found>, execution_successful: bool, properties: Option<Properties>) -> Self {
        let base = Base { description: text("the directory that threadbare ran in, the root of the checkout") };
        let version = env!("CARGO_PKG_VERSION");
        let driver = Driver { name: "threadbare", semantic_version: version, rules: rules::all() };
        let run = Run {
            tool: Tool { driver },
            invocations: [Invocation { execution_successful }],
            original_uri_base_ids: BTreeMap::from([(ROOT, base)]),
            column_kind: "unicodeCodePoints",
            results,
            properties,
        };
        Self { schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] }
    }
}

fn explored(summary: &Summary) -> Explored {
    if let [bundled] = &summary.targets[..]
        && summary.of_bundled_alone().is_some()
        && let Some(ran) = Ran::of(bundled)
    {
        return Explored::Bundled(ran);
    }
    let target = |target: &ci::Explored| Target {
        name: target.name.clone(),
        kind: kind(target.campaign.is_of_program()),
        shortfall: target.shortfall(),
        ran: Ran::of(target),
    };
    Explored::Project { targets: summary.targets.iter().map(target).collect() }
}

/// A finding, in the target of this name if there are several: what they find may look the same.
fn of_finding(finding: &Finding, target: Option<&str>, root: &Path) -> Found {
    let of =
        |between: &str, text: &str| target.map_or_else(|| text.to_owned(), |name| format!("{name}{between}{text}"));
    let said = of(": ", &findings::text(finding));
    let line = Line::named_in(&finding.failure.message).or_else(|| Line::named_in(&finding.report));
    let rule = word(&finding.failure.verdict);
    let found = found(rule, said, &finding.path, line, of(":", &finding.fingerprint), Some(finding.count), root);
    found.with_flows(&read::told(&finding.report), root)
}

fn of_regression(case: &Replayed, root: &Path) -> Found {
    // Each case is a result of its own, whatever shares its cause.
    let fingerprint = format!("{}:{}", case.path.display(), case.case.fingerprint);
    found(rules::REGRESSION.to_owned(), replays::line(case), &case.path, None, fingerprint, None, root)
}

fn found(
    rule_id: String,
    message: String,
    case: &Path,
    line: Option<Line>,
    fingerprint: String,
    occurrence_count: Option<u64>,
    root: &Path,
) -> Found {
    let case = location(case, 1, root);
    let place = line.map(|line| location(Path::new(&line.file), line.number, root));
    Found {
        rule_index: rules::index_of(&rule_id),
        rule_id,
        level: "error",
        message: text(&message),
        locations: [place.unwrap_or_else(|| case.clone())],
        related_locations: [case],
        partial_fingerprints: BTreeMap::from([("threadbare/v1", fingerprint)]),
        occurrence_count,
        code_flows: Vec::new(),
    }
}

fn location(path: &Path, line: u32, root: &Path) -> Location {
    let region = Region { start_line: line };
    Location { physical_location: Physical { artifact_location: artifact(path, root), region } }
}

/// A path relative to the root where it lies below it, else as it is.
fn artifact(path: &Path, root: &Path) -> Artifact {
    let mut whole = PathBuf::new();
    for part in root.join(path).components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                whole.pop();
            }
            part => whole.push(part),
        }
    }
    match whole.strip_prefix(root) {
        Ok(relative) => Artifact { uri: encoded(relative), uri_base_id: Some(ROOT) },
        Err(_) => Artifact { uri: format!("file://{}", encoded(&whole)), uri_base_id: None },
    }
}

/// A path with all that has a meaning in URIs as `%XX`.
fn encoded(path: &Path) -> String {
    let mut uri = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(*byte)),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

fn text(text: &str) -> Text {
    Text { text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::campaign::sample;

    fn run_of(summary: &Summary) -> Value {
        let sarif = serde_json::to_value(Sarif::new(summary, Path::new("/checkout"))).expect("JSON");
        assert_eq!(sarif["version"], "2.1.0");
        sarif["runs"][0].clone()
    }

    #[test]
    fn a_finding_is_a_result_at_the_line_that_its_report_names_with_its_case_beside() {
        let run = run_of(&sample::summary());
        let result = &run["results"][1];
        assert_eq!(result["ruleId"], "data-race");
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], "data-race");
        assert_eq!(
            result["locations"],
            json!([{"physicalLocation": {
                "artifactLocation": {"uri": "cpp/ring.hpp", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 12},
            }}])
        );
        let case = &result["relatedLocations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!(case["uri"], "findings/data-race-0123456789abcdef.case");
        assert_eq!(result["partialFingerprints"], json!({"threadbare/v1": "0123456789abcdef"}));
        assert_eq!(result["occurrenceCount"], 5);
        assert!(result["message"]["text"].as_str().is_some_and(|text| text.contains("threadbare replay findings/")));
    }

    #[test]
    fn a_finding_whose_report_names_no_line_is_at_its_case() {
        let mut summary = sample::summary();
        sample::fuzz_of(&mut summary).findings[0].report = "lost-wakeup: stuck".to_owned();
        let result = &run_of(&summary)["results"][1];
        assert_eq!(result["locations"], result["relatedLocations"]);
    }

    #[test]
    fn a_regression_is_a_result_only_if_it_did_not_do_what_it_promises() {
        let run = run_of(&sample::summary());
        assert_eq!(run["results"].as_array().map(Vec::len), Some(2));
        let result = &run["results"][0];
        assert_eq!(result["ruleId"], "regression");
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(place, "corpus/gone.case");
        assert_eq!(result["partialFingerprints"]["threadbare/v1"], "corpus/gone.case:fedcba9876543210");
    }

    #[test]
    fn the_run_says_what_was_executed() {
        let mut summary = sample::summary();
        let run = run_of(&summary);
        assert_eq!(run["invocations"][0]["executionSuccessful"], true);
        assert_eq!(run["properties"]["regressions"], 2);
        assert_eq!(run["properties"]["cells"][2], json!({"sanitizer": "thread", "threads": 1, "executions": 10}));
        sample::fuzz_of(&mut summary).executions = 0;
        assert_eq!(run_of(&summary)["invocations"][0]["executionSuccessful"], false);
    }

    #[test]
    fn results_of_a_project_name_their_target_and_every_target_is_accounted_for() {
        let run = run_of(&sample::project());
        assert_eq!(run["invocations"][0]["executionSuccessful"], false);
        let result = &run["results"][2];
        assert!(result["message"]["text"].as_str().is_some_and(|text| text.starts_with("counter: data-race (")));
        assert_eq!(result["partialFingerprints"]["threadbare/v1"], "counter:0123456789abcdef");
        let targets = &run["properties"]["targets"];
        assert_eq!((&targets[0]["name"], &targets[0]["task_graphs"]), (&json!("mine"), &json!(2)));
        assert_eq!(targets[1]["cells"], json!([{"sanitizer": "none", "executions": 20}]));
        let broken = json!({"name": "broken", "kind": "program", "shortfall": "broken does not compile"});
        assert_eq!(targets[2], broken);
    }

    fn uri(path: &str) -> (String, bool) {
        let Artifact { uri, uri_base_id } = artifact(Path::new(path), Path::new("/home/me/project"));
        (uri, uri_base_id.is_some())
    }

    #[test]
    fn paths_below_the_root_are_relative_to_it_and_others_are_whole() {
        let cases = [
            ("findings/a.case", "findings/a.case", true),
            ("./findings/../a.case", "a.case", true),
            ("/home/me/project/cpp/ring.hpp", "cpp/ring.hpp", true),
            ("/home/me/project/cpp/x/../ring.hpp", "cpp/ring.hpp", true),
            ("/usr/include/a.hpp", "file:///usr/include/a.hpp", false),
            ("../other/a.hpp", "file:///home/me/other/a.hpp", false),
            ("a b/ü#1.case", "a%20b/%C3%BC%231.case", true),
        ];
        for (path, expected, relative) in cases {
            assert_eq!(uri(path), (expected.to_owned(), relative), "{path}");
        }
    }
}
