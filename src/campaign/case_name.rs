//! What the names of cases begin with.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::case::Workload;
use crate::digest::{BASIS, fnv1a};
use crate::target::bundled;

/// Keeps findings of different targets apart: a deadlock of one has the fingerprint of a deadlock of the other. Of a runtime
/// it is the name, which the bundled one does without. Of a program it ends with a digest of where the sources are, seen from
/// the findings, and of how they are built and run, but not of what is in them: a finding in a source that was edited
/// replaces the one before.
pub(super) fn prefix(workload: &Workload, runtime: &str, findings: &Path) -> String {
    let Workload::Check(check) = workload else {
        return if runtime == bundled::NAME { String::new() } else { format!("{runtime}-") };
    };
    let stem = check.sources.first().and_then(|source| source.file_stem()).unwrap_or_default();
    let sources = check
        .sources
        .iter()
        .map(|source| seen_from(findings, &check.directory.join(source)).into_os_string().into_encoded_bytes());
    let words = |part: &[String]| [part.len().to_string()].into_iter().chain(part.to_vec()).collect::<Vec<_>>();
    let injections: Vec<String> = check.injections.iter().map(|injection| injection.word().to_owned()).collect();
    let others =
        [words(&check.flags), words(&check.arguments), words(&injections), vec![check.points.word().to_owned()]];
    let others = others.into_iter().flatten().map(String::into_bytes);
    // Nothing that stands here has a zero in it.
    let digest = sources.chain(others).fold(BASIS, |hash, part| fnv1a(fnv1a(hash, &part), &[0]));
    let test = check.test.as_ref().map(|test| format!("-{}", in_a_file_name(&test.name))).unwrap_or_default();
    format!("{}{test}-{:08x}-", stem.to_string_lossy(), digest as u32)
}

/// A name of a test as far as it can be part of a file's: what it has else is told by the digest.
fn in_a_file_name(name: &str) -> String {
    const MOST: usize = 60;
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_') { letter } else { '-' };
    name.chars().take(MOST).map(plain).collect()
}

/// The way from a directory to a file, the same however both are named.
fn seen_from(directory: &Path, file: &Path) -> PathBuf {
    let canonical = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (directory, file) = (canonical(directory), canonical(file));
    let shared = directory.components().zip(file.components()).take_while(|(ours, its)| ours == its).count();
    let up = directory.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(file.components().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;
    use crate::task_graph::TaskGraph;

    #[test]
    fn findings_of_different_programs_have_different_names_and_those_of_one_the_same() {
        let root = tempfile::tempdir().expect("a directory");
        let place = |name: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(&path, name).expect("written");
            path.to_str().expect("UTF-8").to_owned()
        };
        let (a, b) = (place("a/main.c"), place("b/main.c"));
        let findings = root.path().join("findings");
        fs::create_dir(&findings).expect("made");
        let of = |source: &str, more: &str| {
            let text = format!("check sync\n  source \"{source}\"\n{more}  end\n");
            let mut lines = (1..).zip(text.lines());
            Workload::Check(crate::check::text::parse_lines(&mut lines).expect("a check"))
        };
        let name = |source: &str, more: &str| prefix(&of(source, more), check::RUNTIME, &findings);
        let known = name(&a, "");
        assert!(known.starts_with("main-") && known.len() == "main-01234567-".len(), "{known}");
        let second = format!("  source \"{b}\"\n");
        for (source, more) in [
            (&b, ""),
            (&a, "  flag \"3\"\n"),
            (&a, "  argument \"3\"\n"),
            (&a, "  inject spurious-wake-up\n"),
            (&a, &second),
        ] {
            assert_ne!(name(source, more), known, "{source} {more}");
        }
        fs::write(&a, "edited").expect("written");
        assert_eq!(name(&a.replace("/a/", "/b/../a/"), ""), known);
        assert_eq!(prefix(&TaskGraph::default().into(), bundled::NAME, &findings), "");
        assert_eq!(prefix(&TaskGraph::default().into(), "mine", &findings), "mine-");
    }

    #[test]
    fn the_way_to_a_file_is_the_same_wherever_both_are() {
        let root = tempfile::tempdir().expect("a directory");
        for tree in ["one", "two"] {
            let (findings, source) = (root.path().join(tree).join("findings"), root.path().join(tree).join("a.c"));
            fs::create_dir_all(&findings).expect("made");
            fs::write(&source, "").expect("written");
            assert_eq!(seen_from(&findings, &source), Path::new("../a.c"));
        }
    }
}
