//! The lines of the sources that a page shows, as far as they are the project's.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::regular;

/// Bytes of source in a page: at most.
const MOST: usize = 400_000;
/// Bytes of a file that lines are taken from.
const LARGEST: u64 = 4 << 20;
/// Lines shown before and after those that were executed.
const AROUND: u32 = 80;

/// Where files may be read for a page. What debug information names may lie anywhere, and a page is passed on.
pub struct Sources {
    roots: Vec<PathBuf>,
    left: usize,
}

/// Lines that follow each other, from that one on.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Part(u32, String);

impl Sources {
    /// Those below these directories; one that is not there holds none.
    pub fn below(roots: impl IntoIterator<Item = PathBuf>) -> Self {
        let roots = roots.into_iter().filter_map(|root| fs::canonicalize(root).ok()).collect();
        Self { roots, left: MOST }
    }

    /// Takes the lines of a file that are wanted, with those around them; nothing if it is not to be shown.
    pub fn take(&mut self, file: &str, wanted: &BTreeSet<u32>) -> Vec<Part> {
        let Some(text) = self.read(Path::new(file)) else { return Vec::new() };
        let parts = parts(&text, wanted);
        let size = parts.iter().map(|Part(_, text)| text.len()).sum();
        match self.left.checked_sub(size) {
            Some(left) => {
                self.left = left;
                parts
            }
            None => Vec::new(),
        }
    }

    /// Debug information names files as the compiler was given them, relative to wherever that ran.
    fn read(&self, file: &Path) -> Option<String> {
        let places = self.roots.iter().map(|root| root.join(file));
        let whole = places.filter_map(|place| fs::canonicalize(place).ok());
        let own = whole.filter(|whole| self.roots.iter().any(|root| whole.starts_with(root)));
        let bytes = own.filter_map(|whole| regular::read(&whole, LARGEST).ok()).next()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn parts(text: &str, wanted: &BTreeSet<u32>) -> Vec<Part> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for line in wanted {
        let (first, last) = (line.saturating_sub(AROUND).max(1), line.saturating_add(AROUND));
        match ranges.last_mut() {
            Some(range) if first <= range.1 + 1 => range.1 = last,
            _ => ranges.push((first, last)),
        }
    }
    let lines: Vec<&str> = text.lines().collect();
    let part = |(first, last): (u32, u32)| {
        let shown = lines.get(first as usize - 1..lines.len().min(last as usize))?;
        (!shown.is_empty()).then(|| Part(first, shown.join("\n")))
    };
    ranges.into_iter().filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_around_those_that_were_executed_are_taken_together() {
        let text: String = (1..=1000).map(|line| format!("line {line}\n")).collect();
        let parts = parts(&text, &BTreeSet::from([10, 100, 900, 5000]));
        let ends: Vec<(u32, usize)> = parts.iter().map(|Part(first, text)| (*first, text.lines().count())).collect();
        assert_eq!(ends, [(1, 180), (820, 161)]);
        assert!(parts[1].1.starts_with("line 820\n"));
        assert_eq!(super::parts("", &BTreeSet::from([1])), []);
    }

    #[test]
    fn only_files_of_the_project_are_shown_whatever_leads_there() {
        let (project, elsewhere) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("another"));
        let secret = elsewhere.path().join("secret");
        fs::write(&secret, "password\n").expect("written");
        fs::write(project.path().join("a.c"), "int x;\n").expect("written");
        std::os::unix::fs::symlink(&secret, project.path().join("link.c")).expect("made");
        let mut sources = Sources::below([project.path().to_owned(), PathBuf::from("/nowhere/at/all")]);
        let mut shown = |path: PathBuf| !sources.take(&path.to_string_lossy(), &BTreeSet::from([1])).is_empty();
        assert!(shown(project.path().join("a.c")) && shown("./a.c".into()));
        assert!(!shown(secret.clone()) && !shown(project.path().join("link.c")));
        assert!(!shown(project.path().join("../").join(secret)), "however it is written");
        assert!(!shown(project.path().to_owned()), "a directory");
    }
}
