//! The flags that end an exploration, `--budget` and `--executions`, and what is done to its findings, `--minimise`.

use std::time::Duration;

use clap::Args;

/// A year: nobody needs more, and arithmetic with it does not overflow.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

#[derive(Debug, Args)]
pub struct Limits {
    /// Explore for so long, such as 90s, 5m or 1h 30m; a number alone is seconds. Building does not count, and what is
    /// found at the end is still replayed [default: 60s, of check 10s, of ci 3m, unless --executions is given].
    #[arg(long, alias = "seconds", value_name = "DURATION", value_parser = duration)]
    budget: Option<Duration>,
    /// Explore so many executions, over all sanitizers and thread counts; of ci over all targets as well.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub executions: Option<u64>,
    /// Time to make the schedules of what is found small, over all findings, or `off` to keep them as they are found.
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = duration_or_off)]
    minimise: AtMost,
}

/// Time for something that may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtMost(pub Option<Duration>);

/// Parses a duration, or `off` for none.
pub fn duration_or_off(text: &str) -> Result<AtMost, String> {
    match text {
        "off" => Ok(AtMost(None)),
        _ => duration(text).map(|time| AtMost(Some(time))).map_err(|why| format!("{why}; or `off`")),
    }
}

impl Limits {
    /// The time for the schedules of findings, if they are to be made small.
    pub fn minimise(&self) -> Option<Duration> {
        self.minimise.0
    }

    /// The time to explore, if it is limited: by default where nothing else is.
    pub fn budget(&self, default: Duration) -> Option<Duration> {
        self.budget.or_else(|| self.executions.is_none().then_some(default))
    }
}

/// Parses a duration, of which a number alone is seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.trim().parse().ok().map(Duration::from_secs);
    let duration = seconds.or_else(|| humantime::parse_duration(text).ok());
    match duration {
        Some(duration) if !duration.is_zero() && duration <= LONGEST => Ok(duration),
        _ => Err("name seconds, or a duration such as 90s, 5m or 1h 30m, of at most a year".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_alone_is_seconds_and_units_add_up() {
        for (text, seconds) in [("10", 10), ("10s", 10), ("5m", 300), ("1h 30m", 5_400), ("1h30m", 5_400)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
    }

    #[test]
    fn no_time_and_more_than_a_year_are_refused_with_an_example() {
        for text in ["0", "0s", "", "-1", "x", "10 apples", "9000h", "18446744073709551615"] {
            assert!(duration(text).is_err_and(|why| why.contains("1h 30m")), "{text}");
        }
    }

    #[test]
    fn schedules_are_left_as_they_are_found_on_request() {
        assert_eq!(duration_or_off("off"), Ok(AtMost(None)));
        assert_eq!(duration_or_off("5s"), Ok(AtMost(Some(Duration::from_secs(5)))));
        assert!(duration_or_off("0").is_err_and(|why| why.contains("`off`")));
    }

    #[test]
    fn the_default_holds_where_nothing_else_ends_it() {
        let default = Duration::from_secs(60);
        let of = |budget, executions| Limits { budget, executions, minimise: AtMost(None) }.budget(default);
        assert_eq!(of(None, None), Some(default));
        assert_eq!(of(None, Some(5)), None);
        assert_eq!(of(Some(Duration::from_secs(2)), Some(5)), Some(Duration::from_secs(2)));
    }
}
