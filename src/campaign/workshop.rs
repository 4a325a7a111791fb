//! Where programs under check are built, for as long as they are needed.
#![forbid(unsafe_code)]

use std::fs;

use anyhow::{Context, Result};

use super::job::Built;
use super::scratch::Scratch;
use crate::check::{Check, build};
use crate::settings::Sanitizer;

/// Holds shared objects in a temporary directory, which is removed on drop.
pub(super) struct Workshop {
    directory: Scratch,
    built: u64,
}

impl Workshop {
    /// # Errors
    /// There can be no temporary directory.
    pub fn new() -> Result<Self> {
        Ok(Self { directory: Scratch::new()?, built: 0 })
    }

    /// Builds `check` for a sanitizer.
    ///
    /// # Errors
    /// As [`build::build`].
    pub fn build(&mut self, check: &Check, sanitizer: Sanitizer) -> Result<Built> {
        let place = self.directory.path().join(self.built.to_string());
        self.built += 1;
        fs::create_dir(&place).context("cannot make a directory for a compiled program")?;
        let object = build::build(check, sanitizer, &place)?;
        Ok(Built { object, arguments: check.arguments.clone(), injections: check.injections.clone() })
    }
}
