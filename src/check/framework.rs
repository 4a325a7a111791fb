//! Frameworks of tests: how a program made with one lists its tests, runs one of them, and tells what failed.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Framework {
    Gtest,
    Catch2,
    /// From version 3 on, whose lists are asked for in another way.
    Catch3,
    Doctest,
    Boost,
}

/// Whether the tests of a program are explored one by one, and whose they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EachTest {
    /// The framework is found out.
    Auto,
    Of(Framework),
}

/// One test of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Test {
    pub framework: Framework,
    /// As the framework lists it.
    pub name: String,
}

/// What a program lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// In the order of the list, each once.
    pub tests: Vec<String>,
    /// Tests that do not run unless they are asked for by name.
    pub disabled: usize,
}

impl Framework {
    pub const ALL: [Self; 5] = [Self::Gtest, Self::Catch2, Self::Catch3, Self::Doctest, Self::Boost];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Gtest => "gtest",
            Self::Catch2 => "catch2",
            Self::Catch3 => "catch3",
            Self::Doctest => "doctest",
            Self::Boost => "boost",
        }
    }

    /// What every program that is linked with the framework has among the names of its functions.
    fn symbol(self) -> &'static str {
        match self {
            Self::Gtest => "_ZN7testing8UnitTest11GetInstanceEv",
            // The parser of the command line changed its name.
            Self::Catch2 => "_ZN5Catch5clara",
            Self::Catch3 => "_ZN5Catch5Clara",
            Self::Doctest => "_ZN7doctest7Context",
            Self::Boost => "_ZN5boost9unit_test9framework",
        }
    }

    /// The framework of a program with these symbols.
    pub fn of_symbols<'a>(symbols: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let is_of = |name: &str| Self::ALL.into_iter().find(|framework| name.starts_with(framework.symbol()));
        symbols.into_iter().find_map(is_of)
    }

    /// Arguments with which a program lists its tests.
    #[must_use]
    pub fn list_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Gtest => &["--gtest_list_tests"],
            Self::Catch2 => &["--list-test-names-only"],
            Self::Catch3 => &["--list-tests", "--verbosity", "quiet"],
            Self::Doctest => &["--list-test-cases", "--no-version=true", "--no-colors=true"],
            Self::Boost => &["--list_content=HRF", "--color_output=no"],
        }
    }

    /// What is told by what a program printed with those arguments.
    #[must_use]
    pub fn listed(self, printed: &str) -> Listed {
        let mut listed = match self {
            Self::Gtest => of_gtest(printed),
            Self::Boost => of_boost(printed),
            Self::Catch2 | Self::Catch3 => Listed { tests: lines(printed).map(str::to_owned).collect(), disabled: 0 },
            Self::Doctest => {
                let is_name = |line: &&str| !line.starts_with("[doctest]") && !line.starts_with("=====");
                Listed { tests: lines(printed).filter(is_name).map(str::to_owned).collect(), disabled: 0 }
            }
        };
        let mut seen = std::collections::BTreeSet::new();
        listed.tests.retain(|name| seen.insert(name.clone()));
        listed
    }

    /// Arguments with which a program runs that test alone, and says shortly what failed.
    #[must_use]
    pub fn run_arguments(self, test: &str) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Gtest => &["--gtest_brief=1", "--gtest_color=no"],
            Self::Catch2 => &["--reporter", "compact"],
            Self::Catch3 => &["--reporter", "compact", "--colour-mode", "none"],
            Self::Doctest => &["--no-intro=true", "--no-colors=true"],
            Self::Boost => &["--log_level=error", "--report_level=no", "--color_output=no"],
        };
        let alone = match self {
            Self::Gtest => format!("--gtest_filter={test}"),
            Self::Catch2 | Self::Catch3 => escaped(test),
            // There is no way to write a comma, which separates patterns, but any letter may stand in its place.
            Self::Doctest => format!("--test-case={}", test.replace([',', '\\'], "?")),
            Self::Boost => format!("--run_test={test}"),
        };
        words.iter().map(|word| (*word).to_owned()).chain([alone]).collect()
    }

    /// The first expectation that failed, after the last run that passed: its file and line, and what it says.
    #[must_use]
    pub fn failure(self, printed: &str) -> Option<Expectation> {
        let passed = match self {
            Self::Gtest => "[  PASSED  ] 1 test.",
            Self::Catch2 | Self::Catch3 => "\nPassed ",
            Self::Doctest => "Status: SUCCESS!",
            Self::Boost => "Running 1 test case...",
        };
        let last = printed.rfind(passed).map_or(printed, |at| &printed[at + passed.len()..]);
        let mut lines = last.lines().skip_while(|line| self.begins(line).is_none());
        let first = lines.next()?;
        let (place, said) = self.begins(first)?;
        let more = lines.take_while(|line| self.goes_on(line)).map(str::trim);
        let said = std::iter::once(said.trim()).chain(more).filter(|part| !part.is_empty()).collect::<Vec<_>>();
        Some(Expectation { place, said: said.join("; ") })
    }

    /// Place and text of a line that tells of a failed expectation.
    fn begins(self, line: &str) -> Option<(String, &str)> {
        let (place, said) = match self {
            Self::Gtest => line.split_once(": Failure")?,
            Self::Catch2 | Self::Catch3 => line.split_once(": failed: ")?,
            Self::Doctest => line.split_once(": ERROR: ").or_else(|| line.split_once(": FATAL ERROR: "))?,
            Self::Boost => {
                let (place, said) = line.split_once(": error: ").or_else(|| line.split_once(": fatal error: "))?;
                let (file, number) = place.strip_suffix(')')?.rsplit_once('(')?;
                return Some((format!("{file}:{number}"), said));
            }
        };
        Some((place.to_owned(), said))
    }

    /// Whether a line after that belongs to it.
    fn goes_on(self, line: &str) -> bool {
        match self {
            Self::Gtest => !line.is_empty() && !line.starts_with('[') && self.begins(line).is_none(),
            Self::Doctest => line.starts_with("  "),
            Self::Catch2 | Self::Catch3 | Self::Boost => false,
        }
    }
}

/// An expectation that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// File and line.
    pub place: String,
    pub said: String,
}

impl Display for Framework {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

impl FromStr for Framework {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|framework| framework.word() == word);
        known.ok_or_else(|| format!("no framework; choose from {}", Self::ALL.map(Self::word).join(", ")))
    }
}

impl EachTest {
    #[must_use]
    pub fn framework(self) -> Option<Framework> {
        match self {
            Self::Auto => None,
            Self::Of(framework) => Some(framework),
        }
    }
}

impl FromStr for EachTest {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let of = || word.parse().map(Self::Of).map_err(|what| what.replace("from ", "from auto, "));
        if word == "auto" { Ok(Self::Auto) } else { of() }
    }
}

/// Whether a name fits a pattern, in which `*` stands for anything.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.into_iter().any(|at| fits(after, &rest[at..]))
        }),
    }
}

fn lines(printed: &str) -> impl Iterator<Item = &str> {
    printed.lines().map(str::trim_end).filter(|line| !line.is_empty())
}

/// Suites without indentation, with a dot at the end; their tests indented; comments after `#`.
fn of_gtest(printed: &str) -> Listed {
    let mut listed = Listed::default();
    let mut suite = String::new();
    for line in lines(printed) {
        let name = line.split("  #").next().unwrap_or_default().trim_end();
        match name.strip_prefix("  ") {
            None if name.ends_with('.') => suite = name.to_owned(),
            // What a `main` prints by itself, which may be a list too.
            None => suite.clear(),
            Some(_) if suite.is_empty() => {}
            Some(test) => {
                // Of an instance, the part behind its name counts.
                let is_disabled = |name: &str| name.split('/').any(|part| part.starts_with("DISABLED_"));
                if is_disabled(&suite) || is_disabled(test) {
                    listed.disabled += 1;
                } else {
                    listed.tests.push(format!("{suite}{test}"));
                }
            }
        }
    }
    listed
}

/// A tree by indentation, four spaces each; what is enabled has a `*`.
fn of_boost(printed: &str) -> Listed {
    const STEP: usize = 4;
    let mut listed = Listed::default();
    let mut path: Vec<&str> = Vec::new();
    let all: Vec<(usize, &str, bool)> = lines(printed)
        .map(|line| {
            let name = line.trim();
            // A description may follow.
            let name = name.split_once(": ").map_or(name, |(name, _)| name);
            let depth = (line.len() - line.trim_start().len()) / STEP;
            (depth, name.trim_end_matches('*'), name.ends_with('*'))
        })
        .collect();
    for (index, &(depth, name, is_enabled)) in all.iter().enumerate() {
        path.truncate(depth);
        path.push(name);
        let is_leaf = all.get(index + 1).is_none_or(|next| next.0 <= depth);
        if is_leaf && is_enabled {
            listed.tests.push(path.join("/"));
        } else if is_leaf {
            listed.disabled += 1;
        }
    }
    listed
}

/// A name as Catch2 reads it on its command line.
fn escaped(name: &str) -> String {
    let mut escaped = String::new();
    for letter in name.chars() {
        if matches!(letter, ',' | '[' | ']' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests;
