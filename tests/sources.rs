//! One list of C++ sources serves cargo and CMake.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Compiled by cargo alone, against the header that cxx generates.
const BRIDGE: &str = "harness/bridge.cpp";

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn listed() -> BTreeSet<String> {
    let list = read("cpp/sources.txt");
    list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn the_list_names_every_source_of_the_subjects_and_the_harness() {
    let mut there = BTreeSet::new();
    for folder in ["harness", "harness/scenarios", "subjects"] {
        let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("cpp").join(folder)).expect(folder);
        for entry in entries {
            let name = entry.expect(folder).file_name().into_string().expect("UTF-8");
            if name.ends_with(".cpp") {
                there.insert(format!("{folder}/{name}"));
            }
        }
    }
    assert!(there.remove(BRIDGE));
    assert_eq!(listed(), there);
}

#[test]
fn cargo_and_cmake_take_their_sources_from_the_list_alone() {
    let (build, cmake) = (read("build.rs"), read("CMakeLists.txt"));
    assert!(build.contains("cpp/sources.txt") && cmake.contains("file(STRINGS cpp/sources.txt"));
    for source in listed() {
        assert!(!build.contains(&source) && !cmake.contains(&source), "{source} is named outside of the list");
    }
}

#[test]
fn every_fault_has_a_policy_a_source_and_a_row_in_the_catalogue() {
    let faults: BTreeSet<String> = threadbare::subject::faults().into_iter().map(|fault| fault.name).collect();
    let rows: BTreeSet<String> =
        threadbare::campaign::catalogue::CATALOGUE.iter().map(|entry| entry.name.to_owned()).collect();
    assert!(!faults.is_empty());
    assert_eq!(faults, rows);
    let sources: String = listed().iter().map(|source| read(&format!("cpp/{source}"))).collect();
    for fault in faults {
        let policy = format!("faults/{}.hpp", fault.replace('-', "_"));
        read(&format!("cpp/{policy}"));
        assert!(sources.contains(&format!("#include \"{policy}\"")), "{fault}");
    }
}
