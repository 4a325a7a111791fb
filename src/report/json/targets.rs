//! Targets by name and what came of each: `ci --json`, and `check --json` of all programs of a project.

use serde::Serialize;

use super::{Explored, Replay};
use crate::campaign::ci::{self, Summary};

/// A target of a project file.
#[derive(Serialize)]
pub struct Named {
    name: String,
    kind: &'static str,
    /// Why nothing, or not everything, is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    shortfall: Option<String>,
    /// Of a runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    fuzz: Option<Explored>,
    /// Of a program.
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<Explored>,
}

impl Named {
    fn new(target: &ci::Explored) -> Self {
        let is_of_program = target.campaign.is_of_program();
        let fuzz = target.explored().filter(|_| !is_of_program).map(Explored::new);
        let check = target.explored().filter(|_| is_of_program).map(Explored::new);
        Self { name: target.name.clone(), kind: kind(is_of_program), shortfall: target.shortfall(), fuzz, check }
    }
}

/// What the project file calls it.
pub(in crate::report) fn kind(is_program: bool) -> &'static str {
    if is_program { "program" } else { "runtime" }
}

/// `check --json` of all programs.
#[derive(Serialize)]
pub struct Targets {
    targets: Vec<Named>,
}

impl Targets {
    #[must_use]
    pub fn new(targets: &[ci::Explored]) -> Self {
        Self { targets: targets.iter().map(Named::new).collect() }
    }
}

/// `ci --json`.
#[derive(Serialize)]
pub struct Ci {
    regressions: Replay,
    /// Cases of sanitizers that were not asked for.
    left_out: usize,
    #[serde(flatten)]
    explored: Results,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Results {
    /// Of the bundled runtime alone.
    Bundled {
        fuzz: Box<Explored>,
    },
    Project(Targets),
}

impl Ci {
    #[must_use]
    pub fn new(summary: &Summary) -> Self {
        let missing = summary.regressions.iter().filter(|case| !case.was_replayed()).count();
        let explored = match summary.of_bundled_alone() {
            Some(fuzz) => Results::Bundled { fuzz: Box::new(Explored::new((fuzz, &summary.targets[0].campaign))) },
            None => Results::Project(Targets::new(&summary.targets)),
        };
        Self {
            regressions: Replay::new(&summary.regressions, missing as u64, &summary.refused),
            left_out: summary.left_out.len(),
            explored,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::campaign::sample;

    fn written(summary: &Summary) -> Value {
        serde_json::to_value(Ci::new(summary)).expect("JSON")
    }

    #[test]
    fn the_bundled_runtime_alone_is_told_without_a_name() {
        let ci = written(&sample::summary());
        assert_eq!(ci["fuzz"]["executions"], 30);
        assert_eq!(ci.get("targets"), None);
    }

    #[test]
    fn every_target_of_a_project_is_told_by_its_name() {
        let ci = written(&sample::project());
        assert_eq!(ci.get("fuzz"), None);
        let [mine, counter, broken] = &ci["targets"].as_array().expect("a list")[..] else { panic!("three targets") };
        assert_eq!(
            (&mine["name"], &mine["kind"], &mine["fuzz"]["executions"]),
            (&json!("mine"), &json!("runtime"), &json!(30))
        );
        assert_eq!((&counter["kind"], &counter["check"]["findings"][0]["execution"]), (&json!("program"), &json!(5)));
        let expected = json!({"name": "broken", "kind": "program", "shortfall": "broken does not compile"});
        assert_eq!(*broken, expected);
    }
}
