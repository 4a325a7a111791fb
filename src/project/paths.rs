//! Paths of a project file: what is there, how it is called from the current directory, and what was meant.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::{fs, iter};

use anyhow::Result;

use super::document::plain;
use super::fields::Text;
use super::nearest::nearest;

/// Names of a directory that are looked at for the nearest.
const MOST_NAMES: usize = 10_000;

/// Where the file is and where its paths are used; both absolute and without links.
pub struct Place {
    /// The directory of the file.
    pub root: PathBuf,
    /// The current directory.
    pub here: PathBuf,
}

/// What a path has to lead to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    File,
    Directory,
    Either,
}

impl Wanted {
    fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Either => "file or directory",
        }
    }

    /// What the system has to call it.
    fn described(self) -> &'static str {
        match self {
            Self::File => "regular file",
            Self::Directory => "directory",
            Self::Either => "regular file or directory",
        }
    }

    fn admits(self, metadata: &fs::Metadata) -> bool {
        match self {
            Self::File => metadata.is_file(),
            Self::Directory => metadata.is_dir(),
            Self::Either => metadata.is_file() || metadata.is_dir(),
        }
    }
}

impl Place {
    /// The path as a program that runs in the current directory calls it: relative, unless the project is elsewhere.
    pub fn seen(&self, written: &Path) -> PathBuf {
        let absolute = self.absolute(written);
        let is_around = self.root.starts_with(&self.here) || self.here.starts_with(&self.root);
        if !is_around || (written.is_absolute() && !absolute.starts_with(&self.root)) {
            return absolute;
        }
        let both = iter::zip(absolute.components(), self.here.components());
        let common = both.take_while(|(left, right)| left == right).count();
        let up = iter::repeat_n(Component::ParentDir, self.here.components().count() - common);
        let path: PathBuf = up.chain(absolute.components().skip(common)).collect();
        match path.as_os_str().as_encoded_bytes().first() {
            None => PathBuf::from("."),
            // To a compiler that would be an option, or a file full of them.
            Some(b'-' | b'@') => Path::new(".").join(path),
            Some(_) => path,
        }
    }

    /// The path as it is seen from the directory of the file.
    pub fn inside(&self, written: &Path) -> PathBuf {
        Self { root: self.root.clone(), here: self.root.clone() }.seen(written)
    }

    /// The path from the root of the file system, without `.`, and without `..` where no link stands before it.
    fn absolute(&self, written: &Path) -> PathBuf {
        let mut path = PathBuf::new();
        for component in self.root.join(written).components() {
            match component {
                Component::CurDir => {}
                // The directory above a link is not the one above what it leads to, and none is above the root.
                Component::ParentDir if path.file_name().is_some() && !path.is_symlink() => drop(path.pop()),
                Component::ParentDir if path == Path::new("/") => {}
                component => path.push(component),
            }
        }
        path
    }

    /// As [`Place::seen`], of something that has to be there.
    ///
    /// # Errors
    /// It is not there, or is something else; the error names the nearest path.
    pub fn existing(&self, written: &Text<'_>, wanted: Wanted) -> Result<PathBuf> {
        let path = Path::new(written.text);
        let shown = plain(written.text);
        match fs::metadata(self.root.join(path)) {
            Ok(metadata) if wanted.admits(&metadata) => Ok(self.seen(path)),
            Ok(metadata) if metadata.is_dir() => {
                let below = path.join("*.c");
                let below = plain(&below.display().to_string());
                Err(written.error(format!("{shown}: a directory; name a file in it, or several, such as {below}")))
            }
            Ok(_) => Err(written.error(format!("{shown}: not a {}; name one", wanted.described()))),
            Err(error) if is_missing(&error) => {
                let next = match self.nearest(path, wanted) {
                    Some(right) => format!("did you mean {}?", plain(&right)),
                    None => "correct it; paths are relative to the directory of this file".to_owned(),
                };
                Err(written.error(format!("{shown}: no such {}; {next}", wanted.word())))
            }
            Err(error) => Err(written.error(format!("{shown}: cannot be read: {error}"))),
        }
    }

    /// The nearest path that exists: what is not there is taken to be misspelt.
    fn nearest(&self, written: &Path, wanted: Wanted) -> Option<String> {
        let mut found = PathBuf::new();
        let mut components = written.components().peekable();
        while let Some(component) = components.next() {
            let next = found.join(component);
            if self.root.join(&next).exists() {
                found = next;
                continue;
            }
            let wanted = if components.peek().is_some() { Wanted::Directory } else { wanted };
            let names = names(&self.root.join(&found), wanted);
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            found.push(nearest(component.as_os_str().to_str()?, &names)?);
        }
        // With all of its names there, it still may lead to something else.
        let metadata = fs::metadata(self.root.join(&found)).ok()?;
        if wanted.admits(&metadata) { found.to_str().map(str::to_owned) } else { None }
    }
}

/// Whether nothing is there.
pub fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The names in a directory of what is wanted; none if it cannot be read, since they only make an error better.
fn names(directory: &Path, wanted: Wanted) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let entries = entries.take(MOST_NAMES).flatten();
    let is_wanted = |path: &Path| fs::metadata(path).is_ok_and(|metadata| wanted.admits(&metadata));
    entries.filter(|entry| is_wanted(&entry.path())).filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(root: &str, here: &str, written: &str) -> String {
        Place { root: root.into(), here: here.into() }.seen(Path::new(written)).display().to_string()
    }

    #[test]
    fn a_path_is_called_as_it_is_seen_from_the_current_directory() {
        for (root, here, written, told) in [
            ("/p", "/p", "src/a.c", "src/a.c"),
            ("/p", "/p", "./src/../a.c", "a.c"),
            ("/p", "/p", ".", "."),
            ("/p", "/p", "../q/a.c", "../q/a.c"),
            ("/p", "/p/src", "src/a.c", "a.c"),
            ("/p", "/p/src", ".", ".."),
            ("/p", "/p/x/y", "src/a.c", "../../src/a.c"),
            ("/p/q", "/p", "src/a.c", "q/src/a.c"),
            ("/p", "/", "a.c", "p/a.c"),
            ("/", "/p", "../a.c", "../a.c"),
        ] {
            assert_eq!(seen(root, here, written), told, "{written} of {root} from {here}");
        }
    }

    #[test]
    fn a_path_of_a_project_elsewhere_and_a_system_path_are_absolute() {
        assert_eq!(seen("/p", "/q", "src/a.c"), "/p/src/a.c");
        assert_eq!(seen("/p", "/pq", "src/a.c"), "/p/src/a.c");
        assert_eq!(seen("/p", "/p", "/usr/include"), "/usr/include");
        assert_eq!(seen("/p", "/p", "/p/a.c"), "a.c");
    }

    #[test]
    fn a_name_that_a_compiler_would_take_for_an_option_keeps_its_directory() {
        assert_eq!(seen("/p", "/p", "./-o"), "./-o");
        assert_eq!(seen("/p", "/p", "@a.c"), "./@a.c");
        assert_eq!(seen("/p", "/p/x", "-o"), "../-o");
    }

    #[test]
    fn a_directory_above_a_link_is_left_to_the_system() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = fs::canonicalize(directory.path()).expect("it exists");
        fs::create_dir_all(root.join("far/away")).expect("made");
        fs::write(root.join("far/a.c"), "").expect("written");
        std::os::unix::fs::symlink("far/away", root.join("link")).expect("linked");
        let place = Place { root: root.clone(), here: root.clone() };
        let seen = place.seen(Path::new("link/../a.c"));
        assert_eq!(seen, Path::new("link/../a.c"));
        assert!(root.join(seen).is_file());
    }
}
