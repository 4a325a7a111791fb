//! Interleavings as code flows: a flow for each thread, whose locations say in which order they were executed.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::{Physical, Text, artifact, text};
use crate::evidence::interleaving::read::Told;
use crate::report::sarif::Region;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeFlow {
    message: Text,
    thread_flows: Vec<ThreadFlow>,
}

#[derive(Serialize)]
struct ThreadFlow {
    id: String,
    locations: Vec<Reached>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reached {
    location: Location,
    /// The number of the step, which tells the order between threads.
    execution_order: usize,
    importance: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_location: Option<Physical>,
    message: Text,
}

/// The code flow of an interleaving; none if nothing is known of it.
pub fn of(told: &[Told], root: &Path) -> Vec<CodeFlow> {
    let mut threads: BTreeMap<u16, Vec<Reached>> = BTreeMap::new();
    for line in told {
        threads.entry(line.thread).or_default().push(reached(line, root));
    }
    if threads.is_empty() {
        return Vec::new();
    }
    let thread_flows = threads.into_iter().map(|(thread, locations)| {
        let id = if thread == 0 { "main".to_owned() } else { format!("thread {thread}") };
        ThreadFlow { id, locations }
    });
    vec![CodeFlow { message: text("the interleaving that fails"), thread_flows: thread_flows.collect() }]
}

fn reached(line: &Told, root: &Path) -> Reached {
    let physical_location = line.place.as_ref().map(|(file, number)| {
        let region = Region { start_line: (*number).max(1) };
        Physical { artifact_location: artifact(Path::new(file), root), region }
    });
    let said = match &line.mark {
        Some(why) => format!("{} ({why})", line.what),
        None => line.what.clone(),
    };
    let importance = match line.mark {
        Some(_) => "essential",
        None if line.switched => "important",
        None => "unimportant",
    };
    Reached { location: Location { physical_location, message: text(&said) }, execution_order: line.step, importance }
}
