//! `threadbare doctor`: whether this system has what threadbare needs, and what to do where it does not.

use anyhow::Result;
use clap::Args;

use super::world::World;
use crate::campaign::doctor::{self, Health, Look};
use crate::report::say;

#[derive(Debug, Args)]
pub struct Flags {}

/// Whether something does not work.
pub fn run(_flags: &Flags, world: &World) -> Result<bool> {
    let compiler = world.workshop().map(|workshop| workshop.toolchain.clone()).map_err(|error| format!("{error:#}"));
    let looks = doctor::examine(&compiler);
    for Look { what, health, found, remedy } in &looks {
        let mark = match health {
            Health::Good => "ok",
            Health::Weak => "weak",
            Health::Bad => "BAD",
        };
        say(format!("{mark:<5} {what:<18} {found}"));
        if !remedy.is_empty() {
            say(format!("{:<24} → {remedy}", ""));
        }
    }
    let of = |health: Health| looks.iter().filter(|look| look.health == health).count();
    say(format!(
        "{} in order, {} weak, {} that keep something from working",
        of(Health::Good),
        of(Health::Weak),
        of(Health::Bad)
    ));
    Ok(of(Health::Bad) > 0)
}
