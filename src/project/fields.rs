//! The values of one table, each of the type and the words that its key wants.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};

use anyhow::{Error, Result};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{Document, quoted};
use super::keys::{self, Key, Table};
use super::nearest::advice;
use crate::check::MAX_WORD_BYTES;

/// A table that has no other keys than it may have.
pub struct Fields<'a> {
    document: &'a Document,
    /// As it stands in the file, such as `[program.lost_update]`.
    header: String,
    table: &'a DeTable<'a>,
}

impl<'a> Fields<'a> {
    pub fn new(document: &'a Document, of: Table, header: String, table: &'a DeTable<'a>) -> Result<Self> {
        for (key, _) in in_order(table) {
            let name = key.get_ref().as_ref();
            match keys::by_name(name) {
                Some(known) if known.tables.contains(&of) => {}
                Some(known) => {
                    let what = format!("{} is no key of {header}; it belongs in {}", quoted(name), known.headers());
                    return Err(document.error(&key.span(), what));
                }
                None => {
                    let what = format!("unknown key {} in {header}; {}", quoted(name), advice(name, &of.keys()));
                    return Err(document.error(&key.span(), what));
                }
            }
        }
        Ok(Self { document, header, table })
    }

    /// The value of a key that is listed in [`keys::KEYS`].
    pub fn get(&self, name: &str) -> Option<Field<'a>> {
        let (_, value) = self.table.iter().find(|(key, _)| key.get_ref().as_ref() == name)?;
        Some(Field { document: self.document, key: keys::by_name(name)?, value })
    }

    /// What to say where the key is missing; `at` is the table's place.
    pub fn missing(&self, name: &str, at: &Range<usize>) -> Error {
        let example = keys::by_name(name).map_or("...", |key| key.example);
        self.document.error(at, format!("{} has no `{name}`; add it, such as `{name} = {example}`", self.header))
    }
}

/// The value of a key.
pub struct Field<'a> {
    document: &'a Document,
    key: &'static Key,
    value: &'a Spanned<DeValue<'a>>,
}

/// Values that have words.
pub struct Choices<'a, T> {
    /// What each of them is.
    pub what: &'a str,
    pub values: &'a [T],
    pub word: fn(&T) -> String,
}

/// A text and its place.
pub struct Text<'a> {
    document: &'a Document,
    pub text: &'a str,
    span: Range<usize>,
}

impl Text<'_> {
    pub fn error(&self, what: impl Display) -> Error {
        self.document.error(&self.span, what)
    }

    /// The value that the text names.
    pub fn one_of<T: Copy>(&self, choices: &Choices<'_, T>) -> Result<T> {
        let words: Vec<String> = choices.values.iter().map(choices.word).collect();
        if let Some(at) = words.iter().position(|word| word == self.text) {
            return Ok(choices.values[at]);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Err(self.error(format!("{} is no {}; {}", quoted(self.text), choices.what, advice(self.text, &words))))
    }
}

impl<'a> Field<'a> {
    pub fn text(&self) -> Result<Text<'a>> {
        let text = self.text_of(self.value, "text")?;
        if text.text.is_empty() { Err(self.empty(&text.span)) } else { Ok(text) }
    }

    /// A list of texts, none of which is empty.
    pub fn texts(&self) -> Result<Vec<Text<'a>>> {
        let texts = self.texts_or_empty()?;
        match texts.iter().find(|text| text.text.is_empty()) {
            Some(text) => Err(self.empty(&text.span)),
            None => Ok(texts),
        }
    }

    /// A list of texts.
    pub fn texts_or_empty(&self) -> Result<Vec<Text<'a>>> {
        self.items("a list of texts")?.iter().map(|item| self.text_of(item, "a list of texts")).collect()
    }

    /// A list of distinct values.
    pub fn some_of<T: Copy + PartialEq>(&self, choices: &Choices<'_, T>) -> Result<Vec<T>> {
        distinct(self.texts()?.iter().map(|text| text.one_of(choices)))
    }

    pub fn number(&self, bounds: RangeInclusive<usize>) -> Result<usize> {
        self.number_of(self.value, "a number", bounds)
    }

    /// A list of distinct numbers.
    pub fn numbers(&self, bounds: RangeInclusive<usize>) -> Result<Vec<usize>> {
        let items = self.items("a list of numbers")?.iter();
        distinct(items.map(|item| self.number_of(item, "a list of numbers", bounds.clone())))
    }

    /// Refuses a list without entries.
    pub fn some<T>(&self, entries: Vec<T>) -> Result<Vec<T>> {
        if entries.is_empty() { Err(self.empty(&self.value.span())) } else { Ok(entries) }
    }

    fn items(&self, wanted: &str) -> Result<&'a [Spanned<DeValue<'a>>]> {
        match self.value.get_ref() {
            DeValue::Array(items) => Ok(items),
            _ => Err(self.wrong_type(self.value, "", wanted)),
        }
    }

    fn text_of(&self, value: &'a Spanned<DeValue<'a>>, wanted: &str) -> Result<Text<'a>> {
        let DeValue::String(text) = value.get_ref() else { return Err(self.wrong_entry(value, wanted)) };
        let text = Text { document: self.document, text: text.as_ref(), span: value.span() };
        let key = self.key.name;
        if text.text.contains('\0') {
            return Err(text.error(format!("`{key}` has a zero character, where C ends a string; leave it out")));
        }
        match text.text.len() {
            0..=MAX_WORD_BYTES => Ok(text),
            bytes => Err(text.error(format!("`{key}` has a text of {bytes} bytes; write at most {MAX_WORD_BYTES}"))),
        }
    }

    fn number_of(&self, value: &Spanned<DeValue<'_>>, wanted: &str, bounds: RangeInclusive<usize>) -> Result<usize> {
        let DeValue::Integer(number) = value.get_ref() else { return Err(self.wrong_entry(value, wanted)) };
        let read = usize::from_str_radix(number.as_str(), number.radix()).ok().filter(|read| bounds.contains(read));
        read.ok_or_else(|| {
            let (key, least, most) = (self.key.name, bounds.start(), bounds.end());
            let number = quoted(&number.to_string());
            self.document.error(&value.span(), format!("{number} in `{key}` is out of bounds; write {least} to {most}"))
        })
    }

    fn empty(&self, span: &Range<usize>) -> Error {
        let Key { name, example, .. } = self.key;
        let entry = if self.value.span() == *span { "" } else { " has an entry that" };
        self.document.error(span, format!("`{name}`{entry} is empty; write a value, such as `{name} = {example}`"))
    }

    /// As [`Field::wrong_type`], of the value as a whole or of an entry of it.
    fn wrong_entry(&self, value: &Spanned<DeValue<'_>>, wanted: &str) -> Error {
        let entry = if self.value.span() == value.span() { "" } else { " has an entry that" };
        self.wrong_type(value, entry, wanted)
    }

    fn wrong_type(&self, value: &Spanned<DeValue<'_>>, entry: &str, wanted: &str) -> Error {
        let Key { name, example, .. } = self.key;
        let is = type_of(value.get_ref());
        let what = format!("`{name}`{entry} is {is}; write {wanted}, such as `{name} = {example}`");
        self.document.error(&value.span(), what)
    }
}

/// The entries of a table in the order of the file.
pub fn in_order<'a>(table: &'a DeTable<'a>) -> Vec<Entry<'a>> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// A key and its value.
pub type Entry<'a> = (&'a Spanned<toml::de::DeString<'a>>, &'a Spanned<DeValue<'a>>);

/// What a value is, in a word.
pub fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Leaves out what stood before.
pub fn distinct<T: PartialEq>(values: impl IntoIterator<Item = Result<T>>) -> Result<Vec<T>> {
    let mut distinct = Vec::new();
    for value in values {
        let value = value?;
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    Ok(distinct)
}
