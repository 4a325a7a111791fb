//! The sources of a target: files by name or by pattern, and the language of each.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::document::{plain, quoted};
use super::fields::{Field, Text, distinct};
use super::nearest::nearest;
use super::paths::{Place, Wanted};
use super::{keys, pattern};
use crate::check::MAX_SOURCES;
use crate::target::{Language, inputs};

/// The files in the order in which they are listed; those of a pattern are sorted.
pub fn sources(field: &Field<'_>, place: &Place) -> Result<Vec<PathBuf>> {
    let mut sources = Vec::new();
    for written in field.some(field.texts()?)? {
        for path in files(&written, place)? {
            let shown = plain(&path.display().to_string());
            if path.to_str().is_none() {
                return Err(written.error(format!("{shown}: the path is not UTF-8, so no case can hold it; rename it")));
            }
            if Language::of(&path).is_none() && !inputs::is_linkable(&path) {
                let what = "neither C nor C++ by its name, nor an object, archive or shared library; name files that end in .c or .cpp";
                return Err(written.error(format!("{shown}: {what}")));
            }
            sources.push(path);
        }
        // Here, and not at the end: a pattern may stand for very many.
        sources = distinct(sources.into_iter().map(Ok))?;
        if sources.len() > MAX_SOURCES {
            return Err(written.error(format!("more than {MAX_SOURCES} sources with this one; name fewer")));
        }
    }
    Ok(sources)
}

fn files(written: &Text<'_>, place: &Place) -> Result<Vec<PathBuf>> {
    if !pattern::is_pattern(written.text) || place.root.join(written.text).exists() {
        place.existing(written, Wanted::File)?;
        return Ok(vec![place.inside(Path::new(written.text))]);
    }
    let files = pattern::files(&place.root, written.text, MAX_SOURCES);
    let files = files.and_then(|files| match files.len() {
        0 => Err("matches no file; correct it, relative to the directory of this file, or leave it out".to_owned()),
        _ => Ok(files),
    });
    let files = files.map_err(|what| written.error(format!("{}: {what}", plain(written.text))))?;
    Ok(files.iter().map(|path| place.inside(path)).collect())
}

/// A standard that all of the sources can be compiled with.
pub fn standard(written: &Text<'_>, sources: &[PathBuf]) -> Result<String> {
    let word = written.text;
    let Some(language) =
        [Language::Cpp, Language::C].into_iter().find(|of| keys::standards(*of).contains(&word.to_owned()))
    else {
        let known = [keys::standards(Language::Cpp), keys::standards(Language::C)].concat();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let right = match nearest(word.strip_prefix("-std=").unwrap_or(word), &known) {
            Some(right) => format!("did you mean `{right}`?"),
            None => "write one as after -std=, such as c++20 or c17".to_owned(),
        };
        return Err(written.error(format!("{} is no standard; {right}", quoted(word))));
    };
    match sources.iter().find(|source| Language::of(source).is_some_and(|of| of != language)) {
        None => Ok(word.to_owned()),
        Some(source) => {
            let (source, language) = (plain(&source.display().to_string()), language.word());
            Err(written.error(format!(
                "`{word}` is a standard of {language}, which {source} by its name is not; choose another, or leave out \
                 `standard`"
            )))
        }
    }
}
