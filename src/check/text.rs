//! Checks as text that people can read and edit, and that reads back as the same check.
//!
//! ```text
//! check memory
//!   source "examples/check/lost_update.c"
//!   flag "-O1"
//!   argument "3"
//!   test gtest "Queue.Pop"
//!   digest 0123456789abcdef
//!   end
//! ```
//!
//! Indentation is for the eye. Empty lines, and what follows a `#` outside of quotes, are skipped. The digest may be
//! left out.

use std::fmt::{self, Display, Formatter};

use super::framework::{Framework, Test};
use super::quoted::{named, quote, unquote};
use super::{Check, INJECTIONS, NO_SOURCE, Part, Points};
use crate::model::schedule::Injection;
use crate::task_graph::text::Mistake;

/// The check's text, as [`parse_lines`] reads it. Of a path that is not UTF-8, which [`Check::validate`] refuses,
/// something like it.
impl Display for Check {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "check {}", self.points.word())?;
        let entry = |part: Part, text: &str| format!("  {} {}\n", part.word(), quote(text));
        for source in &self.sources {
            formatter.write_str(&entry(Part::Source, &source.to_string_lossy()))?;
        }
        for flag in &self.flags {
            formatter.write_str(&entry(Part::Flag, flag))?;
        }
        for argument in &self.arguments {
            formatter.write_str(&entry(Part::Argument, argument))?;
        }
        for injection in &self.injections {
            writeln!(formatter, "  inject {}", injection.word())?;
        }
        if let Some(test) = &self.test {
            writeln!(formatter, "  test {} {}", test.framework, quote(&test.name))?;
        }
        if let Some(digest) = &self.recorded {
            writeln!(formatter, "  digest {digest}")?;
        }
        writeln!(formatter, "  end")
    }
}

/// Reads a check off the start of numbered lines, up to and with its `end`.
///
/// # Errors
/// The first mistake in the text.
pub fn parse_lines<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>) -> Result<Check, Mistake> {
    let mut check: Option<Check> = None;
    let mut last = 0;
    for (line, whole) in lines {
        last = line;
        if !is_comment(whole) {
            let wrong = |what| Mistake { line, what };
            let (key, rest) = whole.trim().split_once(char::is_whitespace).unwrap_or((whole.trim(), ""));
            match &mut check {
                None => check = Some(header(key, rest).map_err(wrong)?),
                Some(begun) if key == "end" => {
                    return finish(begun, rest).map_err(wrong);
                }
                Some(begun) => entry(begun, key, rest.trim_start()).map_err(wrong)?,
            }
        }
    }
    Err(Mistake { line: last + 1, what: "the text ends inside the check; finish it with `end`".into() })
}

/// Whether nothing but a comment is on a line, or the rest of one.
fn is_comment(text: &str) -> bool {
    matches!(text.trim_start().chars().next(), None | Some('#'))
}

/// The word alone on the rest of a line.
fn word(rest: &str) -> &str {
    rest.split('#').next().unwrap_or("").trim()
}

fn header(key: &str, rest: &str) -> Result<Check, String> {
    let points = Points::ALL.into_iter().find(|points| points.word() == word(rest));
    let (true, Some(points)) = (key == "check", points) else {
        return Err(format!(
            "{} where a check begins; write `check sync` or `check memory`",
            named(&format!("{key} {rest}"))
        ));
    };
    Ok(Check {
        directory: std::path::PathBuf::new(),
        sources: Vec::new(),
        flags: Vec::new(),
        arguments: Vec::new(),
        points,
        injections: Vec::new(),
        test: None,
        recorded: None,
    })
}

fn entry(check: &mut Check, key: &str, rest: &str) -> Result<(), String> {
    if key == "digest" {
        return digest(check, word(rest));
    }
    if key == "inject" {
        return injection(check, word(rest));
    }
    if key == "test" {
        return test(check, rest);
    }
    let part = Part::ALL.into_iter().find(|part| part.word() == key).ok_or_else(|| {
        format!(
            "{} is not understood in a check; write `source`, `flag`, `argument`, `inject`, `test`, `digest` or `end`",
            named(key)
        )
    })?;
    let (text, after) = unquote(rest)?;
    if !is_comment(after) {
        return Err(format!("{} after the quotes; write one {key} a line", named(after)));
    }
    match part {
        Part::Source => {
            part.admit(&text, check.sources.len())?;
            check.sources.push(text.into());
        }
        Part::Flag => {
            part.admit(&text, check.flags.len())?;
            check.flags.push(text);
        }
        Part::Argument => {
            part.admit(&text, check.arguments.len())?;
            check.arguments.push(text);
        }
    }
    Ok(())
}

fn test(check: &mut Check, rest: &str) -> Result<(), String> {
    let (framework, name) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let framework: Framework = framework.parse().map_err(|what| format!("{}: {what}", named(framework)))?;
    let (name, after) = unquote(name.trim_start())?;
    if !is_comment(after) {
        return Err(format!("{} after the quotes; write one test a check", named(after)));
    }
    match check.test.replace(Test { framework, name }) {
        None => Ok(()),
        Some(_) => Err("a second test; a check has one".to_owned()),
    }
}

fn injection(check: &mut Check, word: &str) -> Result<(), String> {
    let known = INJECTIONS.into_iter().find(|injection| injection.word() == word);
    let Some(injection) = known.filter(|injection| !check.injections.contains(injection)) else {
        let words = INJECTIONS.map(Injection::word).join("` or `");
        return Err(format!("{} is nothing to inject here; write `{words}`, each once", named(word)));
    };
    check.injections.push(injection);
    Ok(())
}

fn digest(check: &mut Check, digits: &str) -> Result<(), String> {
    let fits = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    if digits.len() != 16 || !digits.bytes().all(fits) {
        return Err(format!("{} is no digest; write 16 hexadecimal digits, or leave the line out", named(digits)));
    }
    match check.recorded.replace(digits.to_owned()) {
        None => Ok(()),
        Some(_) => Err("a second digest; leave one of them out".to_owned()),
    }
}

fn finish(check: &mut Check, rest: &str) -> Result<Check, String> {
    if !is_comment(rest) {
        return Err(format!("{} after `end`; remove it", named(rest)));
    }
    if check.sources.is_empty() {
        return Err(NO_SOURCE.to_owned());
    }
    Ok(check.clone())
}

#[cfg(test)]
mod tests {
    use super::super::{MAX_ARGUMENTS, MAX_SOURCES, MAX_WORD_BYTES};
    use super::*;

    const WHOLE: &str = "check memory\n  source \"a.c\"\n  flag \"-O1\"\n  argument \"3\"\n  \
                         digest 0123456789abcdef\n  end\n";

    fn parse(text: &str) -> Result<Check, Mistake> {
        parse_lines(&mut (1..).zip(text.lines()))
    }

    fn mistake(text: &str) -> String {
        parse(text).expect_err(text).to_string()
    }

    fn whole() -> Check {
        Check {
            directory: std::path::PathBuf::new(),
            sources: vec!["a.c".into()],
            flags: vec!["-O1".to_owned()],
            arguments: vec!["3".to_owned()],
            points: Points::Memory,
            injections: Vec::new(),
            test: None,
            recorded: Some("0123456789abcdef".to_owned()),
        }
    }

    #[test]
    fn a_check_is_written_as_shown_and_reads_back_the_same() {
        assert_eq!(whole().to_string(), WHOLE);
        assert_eq!(parse(WHOLE), Ok(whole()));
    }

    #[test]
    fn a_test_of_a_framework_reads_back_the_same_and_there_is_one() {
        let test = Some(Test { framework: Framework::Gtest, name: "a \"test\", [x]".to_owned() });
        let text = Check { test, ..whole() }.to_string();
        assert!(text.contains("  test gtest \"a \\\"test\\\", [x]\"\n  digest"), "{text}");
        assert_eq!(parse(&text).map(|check| check.to_string()), Ok(text.clone()));
        let line = "  test gtest \"b\"\n";
        for (text, what) in [
            (text.replace("  end", &format!("{line}  end")), "a second test"),
            (
                WHOLE.replace("  end", &format!("{}  end", line.replace("gtest", "junit"))),
                "no framework; choose from gtest",
            ),
            (WHOLE.replace("  end", "  test gtest\n  end"), "where a text in quotes belongs"),
        ] {
            let told = mistake(&text);
            assert!(told.contains(what), "{told}");
        }
    }

    #[test]
    fn other_line_ends_comments_and_indentation_make_no_difference() {
        assert_eq!(parse(&WHOLE.replace('\n', "\r\n")), Ok(whole()));
        assert_eq!(parse(&WHOLE.replace("  ", "\t")), Ok(whole()));
        assert_eq!(parse(&WHOLE.replace('\n', " # why\n\n   # and\n")), Ok(whole()));
        let hash = Check { arguments: vec!["a # b".to_owned()], ..whole() };
        assert_eq!(parse(&hash.to_string()), Ok(hash), "in quotes it begins no comment");
    }

    #[test]
    fn a_text_cut_off_after_any_line_is_refused_with_the_line_after() {
        let lines: Vec<&str> = WHOLE.lines().collect();
        for count in 0..lines.len() {
            let told = mistake(&lines[..count].join("\n"));
            let expected = format!("line {}: the text ends inside the check; finish it with `end`", count + 1);
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn a_text_cut_off_inside_of_a_line_never_panics_and_is_never_whole() {
        for at in (0..WHOLE.trim_end().len()).filter(|at| WHOLE.is_char_boundary(*at)) {
            assert!(parse(&WHOLE[..at]).is_err(), "{}", &WHOLE[..at]);
        }
    }

    #[test]
    fn a_mistake_names_its_line_and_what_would_be_right() {
        for (from, to, line, what) in [
            ("check memory", "check plain", 1, "`check plain` where a check begins; write `check sync`"),
            ("check memory", "check", 1, "write `check sync` or `check memory`"),
            ("check memory", "check memory sync", 1, "where a check begins"),
            ("check memory", "task-graph", 1, "where a check begins"),
            ("source \"a.c\"", "source a.c", 2, "`a.c` where a text in quotes belongs"),
            ("source \"a.c\"", "source", 2, "where a text in quotes belongs"),
            ("source \"a.c\"", "source \"a.c", 2, "not closed"),
            ("source \"a.c\"", "source \"a.c\" \"b.c\"", 2, "after the quotes; write one source a line"),
            ("source \"a.c\"", "source \"\"", 2, "an empty source; leave it out"),
            ("source \"a.c\"", "source \"-fplugin=x\"", 2, r#"write "./-fplugin=x""#),
            ("  source \"a.c\"\n", "", 5, "a check without a source; name at least one"),
            ("flag \"-O1\"", "flags \"-O1\"", 3, "`flags` is not understood in a check; write `source`"),
            ("flag \"-O1\"", "flag \"-D\\0\"", 3, "begins no escape"),
            ("argument \"3\"", "argument \"\\u{0}\"", 4, "a zero character"),
            ("0123456789abcdef", "0123456789ABCDEF", 5, "is no digest; write 16 hexadecimal digits"),
            ("0123456789abcdef", "+123456789abcdef", 5, "is no digest"),
            ("0123456789abcdef", "0", 5, "is no digest"),
            ("flag \"-O1\"", "digest 0123456789abcdef", 5, "a second digest"),
            ("end", "end here", 6, "`here` after `end`; remove it"),
            ("end", "schedule", 6, "`schedule` is not understood in a check"),
        ] {
            assert!(WHOLE.contains(from), "{from}");
            let told = mistake(&WHOLE.replace(from, to));
            assert!(told.starts_with(&format!("line {line}: ")) && told.contains(what), "`{to}` gave `{told}`");
        }
    }

    #[test]
    fn counts_and_lengths_have_bounds() {
        let with = |entries: &str| format!("check sync\n{entries}end\n");
        let sources = "source \"a.c\"\n".repeat(MAX_SOURCES);
        assert!(parse(&with(&sources)).is_ok());
        let told = mistake(&with(&sources.repeat(100)));
        assert_eq!(told, "line 258: more than 256 sources; leave some out");
        let arguments = "argument \"1\"\n".repeat(MAX_ARGUMENTS + 1);
        assert!(mistake(&with(&arguments)).contains("more than 1024 arguments"));
        let longest = format!("source \"{}\"\n", "x".repeat(MAX_WORD_BYTES));
        assert!(parse(&with(&longest)).is_ok());
        let told = mistake(&with(&longest.repeat(2).replace("\"\nsource \"", "")));
        assert_eq!(told, "line 2: more than 4096 bytes in quotes; write fewer");
        let endless = mistake(&"x".repeat(1 << 20));
        assert!(endless.len() < 200, "{endless}");
    }
}
