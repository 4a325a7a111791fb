//! The keys of a project file: in which tables they stand, and an example of each.

use std::fmt::{self, Display, Formatter};

use super::nearest::any_of;
use crate::target::Language;

/// Editions of C++ and of C, as they follow `c++` or `gnu++`, `c` or `gnu`.
const CPP_EDITIONS: [&str; 12] = ["98", "03", "11", "14", "17", "20", "2a", "23", "2b", "26", "2c", "1z"];
const C_EDITIONS: [&str; 9] = ["89", "90", "99", "11", "17", "18", "23", "2x", "2y"];

/// Words of `standard`.
pub fn standards(language: Language) -> Vec<String> {
    let (prefixes, editions): (_, &[&str]) = match language {
        Language::Cpp => (["c++", "gnu++"], &CPP_EDITIONS),
        Language::C => (["c", "gnu"], &C_EDITIONS),
    };
    prefixes.iter().flat_map(|prefix| editions.iter().map(move |edition| format!("{prefix}{edition}"))).collect()
}

/// A table whose keys are settled here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Defaults,
    Program,
    Runtime,
}

impl Table {
    pub const ALL: [Self; 3] = [Self::Defaults, Self::Program, Self::Runtime];

    /// The key of the table in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Defaults => "defaults",
            Self::Program => "program",
            Self::Runtime => "runtime",
        }
    }

    /// The keys that it may have.
    pub fn keys(self) -> Vec<&'static str> {
        KEYS.iter().filter(|key| key.tables.contains(&self)).map(|key| key.name).collect()
    }
}

/// The header of such a table, whatever the target's name.
impl Display for Table {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => formatter.write_str("[defaults]"),
            Self::Program | Self::Runtime => write!(formatter, "[{}.NAME]", self.word()),
        }
    }
}

/// What a key is called and where it stands.
pub struct Key {
    pub name: &'static str,
    /// A value that it could have.
    pub example: &'static str,
    pub tables: &'static [Table],
}

impl Key {
    /// The tables in which it may stand, as in "[defaults] or [runtime.NAME]".
    pub fn headers(&self) -> String {
        let headers: Vec<String> = self.tables.iter().map(Table::to_string).collect();
        any_of(&headers.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

const EVERYWHERE: &[Table] = &Table::ALL;
const TARGETS: &[Table] = &[Table::Program, Table::Runtime];
const DEFAULTS: &[Table] = &[Table::Defaults];
const PROGRAMS: &[Table] = &[Table::Program];

pub const KEYS: [Key; 18] = [
    Key { name: "sources", example: r#"["src/*.cpp"]"#, tables: TARGETS },
    Key { name: "include", example: r#"["include"]"#, tables: TARGETS },
    Key { name: "standard", example: r#""c++20""#, tables: TARGETS },
    Key { name: "flags", example: r#"["-O1"]"#, tables: TARGETS },
    Key { name: "arguments", example: r#"["3"]"#, tables: PROGRAMS },
    Key { name: "each-test", example: r#""auto""#, tables: PROGRAMS },
    Key { name: "tests", example: r#"["Queue.*"]"#, tables: PROGRAMS },
    Key { name: "inject", example: r#"["spurious-wake-up"]"#, tables: PROGRAMS },
    Key { name: "points", example: r#""memory""#, tables: PROGRAMS },
    Key { name: "strategy", example: r#""portfolio""#, tables: PROGRAMS },
    Key { name: "memory", example: r#""cpp20""#, tables: TARGETS },
    Key { name: "races", example: r#""on""#, tables: TARGETS },
    Key { name: "threads", example: "[1, 2, 4]", tables: &[Table::Defaults, Table::Runtime] },
    Key { name: "sanitizers", example: r#"["none", "thread"]"#, tables: EVERYWHERE },
    Key { name: "cxx", example: r#""clang++-22""#, tables: DEFAULTS },
    Key { name: "jobs", example: "2", tables: DEFAULTS },
    Key { name: "findings", example: r#""findings""#, tables: DEFAULTS },
    Key { name: "cases", example: r#"["tests/corpus"]"#, tables: DEFAULTS },
];

pub fn by_name(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_stands_once_in_the_list_and_in_some_table_with_an_example_that_is_toml() {
        for key in &KEYS {
            assert_eq!(KEYS.iter().filter(|other| other.name == key.name).count(), 1, "{}", key.name);
            assert!(!key.tables.is_empty(), "{}", key.name);
            toml::de::DeValue::parse(key.example).expect(key.name);
        }
    }
}
