//! `threadbare cache`: what was built, and how to be rid of it.

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::report::{grouped, say};
use crate::target::cache::{Cache, DIRECTORY_VARIABLE, LIMIT, Usage};

#[derive(Debug, Args)]
pub struct Flags {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say where it is and how much it takes; so does no action.
    Show,
    /// Remove everything that no running threadbare uses.
    Clear,
}

pub fn run(flags: &Flags) -> Result<()> {
    let cache = Cache::open()?;
    match flags.action {
        None | Some(Action::Show) => {
            say(cache.root().display());
            say(format!("{} of at most {}", sum(cache.usage()?), mebibytes(LIMIT)));
            say(format!("what was used longest ago goes first; {DIRECTORY_VARIABLE} names another directory"));
        }
        Some(Action::Clear) => {
            let removed = cache.clear()?;
            let left = cache.usage()?;
            let left = if left.files > 0 { format!("; in use are {}", sum(left)) } else { String::new() };
            say(format!("removed {}{left}", sum(removed)));
        }
    }
    Ok(())
}

fn sum(usage: Usage) -> String {
    format!("{} files with {}", grouped(usage.files), mebibytes(usage.bytes))
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", grouped(bytes.div_ceil(1 << 20)))
}
