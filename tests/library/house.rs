//! The layers of ARCHITECTURE.md: a module imports from those below it, and from no other.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From the top to the bottom.
const CONTROL: [&[&str]; 4] = [
    &["session"],
    &["hooks", "record"],
    // What ties the decisions to what carries them out.
    &["active", "debugger", "engine", "fibers", "os_threads"],
    &[
        "alone",
        "backtrace",
        "controller",
        "directory",
        "fairness",
        "files",
        "image",
        "log",
        "memory",
        "novelty",
        "order",
        "patience",
        "race_report",
        "races",
        "real",
        "sanitizer",
        "simulator",
        "stack",
        "state",
        "virtual_thread",
    ],
];

/// From the top to the bottom.
const LAYERS: [&str; 28] = [
    "cli",
    "wrapper",
    "report",
    "fuzzing",
    "campaign",
    "project",
    "evidence",
    "input",
    "case",
    "check",
    "control",
    "oracle",
    "target",
    "runtime",
    "feedback",
    "strategy",
    "reference",
    "task_graph",
    "scratch",
    "whole_file",
    "protocol",
    "process",
    "terminal",
    "regular",
    "model",
    "digest",
    "number",
    "allocator",
];

fn source_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            source_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The code of a file without comments and without its unit tests, which stand at its end.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source");
    let lines = text.lines().take_while(|line| *line != "mod tests {");
    lines.map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The names after each `prefix`.
fn imports<'a>(code: &'a str, prefix: &str) -> BTreeSet<&'a str> {
    code.split(prefix)
        .skip(1)
        .map(|rest| rest.split(|letter: char| letter != '_' && !letter.is_alphanumeric()).next().unwrap_or_default())
        .collect()
}

#[test]
fn modules_import_only_from_those_below_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    source_files(&root, &mut files);
    assert!(files.len() > 200, "the sources are here");
    let place = |module: &str| LAYERS.iter().position(|layer| *layer == module);
    let mut wrong = Vec::new();
    let mut imported = 0;
    for file in files {
        let relative = file.strip_prefix(&root).expect("below src").to_string_lossy().into_owned();
        let module = relative.split(['/', '.']).next().expect("a name").to_owned();
        if module == "lib" || module == "main" || relative.ends_with("tests.rs") {
            continue;
        }
        let own = place(&module).unwrap_or_else(|| panic!("{module} has no layer: add it to LAYERS"));
        let code = code(&file);
        assert!(
            !code.contains("crate::{"),
            "{relative}: one `use crate::…` for each module, so that this test sees it"
        );
        for import in imports(&code, "crate::") {
            imported += 1;
            match place(import) {
                Some(there) if there >= own => {}
                Some(_) => wrong.push(format!("{relative} imports {import}, which is above {module}")),
                None => wrong.push(format!("{relative} imports {import}, which has no layer")),
            }
        }
    }
    assert!(imported > 300, "imports are seen");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_controller_and_what_primitives_remember_know_no_hook() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/control");
    let mut files = Vec::new();
    source_files(&root, &mut files);
    let place = |module: &str| CONTROL.iter().position(|layer| layer.contains(&module));
    let mut wrong = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&root).expect("below control").to_string_lossy().into_owned();
        let module = relative.split(['/', '.']).next().expect("a name");
        if module == "libfuzzer" {
            continue;
        }
        let own = place(module).unwrap_or_else(|| panic!("control::{module} has no layer: add it to CONTROL"));
        let code = code(&file);
        let mut imported = imports(&code, "crate::control::");
        if !relative.contains('/') {
            imported.extend(imports(&code, "super::"));
        }
        let above = imported.into_iter().filter(|import| place(import).is_some_and(|there| there < own));
        wrong.extend(above.map(|import| format!("control/{relative} imports {import}, which is above {module}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
