//! `threadbare completions` and `threadbare man`: made of the same definitions that parse the command line.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Arguments;
use crate::report::say;
use crate::terminal;
use crate::whole_file::write_whole;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare completions bash > /etc/bash_completion.d/threadbare
  threadbare completions zsh > _threadbare")]
pub struct Completions {
    shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadbare man ~/.local/share/man/man1")]
pub struct Man {
    /// Where the pages go: one of the program and one of each subcommand.
    directory: PathBuf,
}

pub fn completions(flags: &Completions) {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut Arguments::command(), "threadbare", &mut script);
    terminal::print(&String::from_utf8_lossy(&script));
}

pub fn man(flags: &Man) -> Result<()> {
    let directory = flags.directory.display();
    std::fs::create_dir_all(&flags.directory).with_context(|| format!("cannot make {directory}"))?;
    let mut command = Arguments::command();
    command.build();
    let mut pages = 0;
    let mut write = |command: clap::Command, name: String| -> Result<()> {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        page.flush()?;
        pages += 1;
        write_whole(&flags.directory.join(format!("{name}.1")), &page)
    };
    for subcommand in command.get_subcommands().filter(|command| !command.is_hide_set()).cloned() {
        let name = format!("threadbare-{}", subcommand.get_name());
        write(subcommand, name)?;
    }
    write(command, "threadbare".to_owned())?;
    say(format!("{pages} pages in {directory}; read one with `man -l {directory}/threadbare.1`"));
    Ok(())
}
