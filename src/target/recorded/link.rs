//! What a linker took, told apart by whether the compiler wrappers made it.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Compiled, LINKED, Linked, is_in, is_incomplete, section};
use crate::target::prebuilt::is_of_the_system;

/// Options of the linker that change which definition counts.
const KEPT: [&str; 2] = ["--wrap=", "--defsym="];

impl Linked {
    /// What was linked of these files, which the linker read, and of sources that were compiled at once, by a command of
    /// these words.
    #[must_use]
    pub fn of(files: &[PathBuf], compiled: Vec<Compiled>, words: &[String]) -> Self {
        let mut linked = Self { compiled, flags: flags(words), ..Self::default() };
        let mut seen = Vec::new();
        for file in files {
            // What the compiler made for the linker alone is gone by now.
            let Ok(file) = fs::canonicalize(file) else { continue };
            if seen.contains(&file) || is_of_the_system(&file) || is_text(&file) {
                continue;
            }
            if !is_in(&file) || is_incomplete(&file) {
                linked.prebuilt.push(file.clone());
            } else if section::is_elf(&file) && super::text_in(&file, LINKED).is_some() {
                linked.shared.push(file.clone());
            }
            seen.push(file);
        }
        linked
    }
}

/// Whether it is a script for the linker, which reads what that names as well.
fn is_text(file: &Path) -> bool {
    fs::read(file).is_ok_and(|bytes| !bytes.starts_with(b"\x7fELF") && !bytes.starts_with(b"!<"))
}

fn flags(words: &[String]) -> Vec<String> {
    let mut flags = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let options: Vec<&str> = match (word.as_str(), word.strip_prefix("-Wl,")) {
            ("-Xlinker", _) => words.next().map(String::as_str).into_iter().collect(),
            (_, Some(options)) => options.split(',').collect(),
            (word, None) => {
                flags.extend(word.starts_with("-stdlib=").then(|| word.to_owned()));
                continue;
            }
        };
        let kept = options.into_iter().filter(|option| KEPT.iter().any(|kept| option.starts_with(kept)));
        flags.extend(kept.map(|option| format!("-Wl,{option}")));
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_options_that_change_what_is_linked_are_kept() {
        let words = "-Wl,--wrap=malloc,-rpath,/x -Xlinker --defsym=a=b -lz -stdlib=libc++ -Wl,-z,now -O2";
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        assert_eq!(flags(&words), ["-Wl,--wrap=malloc", "-Wl,--defsym=a=b", "-stdlib=libc++"]);
    }
}
