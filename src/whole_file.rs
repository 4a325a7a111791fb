//! Files that are written whole or not at all, whoever looks meanwhile and whatever ends the process.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use tempfile::NamedTempFile;

/// Files under this name are being written. A `kill -9` may leave one, which is none of the directory's content.
pub const PARTIAL: &str = ".partial-";
/// Partial files older than this belong to nobody any more.
const STALE: Duration = Duration::from_secs(60);

/// Makes a directory to write to, if it is missing, and removes what was left half written there.
///
/// # Errors
/// It cannot be made or written to.
pub fn prepare(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    partial_in(directory)?;
    remove_stale(directory);
    Ok(())
}

/// Tries whether [`write_whole`] can write a file, so that a campaign is not in vain.
///
/// # Errors
/// It cannot; the error names the file.
pub fn can_write(path: &Path) -> Result<()> {
    ensure!(!path.is_dir(), "cannot write {}: it is a directory; name a file in it", path.display());
    if is_special(path) {
        return Ok(());
    }
    let named = || format!("cannot write {}; name a file in a directory that can be written to", path.display());
    partial_in(directory_of(path)).with_context(named)?;
    Ok(())
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether a device or a pipe is there, in whose place no file must come.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// Writes a file so that whoever looks, and whatever happens, sees it whole or not at all.
///
/// # Errors
/// The directory or the disk does not take it.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    write_at_once(path, content, true)
}

/// As [`write_whole`]; `lasts` if that must hold for a machine that stops as well.
///
/// # Errors
/// As [`write_whole`].
pub fn write_at_once(path: &Path, content: &[u8], lasts: bool) -> Result<()> {
    let directory = directory_of(path);
    let write = || -> Result<()> {
        if is_special(path) {
            return Ok(fs::OpenOptions::new().write(true).open(path)?.write_all(content)?);
        }
        let mut file = partial_in(directory)?;
        file.write_all(content)?;
        file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        if lasts {
            file.as_file().sync_all()?;
        }
        file.persist(path)?;
        // The new name is safe only once the directory is.
        if lasts {
            File::open(directory)?.sync_all()?;
        }
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

fn remove_stale(directory: &Path) {
    let is_stale = |entry: &fs::DirEntry| {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        entry.file_name().to_string_lossy().starts_with(PARTIAL)
            && modified.is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|age| age > STALE))
    };
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries.filter(is_stale) {
        // Another campaign may have removed it just now.
        let _ = fs::remove_file(entry.path());
    }
}

/// A file that is being written, and is removed on drop if it never gets another name.
fn partial_in(directory: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(PARTIAL).tempfile_in(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("a directory").flatten();
        entries.map(|entry| entry.file_name().into_string().expect("UTF-8")).collect()
    }

    #[test]
    fn writing_replaces_a_file_and_leaves_nothing_else_behind() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.case");
        write_whole(&path, b"one").expect("written");
        write_whole(&path, b"two").expect("written");
        assert_eq!(fs::read(&path).expect("readable"), b"two");
        assert_eq!(names(directory.path()), ["a.case"]);
    }

    #[test]
    fn what_was_left_half_written_is_removed_once_it_is_old_and_nothing_else_is() {
        let directory = tempfile::tempdir().expect("a directory");
        let old = SystemTime::now() - 2 * STALE;
        for (name, is_old) in
            [(format!("{PARTIAL}old"), true), (format!("{PARTIAL}new"), false), ("a.case".into(), true)]
        {
            let file = File::create(directory.path().join(name)).expect("made");
            if is_old {
                file.set_modified(old).expect("dated");
            }
        }
        prepare(directory.path()).expect("a directory");
        let mut left = names(directory.path());
        left.sort();
        assert_eq!(left, [format!("{PARTIAL}new"), "a.case".to_owned()]);
    }

    #[test]
    fn a_device_is_written_to_and_stays() {
        write_whole(Path::new("/dev/null"), b"one").expect("written");
        assert!(is_special(Path::new("/dev/null")));
    }

    #[test]
    fn a_place_that_cannot_be_written_is_an_error_that_names_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let error = can_write(directory.path()).expect_err("a directory is no file");
        assert!(error.to_string().contains("it is a directory; name a file in it"), "{error}");
        let missing = directory.path().join("missing/a.json");
        let error = can_write(&missing).expect_err("there is no such directory");
        assert!(error.to_string().contains("missing/a.json"), "{error}");
    }
}
