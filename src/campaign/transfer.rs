//! What goes into a corpus from files, and out of it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use super::corpus::Corpus;
use super::paths::files_below;
use crate::case::{Case, Workload};
use crate::input::Input;
use crate::model::settings::Sanitizer;
use crate::reference::trial::can_get_stuck;
use crate::whole_file::write_at_once;

/// What an exported file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The bytes of the input.
    Input,
    /// The task graph as text, with the number of threads and the seed of its schedule. Its choices have no place
    /// there.
    Case,
}

/// What became of the files.
#[derive(Debug, Default)]
pub struct Imported {
    pub added: u64,
    /// Inputs that were there.
    pub known: u64,
    /// Files that hold nothing to add, and why.
    pub refused: Vec<(PathBuf, String)>,
}

/// Adds the inputs in files and, to any depth, in directories. Of a case, its task graph.
///
/// # Errors
/// A path does not exist, or the corpus cannot be written.
pub fn import(corpus: &mut Corpus, paths: &[PathBuf]) -> Result<Imported> {
    let mut imported = Imported::default();
    for path in files_below(paths, |_| true)? {
        match input_of(&path) {
            Ok(input) if corpus.extend([&input])? > 0 => imported.added += 1,
            Ok(_) => imported.known += 1,
            Err(why) => imported.refused.push((path, format!("{:#}", why.root_cause()))),
        }
    }
    Ok(imported)
}

/// Writes every input to a directory, which is made if it is missing; how many.
///
/// # Errors
/// A file cannot be written.
pub fn export(corpus: &Corpus, directory: &Path, format: Format) -> Result<u64> {
    fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let mut written = 0;
    for (name, bytes) in corpus.iter() {
        // Whole, but not one by one through to the disk: they are thousands, and the corpus is still there.
        match format {
            Format::Input => write_at_once(&directory.join(name), bytes, false)?,
            Format::Case => {
                let (case, _) = Input::decode(bytes).context("a corpus holds inputs")?.into_case(None, Sanitizer::None);
                write_at_once(&directory.join(format!("{name}.case")), case.to_string().as_bytes(), false)?;
            }
        }
        written += 1;
    }
    Ok(written)
}

fn input_of(path: &Path) -> Result<Input> {
    let input = read(path)?;
    ensure!(
        !can_get_stuck(&input.graph),
        "its task graph can get stuck whatever the runtime does, so every campaign would report it"
    );
    Ok(input)
}

fn read(path: &Path) -> Result<Input> {
    if let Some(input) = Input::read(path)? {
        return Ok(input);
    }
    let case = Case::read(path)?;
    match case.workload {
        Workload::TaskGraph(graph) => {
            let Case { settings, .. } = case;
            Ok(Input { threads: settings.threads, seed: settings.seed, graph, choices: Vec::new() })
        }
        Workload::Check(_) => anyhow::bail!("a check has no task graph that could be mutated"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Mutator;
    use crate::task_graph::Shape;

    #[test]
    fn what_was_exported_is_the_same_once_it_is_imported() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = |name: &str| directory.path().join(name);
        let mutator = Mutator::new(2, Shape::of_size(3));
        let mut corpus = Corpus::open(&place("corpus")).expect("a corpus");
        corpus.extend(&[mutator.fresh(1), mutator.fresh(2)]).expect("written");
        for (format, name) in [(Format::Input, "inputs"), (Format::Case, "cases")] {
            assert_eq!(export(&corpus, &place(name), format).expect("written"), 2);
            let mut other = Corpus::open(&place(&format!("of-{name}"))).expect("a corpus");
            let imported = import(&mut other, &[place(name), place(name)]).expect("read");
            assert_eq!((imported.added, imported.known, imported.refused.len()), (2, 2, 0));
            assert!(corpus.iter().eq(other.iter()), "fresh inputs have no choices, so nothing is lost");
        }
    }

    #[test]
    fn other_files_are_refused_one_by_one() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("notes"), "noise").expect("written");
        let mut corpus = Corpus::open(&directory.path().join("corpus")).expect("a corpus");
        let imported = import(&mut corpus, &[directory.path().join("notes")]).expect("read");
        assert_eq!(imported.refused.len(), 1);
        assert!(import(&mut corpus, &[directory.path().join("missing")]).is_err());
    }
}
