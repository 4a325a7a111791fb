//! The C++ of the bundled runtime: what builds it, and its bugs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use threadbare::target::bundled::{BUGS, sources};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn names_in(folder: &str, ending: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
    names.filter_map(|name| name.strip_suffix(ending).map(str::to_owned)).collect()
}

#[test]
fn cmake_builds_the_sources_that_the_tool_builds() {
    let cmake = read("CMakeLists.txt");
    for source in sources(None).expect("known") {
        assert!(cmake.contains(&format!("cpp/{source}")), "{source}");
    }
}

#[test]
fn every_bug_has_a_policy_a_source_and_a_row_in_the_catalogue() {
    let bugs: BTreeSet<String> = BUGS.iter().map(|bug| bug.name.to_owned()).collect();
    let rows: BTreeSet<String> =
        threadbare::campaign::catalogue::CATALOGUE.iter().map(|entry| entry.name.to_owned()).collect();
    assert_eq!(bugs, rows);
    let files: BTreeSet<String> = bugs.iter().map(|bug| bug.replace('-', "_")).collect();
    assert_eq!(names_in("cpp/bugs", ".hpp"), files);
    assert_eq!(names_in("cpp/bugs", ".cpp"), files);
    for bug in &files {
        assert!(read(&format!("cpp/bugs/{bug}.cpp")).contains(&format!("#include \"bugs/{bug}.hpp\"")), "{bug}");
    }
}

#[test]
fn every_annotation_that_programs_are_linked_to_is_there() {
    let linked = read("cpp/target/wrapped_annotations.txt");
    let linked: BTreeSet<&str> = linked.lines().filter_map(|line| line.strip_prefix("--wrap=")).collect();
    let code = read("cpp/control/annotations.c");
    let after = |word| code.split(word).skip(2).filter_map(|rest| rest.split([',', ')']).next());
    // Those of the second kind are made by way of the first, whose macro has no name of its own.
    let defined = after("ANNOTATION(").chain(after("TOLD(")).filter(|name| *name != "name");
    // A macro makes those of a few sizes.
    let of_size = |name: &str| ["16", "32", "64"].map(|bits| name.replace("##bits", bits));
    let defined: BTreeSet<String> = defined.flat_map(of_size).collect();
    assert!(linked.len() > 100, "they are read");
    assert_eq!(linked, defined.iter().map(String::as_str).collect());
}
