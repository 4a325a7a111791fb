//! Ctrl-C, SIGTERM and SIGHUP: the first asks the campaign to end with its summary, the second ends it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// How long a campaign that was asked to end goes on replaying what it found.
const LAST_REPLAYS: Duration = Duration::from_secs(5);

/// Starts to listen. Call it once, before the first worker.
///
/// # Errors
/// The handler cannot be installed.
pub fn listen() -> Result<()> {
    let on_signal = || {
        if REQUESTED.swap(true, Ordering::Relaxed) {
            std::process::exit(2);
        }
    };
    ctrlc::set_handler(on_signal).context("cannot listen for Ctrl-C")
}

/// Whether the campaign was asked to end.
#[must_use]
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Whether a campaign that was asked to end has replayed long enough.
#[derive(Default)]
pub struct Deadline {
    since: Option<Instant>,
}

impl Deadline {
    pub fn has_passed(&mut self) -> bool {
        requested() && self.since.get_or_insert_with(Instant::now).elapsed() > LAST_REPLAYS
    }
}
