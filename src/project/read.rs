//! Turns the tables of a project file into defaults and targets.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use toml::de::{DeTable, DeValue};

use super::document::{Document, plain, quoted};
use super::fields::{Choices, Field, Fields, Text, in_order, type_of};
use super::keys::{self, Table};
use super::nearest::nearest;
use super::paths::{Place, Wanted};
use super::sources::{sources, standard};
use super::{Defaults, Entry, Kind};
use crate::check;
use crate::check::framework::EachTest;
use crate::model::schedule::Injection;
use crate::model::settings::{MAX_JOBS, MAX_THREADS, MemoryModel, NoStrategy, Races, Sanitizer, StrategyName};
use crate::model::word;
use crate::target::Points;
use crate::target::bundled;

/// Characters of a target's name: at most.
const LONGEST_NAME: usize = 64;

const SANITIZERS: Choices<'_, Sanitizer> = Choices {
    what: "sanitizer",
    values: &[Sanitizer::None, Sanitizer::Thread, Sanitizer::Address],
    word: word::<Sanitizer>,
};
const POINTS: Choices<'_, Points> =
    Choices { what: "choice of points", values: &Points::ALL, word: |points| points.word().to_owned() };
const MEMORIES: Choices<'_, MemoryModel> =
    Choices { what: "memory model", values: &MemoryModel::ALL, word: |memory| memory.word().to_owned() };
const RACES: Choices<'_, Races> = Choices { what: "choice of races", values: &Races::ALL, word: word::<Races> };
const INJECTIONS: Choices<'_, Injection> =
    Choices { what: "injection", values: &check::INJECTIONS, word: |injection| injection.word().to_owned() };

pub fn read(document: &Document, place: &Place) -> Result<(Defaults, Vec<Entry>)> {
    let tables = document.parse()?;
    let reader = Reader { document, place };
    let mut defaults = Defaults::default();
    let mut targets = Vec::new();
    for (key, value) in in_order(&tables) {
        let name = key.get_ref().as_ref();
        let Some(table) = Table::ALL.into_iter().find(|table| table.word() == name) else {
            return Err(document.error(&key.span(), unknown_table(name, value.get_ref())));
        };
        let DeValue::Table(content) = value.get_ref() else {
            let is = type_of(value.get_ref());
            return Err(document.error(&key.span(), format!("`{name}` is {is}; write a table, {table}")));
        };
        match table {
            Table::Defaults => defaults = reader.defaults(content)?,
            Table::Program => reader.targets(Kind::Program, content, &mut targets)?,
            Table::Runtime => reader.targets(Kind::Runtime, content, &mut targets)?,
        }
    }
    // A table may be continued after another one.
    targets.sort_by_key(|target| target.at);
    for target in &mut targets {
        if target.entry.kind == Kind::Runtime && target.entry.threads.is_none() {
            target.entry.threads.clone_from(&defaults.threads);
        }
        if target.entry.sanitizers.is_none() {
            target.entry.sanitizers.clone_from(&defaults.sanitizers);
        }
    }
    Ok((defaults, targets.into_iter().map(|target| target.entry).collect()))
}

/// What is wrong with a key outside of tables, or a table, of that name.
fn unknown_table(name: &str, value: &DeValue<'_>) -> String {
    let wrong = quoted(name);
    if let (Some(key), false) = (keys::by_name(name), matches!(value, DeValue::Table(_))) {
        return format!("{wrong} is in no table; it belongs in {}", key.headers());
    }
    match nearest(name, &Table::ALL.map(Table::word)) {
        Some(right) => format!("unknown table {wrong}; did you mean `{right}`?"),
        None => format!("unknown table {wrong}; write [defaults], [program.NAME] or [runtime.NAME]"),
    }
}

/// A target, and where its name is in the file.
struct Named {
    entry: Entry,
    at: usize,
    line: usize,
}

struct Reader<'a> {
    document: &'a Document,
    place: &'a Place,
}

impl Reader<'_> {
    fn defaults(&self, content: &DeTable<'_>) -> Result<Defaults> {
        let fields = Fields::new(self.document, Table::Defaults, "[defaults]".to_owned(), content)?;
        Ok(Defaults {
            cxx: fields.get("cxx").map(|field| self.compiler(&field.text()?)).transpose()?,
            sanitizers: sanitizers(&fields)?,
            threads: threads(&fields)?,
            jobs: fields.get("jobs").map(|field| field.number(1..=MAX_JOBS)).transpose()?,
            findings: fields
                .get("findings")
                .map(|field| anyhow::Ok(self.place.seen(field.text()?.text.as_ref())))
                .transpose()?,
            cases: fields.get("cases").map(|field| self.existing(&field, Wanted::Either)).transpose()?,
        })
    }

    /// What has a `/` is a path, as in a shell.
    fn compiler(&self, written: &Text<'_>) -> Result<PathBuf> {
        if !written.text.contains('/') {
            return Ok(PathBuf::from(written.text));
        }
        let path = self.place.existing(written, Wanted::File)?;
        // Without a `/` it would be looked up on PATH.
        Ok(if path.components().count() == 1 { PathBuf::from(".").join(path) } else { path })
    }

    fn existing(&self, field: &Field<'_>, wanted: Wanted) -> Result<Vec<PathBuf>> {
        field.texts()?.iter().map(|written| self.place.existing(written, wanted)).collect()
    }

    fn targets(&self, kind: Kind, content: &DeTable<'_>, targets: &mut Vec<Named>) -> Result<()> {
        let table = match kind {
            Kind::Program => Table::Program,
            Kind::Runtime => Table::Runtime,
        };
        for (key, value) in in_order(content) {
            let (name, at) = (key.get_ref().as_ref(), key.span());
            let DeValue::Table(content) = value.get_ref() else {
                let (word, is) = (table.word(), type_of(value.get_ref()));
                let next = match (keys::by_name(name), value.get_ref()) {
                    (Some(_), _) => format!("put it under [{word}.NAME], with a name for the target"),
                    (None, DeValue::Array(_)) => format!("write the table [{word}.{}] once", plain(name)),
                    (None, _) => format!("write a table, [{word}.{}]", plain(name)),
                };
                return Err(self.document.error(&at, format!("{} in [{word}] is {is}; {next}", quoted(name))));
            };
            self.check_name(name, &at)?;
            if let Some(other) = targets.iter().find(|target| target.entry.name == name) {
                let (word, line) = (other.entry.kind.word(), other.line);
                let what = format!("`{name}` is the name of a {word} already, at line {line}; rename one of them");
                return Err(self.document.error(&at, what));
            }
            let header = format!("[{}.{name}]", table.word());
            let fields = Fields::new(self.document, table, header, content)?;
            let entry = self.entry(kind, name, &at, &fields)?;
            targets.push(Named { entry, line: self.document.line(&at), at: at.start });
        }
        Ok(())
    }

    fn check_name(&self, name: &str, at: &Range<usize>) -> Result<()> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let wrong = |what: &str| self.document.error(at, format!("{} {what}", quoted(name)));
        // What begins with `-` is a flag on the command line.
        let is_plain = !name.is_empty() && !name.starts_with('-') && name.bytes().all(is_word);
        ensure!(is_plain, wrong("cannot name a target; write letters, digits, `-` and `_`, and begin with no `-`"));
        ensure!(
            name.len() <= LONGEST_NAME,
            wrong(&format!("is too long a name; write at most {LONGEST_NAME} letters"))
        );
        ensure!(
            ![bundled::NAME, check::RUNTIME].contains(&name),
            wrong("is a name that threadbare itself uses in cases; choose another")
        );
        Ok(())
    }

    fn entry(&self, kind: Kind, name: &str, at: &Range<usize>, fields: &Fields<'_>) -> Result<Entry> {
        let sources = match fields.get("sources") {
            Some(field) => sources(&field, self.place)?,
            None => return Err(fields.missing("sources", at)),
        };
        let arguments = fields.get("arguments").map(|field| field.texts_or_empty()).transpose()?.unwrap_or_default();
        let inject = fields.get("inject").map(|field| field.some_of(&INJECTIONS)).transpose()?;
        Ok(Entry {
            name: name.to_owned(),
            kind,
            place: self.document.place(at),
            flags: self.flags(fields, &sources)?,
            sources,
            arguments: arguments.iter().map(|argument| argument.text.to_owned()).collect(),
            each_test: fields.get("each-test").map(|field| each_test(&field.text()?)).transpose()?,
            tests: fields.get("tests").map(|field| tests(&field)).transpose()?.unwrap_or_default(),
            inject: inject.unwrap_or_default(),
            points: fields.get("points").map(|field| field.text()?.one_of(&POINTS)).transpose()?,
            memory: fields.get("memory").map(|field| field.text()?.one_of(&MEMORIES)).transpose()?,
            races: fields.get("races").map(|field| field.text()?.one_of(&RACES)).transpose()?,
            strategy: fields.get("strategy").map(|field| strategy(&field.text()?)).transpose()?,
            threads: threads(fields)?,
            sanitizers: sanitizers(fields)?,
        })
    }

    fn flags(&self, fields: &Fields<'_>, sources: &[PathBuf]) -> Result<Vec<String>> {
        let mut flags = Vec::new();
        if let Some(field) = fields.get("standard") {
            flags.push(format!("-std={}", standard(&field.text()?, sources)?));
        }
        if let Some(field) = fields.get("include") {
            for written in field.texts()? {
                self.place.existing(&written, Wanted::Directory)?;
                let path = self.place.inside(Path::new(written.text));
                flags.push(format!("-I{}", utf8(&path, &written)?));
            }
        }
        if let Some(field) = fields.get("flags") {
            flags.extend(field.texts()?.iter().map(|written| written.text.to_owned()));
        }
        Ok(flags)
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Runtime => "runtime",
        }
    }
}

fn each_test(written: &Text<'_>) -> Result<EachTest> {
    written.text.parse().map_err(|what: String| written.error(what))
}

fn tests(field: &Field<'_>) -> Result<Vec<String>> {
    Ok(field.texts()?.iter().map(|written| written.text.to_owned()).collect())
}

fn strategy(written: &Text<'_>) -> Result<StrategyName> {
    written.text.parse().map_err(|error: NoStrategy| written.error(plain(&error.to_string())))
}

fn sanitizers(fields: &Fields<'_>) -> Result<Option<Vec<Sanitizer>>> {
    let read = |field: Field<'_>| field.some(field.some_of(&SANITIZERS)?);
    fields.get("sanitizers").map(read).transpose()
}

fn threads(fields: &Fields<'_>) -> Result<Option<Vec<u16>>> {
    let read = |field: Field<'_>| {
        let counts = field.some(field.numbers(1..=usize::from(MAX_THREADS))?)?;
        Ok(counts.into_iter().map(|count| count as u16).collect())
    };
    fields.get("threads").map(read).transpose()
}

fn utf8(path: &Path, written: &Text<'_>) -> Result<String> {
    let wrong = || written.error(format!("{}: the path is not UTF-8; rename it", plain(&path.display().to_string())));
    path.to_str().map(str::to_owned).ok_or_else(wrong)
}

#[cfg(test)]
mod tests;
