//! The files that a pattern stands for.
//!
//! The walk is our own because that of the crate `glob` panics at file names that are not UTF-8.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::document::plain;

/// Names that are looked at for one pattern: at most. A pattern such as `/**` would search the whole machine.
const MOST_NAMES: usize = 100_000;

/// As in a shell: hidden files are named by those who want them.
const AS_SHELLS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// One part of a pattern, between slashes.
enum Part {
    /// What it says.
    Name(String),
    /// Every name that matches.
    Matching(Pattern),
    /// Any number of directories, none of them hidden or behind a link: links may lead back.
    Directories,
}

/// Whether a path is a pattern.
pub fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// Regular files that match, sorted, as paths that are relative to `root` if the pattern is.
///
/// # Errors
/// It is no pattern, it matches more than `most` files, or a directory cannot be read.
pub fn files(root: &Path, pattern: &str, most: usize) -> Result<BTreeSet<PathBuf>, String> {
    files_among(MOST_NAMES, root, pattern, most)
}

/// As [`files`], where so many names may be looked at.
fn files_among(names_left: usize, root: &Path, pattern: &str, most: usize) -> Result<BTreeSet<PathBuf>, String> {
    let parts = parts(pattern)?;
    let mut todo = vec![(PathBuf::from(if pattern.starts_with('/') { "/" } else { "" }), 0)];
    // Two `**` lead to the same place in several ways.
    let mut reached = HashSet::new();
    let mut found = BTreeSet::new();
    let mut names_left = names_left;
    while let Some((path, at)) = todo.pop() {
        if !reached.insert((path.clone(), at)) {
            continue;
        }
        let absolute = root.join(&path);
        match parts.get(at) {
            None if absolute.is_file() => drop(found.insert(path)),
            None => {}
            Some(Part::Name(name)) if absolute.join(name).exists() => todo.push((path.join(name), at + 1)),
            Some(Part::Name(_)) => {}
            Some(Part::Matching(pattern)) => {
                let names = names(&absolute, &path, &mut names_left)?.into_iter().map(|entry| entry.file_name());
                let matching = names.filter(|name: &OsString| pattern.matches_with(&name.to_string_lossy(), AS_SHELLS));
                todo.extend(matching.map(|name| (path.join(name), at + 1)));
            }
            Some(Part::Directories) => {
                let is_plain = |entry: &DirEntry| {
                    entry.file_type().is_ok_and(|kind| kind.is_dir())
                        && !entry.file_name().as_encoded_bytes().starts_with(b".")
                };
                let entries = names(&absolute, &path, &mut names_left)?.into_iter().filter(is_plain);
                todo.extend(entries.map(|entry| (path.join(entry.file_name()), at)));
                todo.push((path, at + 1));
            }
        }
        if found.len() > most {
            return Err(format!("matches more than {most} files; narrow it"));
        }
    }
    Ok(found)
}

fn parts(pattern: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
        parts.push(match part {
            "**" => Part::Directories,
            part if is_pattern(part) => {
                Part::Matching(Pattern::new(part).map_err(|error| format!("no pattern: {}; correct it", error.msg))?)
            }
            part => Part::Name(part.to_owned()),
        });
    }
    // What ends with `**` means everything below.
    if matches!(parts.last(), Some(Part::Directories)) {
        parts.push(Part::Matching(Pattern::new("*").map_err(|error| error.to_string())?));
    }
    Ok(parts)
}

/// What is in the directory; nothing if it is none.
fn names(directory: &Path, shown: &Path, left: &mut usize) -> Result<Vec<DirEntry>, String> {
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let shown = if shown.as_os_str().is_empty() { Path::new(".") } else { shown };
    let cannot = |error| format!("the directory {} cannot be read: {error}", plain(&shown.display().to_string()));
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory).map_err(cannot)? {
        *left = left.checked_sub(1).ok_or("has too many files and directories to look at; narrow it")?;
        entries.push(entry.map_err(cannot)?);
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree(names: &[&[u8]]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory");
        for name in names {
            let path = directory.path().join(OsStr::from_bytes(name));
            fs::create_dir_all(path.parent().expect("below the root")).expect("made");
            fs::write(path, "").expect("written");
        }
        directory
    }

    fn found(root: &tempfile::TempDir, pattern: &str) -> Vec<String> {
        let files = files(root.path(), pattern, 9).expect(pattern);
        files.iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn a_star_stays_within_a_directory_and_two_go_below_it() {
        let root = tree(&[b"a.c", b"b/b.c", b"b/c/c.c", b"b/c/.d.c", b".e/e.c", b"b/c/f"]);
        for (pattern, files) in [
            ("*.c", vec!["a.c"]),
            ("./*/*.c", vec!["b/b.c"]),
            ("**/*.c", vec!["a.c", "b/b.c", "b/c/c.c"]),
            ("**/**/c/**/*.c", vec!["b/c/c.c"]),
            ("b/**/c.c", vec!["b/c/c.c"]),
            ("b/**", vec!["b/b.c", "b/c/c.c", "b/c/f"]),
            ("b/c/.*", vec!["b/c/.d.c"]),
            ("b/[a-c]*/?.c", vec!["b/c/c.c"]),
            ("b/../[!b].c", vec!["b/../a.c"]),
            ("a.c/*", vec![]),
            ("*/*/*/*", vec![]),
            ("nowhere/*", vec![]),
        ] {
            assert_eq!(found(&root, pattern), files, "{pattern}");
        }
    }

    #[test]
    fn links_are_taken_where_they_are_named_and_not_followed_by_two_stars() {
        let root = tree(&[b"a/a.c"]);
        symlink(".", root.path().join("a/again")).expect("linked");
        symlink("nowhere", root.path().join("a/none.c")).expect("linked");
        symlink("a.c", root.path().join("a/b.c")).expect("linked");
        assert_eq!(found(&root, "**/*.c"), ["a/a.c", "a/b.c"]);
        assert_eq!(found(&root, "a/*/a.c"), ["a/again/a.c"]);
    }

    #[test]
    fn a_name_that_is_not_utf_8_is_matched_like_any_other() {
        let root = tree(&[b"a.c", b"\xff.c", b"\xfe/b.c"]);
        assert_eq!(found(&root, "**/*.c"), ["a.c", "\u{fffd}/b.c", "\u{fffd}.c"]);
    }

    #[test]
    fn many_stars_take_no_time() {
        let root = tree(&[&[b'a'; 200], b"a/a/a/a/a/a/a/a/a/a/a/a"]);
        assert!(found(&root, &format!("{}b", "*a".repeat(1000))).is_empty());
        assert!(found(&root, &format!("{}b", "**/a/".repeat(400))).is_empty());
        assert!(found(&root, &format!("{}b", "**/*/".repeat(400))).is_empty());
    }

    #[test]
    fn a_search_of_more_names_than_allowed_is_refused() {
        let root = tree(&[b"a/1.c", b"a/2.c", b"a/3.c"]);
        let told = |names| files_among(names, root.path(), "**/3.c", 9);
        // `a` and what is in it.
        assert_eq!(told(4).expect("enough").len(), 1);
        assert_eq!(told(3), Err("has too many files and directories to look at; narrow it".to_owned()));
    }
}
