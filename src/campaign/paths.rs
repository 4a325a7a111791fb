//! The files that paths on the command line name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::input::Input;

/// The cases named by the paths: files as they are, directories with every `*.case` and every input below them, in
/// order.
pub(super) fn cases_below(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let is_case = |path: &Path| path.extension().is_some_and(|extension| extension == "case");
    let cases = files_below(paths, |path| is_case(path) || Input::claimed_by_file(path))?;
    let named = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    ensure!(
        !cases.is_empty(),
        "nothing to replay: no *.case in {named}; record a case with `threadbare fuzz`, or name a directory that has some"
    );
    Ok(cases)
}

/// The files among the paths, whether `wanted` or not, and every wanted one below the directories among them; in order.
pub(super) fn files_below(paths: &[PathBuf], wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let metadata = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        if metadata.is_dir() { collect(path, &wanted, &mut files)? } else { files.push(path.clone()) }
    }
    Ok(files)
}

fn collect(directory: &Path, wanted: &impl Fn(&Path) -> bool, files: &mut Vec<PathBuf>) -> Result<()> {
    let read = || -> std::io::Result<Vec<(PathBuf, fs::FileType)>> {
        fs::read_dir(directory)?.map(|entry| entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))).collect()
    };
    // Nobody may ever write to a pipe.
    let is_file = |path: &Path| fs::metadata(path).is_ok_and(|data| data.is_file());
    let mut entries = read().with_context(|| format!("cannot read the directory {}", directory.display()))?;
    entries.sort_by(|(left, _), (right, _)| left.cmp(right));
    for (path, kind) in entries {
        // Links to directories are not followed: they may lead back here.
        if kind.is_dir() {
            collect(&path, wanted, files)?;
        } else if is_file(&path) && wanted(&path) {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_searched_in_order_for_cases_and_files_are_taken_as_they_are() {
        let root = tempfile::tempdir().expect("a directory");
        let path = |name: &str| root.path().join(name);
        fs::create_dir(path("b")).expect("a directory");
        for name in ["b/2.case", "b/1.case", "a.case", "note.txt"] {
            fs::write(path(name), "").expect("written");
        }
        let found = cases_below(&[root.path().to_owned(), path("note.txt")]).expect("cases");
        assert_eq!(found, ["a.case", "b/1.case", "b/2.case", "note.txt"].map(path));
    }

    #[test]
    fn nothing_to_replay_is_an_error_that_says_what_to_do() {
        let root = tempfile::tempdir().expect("a directory");
        let error = cases_below(&[root.path().to_owned()]).expect_err("nothing there").to_string();
        assert!(error.starts_with("nothing to replay") && error.contains("threadbare fuzz"), "{error}");
        let missing = cases_below(&[root.path().join("missing")]).expect_err("not there").to_string();
        assert!(missing.contains("missing"), "{missing}");
    }
}
