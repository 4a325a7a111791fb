//! `threadbare report`: the findings of a directory, one for each bug.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;

use super::world::World;
use crate::campaign::gathered::Gathered;
use crate::report::sarif::Sarif;
use crate::report::{bugs, index, json, junit, say};
use crate::terminal;
use crate::whole_file::{can_write, write_whole};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare report findings                                    a table
  threadbare report findings --markdown issue.md                an issue for each bug
  threadbare report nightly --sarif all.sarif --html index.html  for code scanning, and to look through
  threadbare report findings --github                           annotations, in a job of GitHub's")]
pub struct Flags {
    /// Cases, or directories of them [default: `findings` of threadbare.toml, else findings/].
    paths: Vec<PathBuf>,
    /// Write a page of HTML that holds all of them. It leads to the pages that `threadbare show --format html --output
    /// CASE.html` wrote beside cases.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write Markdown, a section for each bug.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write JUnit XML, a failed test for each bug.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write SARIF, with the interleaving of each bug as a code flow.
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    /// Print annotations that GitHub shows at the lines, in place of the table.
    #[arg(long)]
    github: bool,
}

pub fn run(flags: &Flags, world: &World) -> Result<()> {
    let Flags { html, markdown, junit, sarif, github, .. } = flags;
    [html, markdown, junit, sarif].into_iter().flatten().try_for_each(|path| can_write(path))?;
    let paths = if flags.paths.is_empty() { vec![world.findings(None)?] } else { flags.paths.clone() };
    let gathered = Gathered::below(&paths)?;
    if *github {
        terminal::print(&bugs::annotations(&gathered));
    } else if !gathered.bugs.is_empty() {
        say(bugs::table(&gathered));
        bugs::related(&gathered).into_iter().for_each(say);
    }
    let cases: usize = gathered.bugs.iter().map(|bug| bug.paths.len()).sum();
    if !github {
        let clean =
            if gathered.clean == 0 { String::new() } else { format!(", and {} that did not fail", gathered.clean) };
        let counted = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        let fewer: usize = gathered.related().iter().map(|(_, members)| members.len() - 1).sum();
        let perhaps = if fewer == 0 { String::new() } else { format!(", perhaps {}", gathered.bugs.len() - fewer) };
        say(format!("{}{perhaps} in {}{clean}", counted(gathered.bugs.len(), "bug"), counted(cases, "case")));
    }
    let write = |path: &Option<PathBuf>, text: &dyn Fn(&Path) -> Result<String>| -> Result<()> {
        path.iter().try_for_each(|path| write_whole(path, text(path)?.as_bytes()))
    };
    let root = std::env::current_dir().context("cannot tell the current directory")?;
    let written = [
        write(html, &|path| Ok(index::html(&gathered, path.parent().unwrap_or(Path::new(""))))),
        write(markdown, &|_| Ok(bugs::markdown(&gathered))),
        write(junit, &|_| junit::of_bugs(&gathered)),
        sarif.iter().try_for_each(|path| json::write(path, &Sarif::of_bugs(&gathered, &root))),
    ];
    // What cannot be written, or was not read, does not keep the rest from it.
    let mut whys: Vec<String> =
        written.into_iter().filter_map(|written| Some(format!("{:#}", written.err()?))).collect();
    whys.extend(gathered.unread.iter().map(|(_, why)| why.clone()));
    match &whys[..] {
        [] => Ok(()),
        [one] => Err(anyhow!("{one}")),
        all => bail!("{} things went wrong\n  {}", all.len(), all.join("\n  ")),
    }
}
