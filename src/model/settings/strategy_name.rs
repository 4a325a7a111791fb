//! The words that name a strategy, on the command line, in case files and in JSON.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::number;

/// Which strategy makes the choices. Replaying is not listed: it comes with a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum StrategyName {
    /// A random walk, which draws anew for each execution how often it switches: `random`.
    Random,
    /// A random walk that switches at a scheduling point with this chance: `random:0.1`.
    RandomAt(Chance),
    /// Random priorities, for bugs of the usual depth: `pct`.
    Pct,
    /// Random priorities, for bugs of this depth, which is 1 to [`StrategyName::DEEPEST`]: `pct:3`.
    PctOf(u8),
    /// Partial order sampling: `pos`.
    Pos,
    /// The selectively uniform random walk: `surw`.
    Surw,
    /// Feedback from who reads what from whom: `rff`.
    Rff,
    /// Every schedule, as far as they differ: `exhaustive`.
    Exhaustive,
    /// Every schedule of at most so many preemptions: `exhaustive:2`.
    ExhaustiveWithin(u8),
    /// The others in turns: `portfolio`.
    Portfolio,
    /// A fuzzer's numbers, then a random walk: `bytes`. Inputs come with it; campaigns have none.
    Bytes,
}

impl StrategyName {
    /// The largest depth of `pct`.
    pub const DEEPEST: u8 = 100;

    /// Whether its choices depend on earlier executions of the same workload, and not on the seed alone.
    #[must_use]
    pub fn learns(self) -> bool {
        match self {
            Self::Random | Self::RandomAt(_) | Self::Pct | Self::PctOf(_) | Self::Pos | Self::Bytes => false,
            Self::Surw | Self::Rff | Self::Exhaustive | Self::ExhaustiveWithin(_) | Self::Portfolio => true,
        }
    }

    /// Whether it goes through the schedules one by one, to the last.
    #[must_use]
    pub fn is_exhaustive(self) -> bool {
        matches!(self, Self::Exhaustive | Self::ExhaustiveWithin(_))
    }
}

impl Display for StrategyName {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random => formatter.write_str("random"),
            Self::RandomAt(chance) => write!(formatter, "random:{chance}"),
            Self::Pct => formatter.write_str("pct"),
            Self::PctOf(depth) => write!(formatter, "pct:{depth}"),
            Self::Pos => formatter.write_str("pos"),
            Self::Surw => formatter.write_str("surw"),
            Self::Rff => formatter.write_str("rff"),
            Self::Exhaustive => formatter.write_str("exhaustive"),
            Self::ExhaustiveWithin(preemptions) => write!(formatter, "exhaustive:{preemptions}"),
            Self::Portfolio => formatter.write_str("portfolio"),
            Self::Bytes => formatter.write_str("bytes"),
        }
    }
}

impl FromStr for StrategyName {
    type Err = NoStrategy;

    fn from_str(word: &str) -> Result<Self, NoStrategy> {
        let wrong = |right| NoStrategy { word: word.chars().take(LONGEST_SHOWN).collect(), right };
        let (name, setting) = match word.split_once(':') {
            Some((name, setting)) => (name, Some(setting)),
            None => (word, None),
        };
        match (name, setting) {
            ("random", None) => Ok(Self::Random),
            ("random", Some(chance)) => {
                let right = "the chance of a switch is a number above 0 and up to 1, such as `random:0.1`";
                chance.parse().map(Self::RandomAt).map_err(|OutOfBounds| wrong(right))
            }
            ("pct", None) => Ok(Self::Pct),
            ("pct", Some(depth)) => match number::whole(depth) {
                Some(depth @ 1..=Self::DEEPEST) => Ok(Self::PctOf(depth)),
                _ => Err(wrong("the depth is a whole number from 1 to 100, such as `pct:3`")),
            },
            ("pos", None) => Ok(Self::Pos),
            ("surw", None) => Ok(Self::Surw),
            ("rff", None) => Ok(Self::Rff),
            ("exhaustive", None) => Ok(Self::Exhaustive),
            ("exhaustive", Some(preemptions)) => {
                let right = "the most preemptions are a whole number up to 255, such as `exhaustive:2`";
                number::whole(preemptions).map(Self::ExhaustiveWithin).ok_or_else(|| wrong(right))
            }
            ("portfolio", None) => Ok(Self::Portfolio),
            ("bytes", None) => Ok(Self::Bytes),
            ("pos" | "surw" | "rff" | "portfolio" | "bytes", Some(_)) => Err(wrong("this one takes no setting")),
            _ => Err(wrong(
                "write `random`, `random:0.1`, `pct`, `pct:3`, `pos`, `surw`, `rff`, `exhaustive`, `exhaustive:2` or \
                 `portfolio`",
            )),
        }
    }
}

impl TryFrom<String> for StrategyName {
    type Error = NoStrategy;

    fn try_from(word: String) -> Result<Self, NoStrategy> {
        word.parse()
    }
}

impl From<StrategyName> for String {
    fn from(name: StrategyName) -> Self {
        name.to_string()
    }
}

/// Characters of a wrong word that its error shows.
const LONGEST_SHOWN: usize = 32;

/// A word that names no strategy, and what is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoStrategy {
    word: String,
    right: &'static str,
}

impl Display for NoStrategy {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` is no strategy; {}", self.word, self.right)
    }
}

impl std::error::Error for NoStrategy {}

/// A chance above 0 and up to 1, in millionths, so that it prints as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chance(u32);

/// Digits after the point that a chance has: at most.
const DIGITS: usize = 6;

impl Chance {
    pub const ONE: u32 = 10_u32.pow(DIGITS as u32);

    /// So many of [`Chance::ONE`]: at least 1, at most all.
    #[must_use]
    pub fn millionths(self) -> u32 {
        self.0
    }
}

/// No number above 0 and up to 1, or one of too many digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfBounds;

impl FromStr for Chance {
    type Err = OutOfBounds;

    fn from_str(text: &str) -> Result<Self, OutOfBounds> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !matches!(whole, "0" | "1") || !digits(fraction) || fraction.len() > DIGITS {
            return Err(OutOfBounds);
        }
        let millionths: u32 = format!("{whole}{fraction:0<DIGITS$}").parse().map_err(|_| OutOfBounds)?;
        if (1..=Self::ONE).contains(&millionths) { Ok(Self(millionths)) } else { Err(OutOfBounds) }
    }
}

impl Display for Chance {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        if self.0 == Self::ONE {
            return formatter.write_str("1");
        }
        let digits = format!("{:0DIGITS$}", self.0);
        write!(formatter, "0.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 15] = [
        "random",
        "random:0.1",
        "random:0.000001",
        "random:1",
        "pct",
        "pct:1",
        "pct:100",
        "pos",
        "surw",
        "rff",
        "exhaustive",
        "exhaustive:0",
        "exhaustive:255",
        "portfolio",
        "bytes",
    ];

    #[test]
    fn a_word_reads_and_prints_the_same() {
        for word in WORDS {
            let name: StrategyName = word.parse().expect(word);
            assert_eq!(name.to_string(), word);
            let json = serde_json::to_string(&name).expect("it is a word");
            assert_eq!(json, format!("\"{word}\""));
            assert_eq!(serde_json::from_str::<StrategyName>(&json).expect("its own word"), name);
        }
    }

    #[test]
    fn a_wrong_word_is_named_with_what_is_right() {
        for (word, right) in [
            ("", "write `random`"),
            ("Random", "write `random`"),
            ("replay", "write `random`"),
            ("random:", "above 0 and up to 1"),
            ("random:0", "above 0 and up to 1"),
            ("random:1.1", "above 0 and up to 1"),
            ("random:-0.1", "above 0 and up to 1"),
            ("random:0.0000001", "above 0 and up to 1"),
            ("random:0.+1", "above 0 and up to 1"),
            ("random:nan", "above 0 and up to 1"),
            ("pct:0", "1 to 100"),
            ("pct:101", "1 to 100"),
            ("pct:+3", "1 to 100"),
            ("pct:3:3", "1 to 100"),
            ("exhaustive:256", "up to 255"),
            ("exhaustive:-1", "up to 255"),
            ("exhaustive:+1", "up to 255"),
            ("pos:1", "no setting"),
            ("portfolio:", "no setting"),
        ] {
            let error = word.parse::<StrategyName>().expect_err(word).to_string();
            assert!(error.contains(&format!("`{word}`")) && error.contains(right), "{error}");
        }
        let long = "x".repeat(10_000).parse::<StrategyName>().expect_err("too long").to_string();
        assert!(long.len() < 300, "{long}");
    }
}
