//! Findings that were gathered: a table, an issue for each bug, and annotations of GitHub's.

use std::fmt::Write;

use comfy_table::Table;

use super::table;
use crate::campaign::gathered::{Bug, Gathered};
use crate::model::word;
use crate::terminal::in_line;

/// Characters of a failure in the table.
const WIDTH: usize = 72;

/// The command that replays a bug's case.
#[must_use]
pub fn replay(bug: &Bug) -> String {
    format!("threadbare replay {}", bug.path.display())
}

/// Where it shows.
#[must_use]
pub fn place(bug: &Bug) -> String {
    bug.line().map_or_else(String::new, |line| format!("{}:{}", line.file, line.number))
}

/// A line for each bug.
#[must_use]
pub fn table(gathered: &Gathered) -> Table {
    let mut table = table::plain(&["verdict", "where", "what", "sanitizer", "smallest case", "cases"], 5);
    for bug in &gathered.bugs {
        let failure = bug.failure();
        let what = failure.split_once(": ").map_or(failure, |(_, what)| what);
        let what = in_line(what);
        let mut short: String = what.chars().take(WIDTH).collect();
        if short.len() < what.len() {
            short.push('…');
        }
        let path = bug.path.display().to_string();
        let cases = bug.paths.len().to_string();
        table.add_row([word(&bug.case.verdict), place(bug), short, word(&bug.case.settings.sanitizer), path, cases]);
    }
    table
}

/// A line for each place that several bugs share.
#[must_use]
pub fn related(gathered: &Gathered) -> Vec<String> {
    let name = |index: &usize| {
        let case = &gathered.bugs[*index].case;
        format!("{} {}", word(&case.verdict), case.fingerprint)
    };
    let line = |(place, members): (String, Vec<usize>)| {
        format!("perhaps one bug, decided in {place}: {}", members.iter().map(name).collect::<Vec<_>>().join(", "))
    };
    gathered.related().into_iter().map(line).collect()
}

/// Markdown, a section for each bug, such as an issue is made of.
#[must_use]
pub fn markdown(gathered: &Gathered) -> String {
    let mut text = String::new();
    for bug in &gathered.bugs {
        let case = &bug.case;
        let _ = writeln!(text, "## {}: {}\n", word(&case.verdict), code(&place_or_path(bug)));
        let _ = writeln!(text, "{}\n", code(bug.failure()));
        let _ = writeln!(
            text,
            "- fingerprint {}, {} with sanitizer {}",
            code(&case.fingerprint),
            times(bug),
            word(&case.settings.sanitizer)
        );
        let _ = writeln!(text, "- replay: {}", code(&replay(bug)));
        let _ = writeln!(text, "- after a fix: {}\n", code(&format!("threadbare verify {}", bug.path.display())));
        let _ = writeln!(
            text,
            "<details><summary>What happened</summary>\n\n{}\n</details>\n",
            fenced(case.report.trim_end())
        );
    }
    for line in related(gathered) {
        let _ = writeln!(text, "{}\n", code(&line));
    }
    for (_, why) in &gathered.unread {
        let _ = writeln!(text, "Not read: {}\n", code(why));
    }
    text
}

fn times(bug: &Bug) -> String {
    match bug.paths.len() {
        1 => "1 case".to_owned(),
        more => format!("{more} cases"),
    }
}

fn place_or_path(bug: &Bug) -> String {
    match place(bug) {
        place if place.is_empty() => bug.path.display().to_string(),
        place => place,
    }
}

/// The longest run of backticks in a text.
fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or_default()
}

/// Text as code within a line, whatever is in it.
fn code(text: &str) -> String {
    let text = in_line(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    let gap = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{gap}{text}{gap}{fence}")
}

/// Text as a block of code.
fn fenced(text: &str) -> String {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    format!("{fence}text\n{text}\n{fence}\n")
}

/// Commands that GitHub shows as annotations of lines:
/// <https://docs.github.com/en/actions/using-workflows/workflow-commands-for-github-actions>.
#[must_use]
pub fn annotations(gathered: &Gathered) -> String {
    let mut text = String::new();
    for bug in &gathered.bugs {
        let place = bug.line().map(|line| format!("file={},line={},", property(&line.file), line.number));
        let title = property(&format!("threadbare: {}", word(&bug.case.verdict)));
        let message = message(&format!("{}\n{}", bug.failure(), replay(bug)));
        let _ = writeln!(text, "::error {}title={title}::{message}", place.unwrap_or_default());
    }
    text
}

fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::gathered::sample;

    #[test]
    fn the_table_has_a_line_for_each_bug_with_its_place_and_its_number_of_cases() {
        let table = table(&sample::gathered()).to_string();
        for word in ["data-race", "src/a.c:9", "ThreadSanitizer: data race in `take`", "findings/a.case"] {
            assert!(table.contains(word), "no {word} in {table}");
        }
        assert_eq!(table.lines().count(), 2, "{table}");
        assert!(table.trim_end().ends_with('2'), "{table}");
    }

    #[test]
    fn an_issue_shows_what_a_case_says_as_code_whatever_that_is() {
        let text = markdown(&sample::gathered());
        assert!(
            text.starts_with("## data-race: `src/a.c:9`\n\n``data-race: ThreadSanitizer: data race in `take` <b>``\n"),
            "{text}"
        );
        assert!(text.contains("- replay: `threadbare replay findings/a.case`") && text.contains("2 cases"), "{text}");
        assert!(
            text.contains("```text\ndata-race: ") && text.contains("Not read: `findings/c.case: cut off`"),
            "{text}"
        );
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(fenced("x\n```` y"), "`````text\nx\n```` y\n`````\n");
    }

    #[test]
    fn an_annotation_keeps_to_its_line_and_its_properties() {
        let text = annotations(&sample::gathered());
        assert_eq!(
            text,
            "::error file=src/a.c,line=9,title=threadbare%3A data-race::data-race: ThreadSanitizer: data race in `take` \
             <b>%0Athreadbare replay findings/a.case\n"
        );
        assert_eq!(property("a,b:c\n%"), "a%2Cb%3Ac%0A%25");
    }
}
