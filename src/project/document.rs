//! The text of a project file, and errors that name a line of it.

use std::fmt::Display;
use std::ops::Range;
use std::path::Path;
use std::str;

use anyhow::{Error, Result, anyhow, bail};
use toml::de::DeTable;

use super::nesting;
use crate::regular::{self, Unread};

/// Bytes of a project file: at most.
const MAX_BYTES: u64 = 1 << 20;
/// Characters of a word, path or message that an error shows.
const LONGEST_SHOWN: usize = 200;

/// A project file that is text, though maybe not TOML.
pub struct Document {
    /// Its path, as errors show it.
    file: String,
    text: String,
}

impl Document {
    /// Reads `path`, which errors call `shown`.
    pub fn open(path: &Path, shown: &Path) -> Result<Self> {
        let file = plain(&shown.display().to_string());
        let bytes = read(path).map_err(|why| anyhow!("{file}: {why}"))?;
        Self::new(file, bytes)
    }

    fn new(file: String, bytes: Vec<u8>) -> Result<Self> {
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { file, text }),
            Err(error) => {
                let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                bail!("{file}:{}: not UTF-8; save the file in that encoding", line(valid))
            }
        }
    }

    pub fn parse(&self) -> Result<DeTable<'_>> {
        nesting::check(&self.text).map_err(|(at, what)| self.error(&at, what))?;
        DeTable::parse(&self.text).map(toml::Spanned::into_inner).map_err(|error| {
            let message = plain(error.message());
            let more = match message.as_str() {
                "duplicate key" => "; write each key and table once",
                "recursion limit" => " of nested keys and values; write fewer levels",
                _ => "",
            };
            match error.span() {
                Some(span) => self.error(&span, format!("{message}{more}")),
                None => anyhow!("{}: {message}{more}", self.file),
            }
        })
    }

    /// File and line of what is there.
    pub fn place(&self, span: &Range<usize>) -> String {
        format!("{}:{}", self.file, self.line(span))
    }

    pub fn line(&self, span: &Range<usize>) -> usize {
        line(self.text.as_bytes().get(..span.start).unwrap_or(self.text.as_bytes()))
    }

    pub fn error(&self, span: &Range<usize>, what: impl Display) -> Error {
        anyhow!("{}: {what}", self.place(span))
    }
}

/// The line that follows these bytes, from 1.
fn line(before: &[u8]) -> usize {
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    regular::read(path, MAX_BYTES).map_err(|why| match why {
        Unread::Irregular => format!("{}; remove it, or put the project file in its place", regular::IRREGULAR),
        Unread::TooLarge => format!("larger than 1 MiB ({MAX_BYTES} bytes), which no project file is; make it smaller"),
        Unread::Failed(_) => why.to_string(),
    })
}

/// One line that shows `text`, however it was written.
pub fn plain(text: &str) -> String {
    let mut shown = String::new();
    for (number, character) in text.chars().enumerate() {
        match character {
            _ if number == LONGEST_SHOWN => {
                shown.push_str("...");
                break;
            }
            character if character.is_control() => shown.extend(character.escape_default()),
            character => shown.push(character),
        }
    }
    shown
}

/// As [`plain`], for a word in a sentence.
pub fn quoted(word: &str) -> String {
    format!("`{}`", plain(word))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn refused(bytes: &[u8]) -> String {
        match Document::new("threadbare.toml".to_owned(), bytes.to_vec()) {
            Ok(document) => document.parse().expect_err("not TOML").to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_not_toml_is_one_line_that_says_where_and_what_is_expected() {
        for (text, told) in [
            ("\n[defaults\n", ":2: unclosed table, expected `]`"),
            ("jobs = \n", ":1: string values must be quoted, expected literal string"),
            ("\n\njobs 2\n", ":3: key with no value, expected `=`"),
            ("a = [\n1,\n", ":2: unclosed array, expected `]`"),
            ("[defaults]\njobs = 2\njobs = 3\n", ":3: duplicate key; write each key and table once"),
            ("[program.a]\n[program.a]\n", ":2: duplicate key; write each key and table once"),
        ] {
            assert_eq!(refused(text.as_bytes()), format!("threadbare.toml{told}"), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_utf_8_is_refused_with_its_line() {
        assert_eq!(
            refused(b"[defaults]\ncxx = \"\xff\"\n"),
            "threadbare.toml:2: not UTF-8; save the file in that encoding"
        );
    }

    #[test]
    fn a_file_of_one_mebibyte_is_read_and_a_larger_one_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("threadbare.toml");
        let open = |bytes: usize| {
            fs::write(&path, "#".repeat(bytes)).expect("written");
            Document::open(&path, Path::new("threadbare.toml"))
        };
        assert!(open(1 << 20).is_ok());
        let told = open((1 << 20) + 1).err().expect("too large").to_string();
        assert!(told.starts_with("threadbare.toml: larger than 1 MiB"), "{told}");
    }

    #[test]
    fn lines_are_counted_the_same_after_a_byte_order_mark_and_with_carriage_returns() {
        assert!(refused("\u{feff}\r\n[defaults]\r\njobs 2\r\n".as_bytes()).starts_with("threadbare.toml:3: key with"));
    }

    #[test]
    fn deep_nesting_is_refused_or_read_and_never_overflows_the_stack() {
        let deep = 100_000;
        for text in [
            format!("a = {}", "[".repeat(deep)),
            format!("a = {}", "{a=".repeat(deep)),
            format!("{}a = 1", "a.".repeat(deep)),
            format!("[{}a]", "a.".repeat(deep)),
            format!("a = {{ {}a = 1 }}", "a.".repeat(deep)),
        ] {
            let told = refused(text.as_bytes());
            assert!(told.starts_with("threadbare.toml") && told.len() < 300, "{told}");
        }
        // As deep as each part may be.
        let keys = ["a"; 79].join(".");
        let text = format!("[{keys}]\n{keys} = {}1{}", format!("{{{keys}=[").repeat(8), "]}".repeat(8));
        Document::new(String::new(), text.into_bytes()).expect("UTF-8").parse().expect("TOML");
    }

    #[test]
    fn what_an_error_shows_is_short_and_on_one_line() {
        assert_eq!(quoted("a\n\u{1b}b"), "`a\\n\\u{1b}b`");
        assert_eq!(plain(&"é".repeat(1000)).chars().count(), 203);
    }
}
