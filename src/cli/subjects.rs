//! `threadbare subjects`: what this build can run.
#![forbid(unsafe_code)]

use super::resolve;
use crate::build_info;
use crate::report::say;
use crate::subject;

pub fn run() {
    say("subjects");
    for subject in subject::subjects() {
        say(format!("  {subject}"));
    }
    say("\nfaults of the bundled subject");
    for fault in subject::faults() {
        say(format!("  {:<26} {}", fault.name, fault.summary));
    }
    say(format!("\ncompiler  {}", build_info::COMPILER));
    say(format!("engines   {}", resolve::engines().join(", ")));
}
