//! `threadbare targets`: what can be explored, and with what.

use anyhow::Result;

use super::resolve;
use super::world::World;
use crate::project::{Entry, Kind};
use crate::report::say;
use crate::target::bundled::BUGS;
use crate::target::shipped::SHIPPED;

pub fn run(world: &World) -> Result<()> {
    let workshop = world.workshop()?;
    say("runtimes");
    for runtime in workshop.runtimes() {
        match SHIPPED.iter().find(|shipped| shipped.name == runtime) {
            Some(shipped) => say(format!("  {runtime:<26} {}", shipped.summary)),
            None => say(format!("  {runtime}")),
        }
    }
    if let Some(file) = world.file()? {
        say(format!("\nprograms of {file}"));
        for Entry { name, sources, .. } in world.targets(Kind::Program)? {
            let sources: Vec<String> = sources.iter().map(|source| source.display().to_string()).collect();
            say(format!("  {name:<26} {}", sources.join(" ")));
        }
    }
    say("\nseeded bugs of the bundled runtime");
    for bug in BUGS {
        say(format!("  {:<26} {}", bug.name, bug.summary));
    }
    say(format!("\ncompiler  {}", workshop.toolchain.description()));
    say(format!("engines   {}", resolve::engines(&workshop.toolchain).join(", ")));
    Ok(())
}
