//! Ctrl-C, SIGTERM and SIGHUP: the first asks the campaign to end with its summary, the second ends it.
#![forbid(unsafe_code)]

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

/// How a campaign goes on, asked at every turn of its loop.
pub enum Course {
    On,
    /// Now it was asked to end: workers are to be stopped, and no more to be begun but those that replay.
    Stop,
    /// Those have taken too long.
    Over,
}

/// When a campaign was asked to end.
#[derive(Default)]
pub struct Ending {
    since: Option<Instant>,
}

impl Ending {
    pub fn course(&mut self) -> Course {
        match self.since {
            None if requested() => {
                self.since = Some(Instant::now());
                Course::Stop
            }
            Some(since) if since.elapsed() > LAST_REPLAYS => Course::Over,
            _ => Course::On,
        }
    }
}
