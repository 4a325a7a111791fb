//! Every transcript in the README and in docs/ is what the program prints.
//!
//! A transcript is a block of code with commands after `$ `. The commands of a page run one after the other in one
//! directory, with the examples and regression cases if the page names them, and with the page's files: a block whose first line is
//! ```` ```c counter.c ```` is the file `counter.c`. `…` on a line of its own stands for any lines, within a line for any
//! text. Not compared are how many spaces there are, seconds, and the column `per second`.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{fs, iter, thread};

use crate::command::{Workplace, has_clang};

/// What stands for what is left out.
const OMITTED: &str = "…";

/// A block of code in a page.
struct Block {
    /// The number of its first line.
    line: usize,
    /// What stands behind the language: the name of a file.
    file: Option<String>,
    text: String,
}

/// A command of a transcript and what it prints.
struct Command {
    line: usize,
    command: String,
    output: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The README, and all pages of docs/ and examples/.
fn pages() -> Vec<PathBuf> {
    let folders = ["", "docs", "examples/check"].map(|folder| root().join(folder));
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder").flatten());
    let mut pages: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| is_page(path)).collect();
    pages.sort();
    pages
}

fn is_page(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(info), None) => {
                let file = info.split_whitespace().nth(1).map(str::to_owned);
                open = Some(Block { line: number + 2, file, text: String::new() });
            }
            (None, Some(block)) => block.text.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The commands of a block; none if it is no transcript.
fn commands(block: &Block) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    for (number, line) in block.text.lines().enumerate() {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push(Command { line: block.line + number, command: command.to_owned(), output: Vec::new() });
        } else if let Some(last) = commands.last_mut() {
            last.output.push(line.to_owned());
        }
    }
    commands
}

/// Which column of a table has the heading `per second`, if this line has the headings.
fn rates(line: &str) -> Option<usize> {
    line.split("  ").filter(|heading| !heading.is_empty()).position(|heading| heading.trim() == "per second")
}

/// Whether a word is in such a column, and not in a line after the table.
fn is_rate(word: &str) -> bool {
    word == OMITTED || word.replace(',', "").parse::<u64>().is_ok()
}

/// The lines with everything that differs from run to run left out.
fn comparable<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut column = None;
    let comparable = |line: &'a str| {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        if let Some(headed) = rates(line) {
            column = Some(headed);
        } else if let Some(rate) = column.and_then(|column| words.get_mut(column)).filter(|word| is_rate(word)) {
            *rate = OMITTED;
        } else {
            column = None;
        }
        for index in 1..words.len() {
            let is_seconds = matches!(words[index], "s" | "s,") && words[index - 1].parse::<f64>().is_ok();
            if is_seconds {
                words[index - 1] = OMITTED;
            }
        }
        words.join(" ")
    };
    lines.map(comparable).collect()
}

/// Whether a line is as expected; `…` in what is expected stands for any text.
fn line_fits(expected: &str, line: &str) -> bool {
    match expected.split_once(OMITTED) {
        None => expected == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            let starts = rest.char_indices().map(|(start, _)| start).chain([rest.len()]);
            starts.into_iter().any(|start| line_fits(after, &rest[start..]))
        }),
    }
}

fn fits(expected: &[String], lines: &[String]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == OMITTED => (0..=lines.len()).any(|skipped| fits(rest, &lines[skipped..])),
        Some((first, rest)) => {
            lines.split_first().is_some_and(|(line, others)| line_fits(first, line) && fits(rest, others))
        }
    }
}

/// Runs the commands of a page; what did not print what the page says.
fn differences(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).expect("a page");
    let blocks = blocks(&text);
    let place = Workplace::new();
    for folder in ["examples/check", "tests/corpus"].into_iter().filter(|folder| text.contains(folder)) {
        let link = place.path().join(folder);
        fs::create_dir(link.parent().expect("a folder")).expect("a folder");
        symlink(root().join(folder), link).expect("a link");
    }
    let name = page.strip_prefix(root()).unwrap_or(page).display();
    let mut differences = Vec::new();
    for block in &blocks {
        if let Some(file) = &block.file {
            place.write(file, &block.text);
        }
        for Command { line, command, output } in commands(block) {
            let said = place.shell(&command.replace("cargo run --release -- ", "threadbare "));
            let expected = comparable(output.iter().map(String::as_str));
            if !fits(&expected, &comparable(said.trim_end().lines())) {
                differences.push(format!("{name}:{line}: $ {command}\n{said}"));
            }
        }
    }
    differences
}

/// What is printed is of one compiler's code, as schedules are: clang's.
#[test]
fn every_transcript_is_what_the_program_prints() {
    if !has_clang() {
        return;
    }
    let pages = Mutex::new(pages());
    let next = || pages.lock().expect("no page panicked").pop();
    // Each has a directory of its own; one after the other they would be the last that everything waits for.
    let differences: Vec<String> = thread::scope(|scope| {
        let readers: Vec<_> = (0..thread::available_parallelism().map_or(1, usize::from))
            .map(|_| scope.spawn(|| iter::from_fn(next).flat_map(|page| differences(&page)).collect::<Vec<_>>()))
            .collect();
        readers.into_iter().flat_map(|reader| reader.join().expect("no page panicked")).collect()
    });
    assert!(differences.is_empty(), "these printed something else:\n\n{}", differences.join("\n"));
}

#[test]
fn what_is_left_out_fits_anything_and_nothing_else_does() {
    let lines = |text: &str| comparable(text.lines());
    let prints = "first\nsanitizer  per second  findings\nnone  12,345  1\n\n7 findings in 0.1 s, more\n";
    for right in [
        "…",
        "first\n…\n7 findings in …",
        "…\nsanitizer  per second  findings\nnone  9  1\n…",
        "first\n…\n\n7 f…s in 99.5 s, more",
    ] {
        assert!(fits(&lines(right), &lines(prints)), "{right}");
    }
    for wrong in
        ["", "first", "…\nfirst", "…\nsanitizer  per second  findings\nnone  12,345  2\n…", "…\n7 f…s in 0.1 s, less"]
    {
        assert!(!fits(&lines(wrong), &lines(prints)), "{wrong}");
    }
}
