//! Every SARIF file fits the schema that OASIS publishes.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::command::{CLEAN, FOUND, Workplace};

const SCHEMA: &str = include_str!("../schemas/sarif-2.1.0.json");

/// Two threads that may lose an update, in a file whose name is none that a URI could have.
const LOST_UPDATE: &str = r#"
#include <pthread.h>
#include <stdio.h>
static volatile int count;
static void *add(void *unused) { return ++count, unused; }
int main(void) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], 0, add, 0);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], 0);
  if (count != 2) return fprintf(stderr, "\"lost\" \033[1man update\n"), 1;
  return 0;
}
"#;

/// What of a value the schema does not allow, each with the place in it. Panics at a keyword that it does not know.
struct Schema(Value);

impl Schema {
    fn mistakes(&self, value: &Value) -> Vec<String> {
        let mut mistakes = Vec::new();
        self.check(&self.0, value, "", &mut mistakes);
        mistakes
    }

    fn allows(&self, schema: &Value, value: &Value) -> bool {
        let mut mistakes = Vec::new();
        self.check(schema, value, "", &mut mistakes);
        mistakes.is_empty()
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, mistakes: &mut Vec<String>) {
        let none = Map::new();
        let object = value.as_object();
        let items = value.as_array().map_or(&[][..], Vec::as_slice);
        let mut own = Vec::new();
        let mut wrong = |why: String| own.push(format!("{at}: {why}"));
        let keywords = schema.as_object().expect("a schema is an object");
        for (keyword, asked) in keywords {
            let number = || value.as_f64().zip(asked.as_f64());
            match keyword.as_str() {
                "$schema" | "$id" | "$comment" | "title" | "default" | "definitions" | "properties" => {}
                "$ref" => {
                    let name = asked.as_str().and_then(|name| name.strip_prefix('#')).expect("a name in the schema");
                    let of = self.0.pointer(name).unwrap_or_else(|| panic!("{name} is defined"));
                    self.check(of, value, at, mistakes);
                }
                "type" if is_of_type(value, asked) => {}
                "type" => wrong(format!("{value} is no {asked}")),
                "enum" if asked.as_array().is_some_and(|words| words.contains(value)) => {}
                "enum" => wrong(format!("{value} is none of {asked}")),
                "required" => {
                    let names = asked.as_array().expect("names").iter().filter_map(Value::as_str);
                    let missing = names.filter(|name| object.is_some_and(|object| !object.contains_key(*name)));
                    missing.for_each(|name| wrong(format!("{name} is missing")));
                }
                "minimum" if number().is_some_and(|(value, least)| value < least) => {
                    wrong(format!("{value} < {asked}"))
                }
                "maximum" if number().is_some_and(|(value, most)| value > most) => wrong(format!("{value} > {asked}")),
                "minimum" | "maximum" => {}
                "minItems" if value.is_array() && (items.len() as u64) < asked.as_u64().expect("a number") => {
                    wrong(format!("{} items are too few", items.len()));
                }
                "minItems" => {}
                "uniqueItems" => {
                    let different: BTreeSet<String> = items.iter().map(Value::to_string).collect();
                    if *asked == Value::Bool(true) && different.len() < items.len() {
                        wrong("an item is there twice".to_owned());
                    }
                }
                "pattern" => {
                    let text = value.as_str().unwrap_or_default();
                    // Of the schema's patterns only this one matters: threadbare writes no GUID and no language.
                    assert_eq!(asked, "[^/]+/.+", "a pattern that is not known");
                    if !text.split_once('/').is_some_and(|(before, after)| !before.is_empty() && !after.is_empty()) {
                        wrong(format!("{text} does not fit {asked}"));
                    }
                }
                "format" => {
                    let text = value.as_str().unwrap_or_default();
                    match asked.as_str() {
                        Some("uri" | "uri-reference") if is_uri_reference(text) => {}
                        Some("uri" | "uri-reference") => wrong(format!("{text} is no {asked}")),
                        _ => panic!("a format that is not known: {asked}"),
                    }
                }
                "anyOf" if asked.as_array().expect("schemas").iter().any(|one| self.allows(one, value)) => {}
                "oneOf"
                    if asked.as_array().expect("schemas").iter().filter(|one| self.allows(one, value)).count() == 1 => {
                }
                "anyOf" | "oneOf" => wrong(format!("{value} fits none of {asked}, or several")),
                "items" => {
                    for (number, item) in items.iter().enumerate() {
                        self.check(asked, item, &format!("{at}/{number}"), mistakes);
                    }
                }
                "additionalProperties" => {}
                _ => panic!("a keyword that is not known: {keyword}"),
            }
        }
        mistakes.extend(own);
        let named = keywords.get("properties").and_then(Value::as_object).unwrap_or(&none);
        for (name, value) in object.into_iter().flatten() {
            let at = format!("{at}/{name}");
            match (named.get(name), keywords.get("additionalProperties")) {
                (Some(schema), _) => self.check(schema, value, &at, mistakes),
                (None, Some(Value::Bool(false))) => mistakes.push(format!("{at}: there is no such property")),
                (None, Some(schema @ Value::Object(_))) => self.check(schema, value, &at, mistakes),
                (None, _) => {}
            }
        }
    }
}

fn is_of_type(value: &Value, asked: &Value) -> bool {
    match asked.as_str().unwrap_or_else(|| panic!("one type, not {asked}")) {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("a type that is not known: {other}"),
    }
}

/// Of the characters that RFC 3986 allows, everything else by percent-encoding.
fn is_uri_reference(text: &str) -> bool {
    let parts: Vec<&str> = text.split('%').collect();
    let is_encoded = |part: &&str| part.len() >= 2 && part.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    parts.iter().skip(1).all(is_encoded)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte))
}

fn schema() -> Schema {
    Schema(serde_json::from_str(SCHEMA).expect("JSON"))
}

#[track_caller]
fn fits(sarif: &Value, results: usize) {
    let mistakes = schema().mistakes(sarif);
    assert!(mistakes.is_empty(), "{mistakes:#?}");
    let found = sarif["runs"][0]["results"].as_array().expect("results").len();
    assert!(found >= results, "{found} results");
}

#[test]
fn what_check_fuzz_ci_and_report_write_fits_the_schema() {
    let place = Workplace::new();
    place.write("odd%dir/lost#é.c", LOST_UPDATE);
    place
        .run_in(".", "check --sanitizer none --executions 300 --seed 3 --sarif check.sarif", &["odd%dir/lost#é.c"])
        .left_with(FOUND);
    fits(&place.json("check.sarif"), 1);
    place.run("fuzz --bug lost-notify --executions 16 --sanitizer none --threads 2 --seed 6 --systems none --sarif fuzz.sarif").left_with(FOUND);
    fits(&place.json("fuzz.sarif"), 1);
    let of = "--budget 1s --sanitizer none --corpus none --executions 10";
    place.run(&format!("ci {of} --sarif ci.sarif"));
    fits(&place.json("ci.sarif"), 0);
    place.run("report --sarif report.sarif").left_with(CLEAN);
    let report = place.json("report.sarif");
    fits(&report, 2);
    assert!(report.to_string().contains("odd%25dir/lost%23%C3%A9.c"), "{report}");
}

#[test]
fn what_the_schema_does_not_allow_is_a_mistake() {
    let place = Workplace::new();
    place.write("wrong.c", "int main(void) { return 1; }\n");
    place.run("check wrong.c --sanitizer none --executions 10 --sarif out.sarif").left_with(FOUND);
    let right = place.json("out.sarif");
    fits(&right, 1);
    let spoilt: [(&str, Value); 6] = [
        ("/version", "2.2.0".into()),
        ("/runs/0/results/0/level", "fatal".into()),
        ("/runs/0/results/0/ruleIndex", (-2).into()),
        ("/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri", "a b".into()),
        ("/runs/0/results/0/message", Value::Object(Map::new())),
        ("/runs/0/tool", serde_json::json!({ "driver": { "name": "threadbare" }, "colour": "red" })),
    ];
    for (place, value) in spoilt {
        let mut wrong = right.clone();
        *wrong.pointer_mut(place).unwrap_or_else(|| panic!("{place} is there")) = value;
        assert_eq!(schema().mistakes(&wrong).len(), 1, "{place}: {:?}", schema().mistakes(&wrong));
    }
}
