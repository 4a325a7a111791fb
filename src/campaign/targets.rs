//! The targets of a campaign: one for each sanitizer, each as soon as it is built.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::model::offers::Offers;
use crate::model::settings::Sanitizer;
use crate::target::prebuilt::{self, Prebuilt};
use crate::target::{Builder, Built, Progress, Target, Workshop};

pub(super) struct Targets<'a> {
    /// Nothing where all are there from the start.
    builder: Option<Builder<'a>>,
    /// By the builder's numbers.
    asked: Vec<Sanitizer>,
    built: BTreeMap<Sanitizer, Built>,
    /// Since when all are there.
    complete: Option<Instant>,
    /// Whether its flags may bring prebuilt code.
    may_have_prebuilt: bool,
    prebuilt: Vec<Prebuilt>,
    /// Whether it offers something.
    is_runtime: bool,
}

impl<'a> Targets<'a> {
    /// Begins to build these, of the same sources, each for its sanitizer.
    ///
    /// # Errors
    /// A source or a sanitizer's runtime is missing.
    pub fn request(workshop: &'a Workshop, wanted: impl Iterator<Item = (Target, Sanitizer)>) -> Result<Self> {
        let mut targets = Self {
            builder: None,
            asked: Vec::new(),
            built: BTreeMap::new(),
            complete: None,
            may_have_prebuilt: false,
            prebuilt: Vec::new(),
            is_runtime: false,
        };
        let mut builder = workshop.builder()?;
        for (target, sanitizer) in wanted {
            builder.request(&target, sanitizer)?;
            targets.asked.push(sanitizer);
            targets.may_have_prebuilt |= prebuilt::may_be_in(&target);
            targets.is_runtime |= target.kind.is_runtime();
        }
        targets.builder = Some(builder);
        Ok(targets)
    }

    /// These, which are there.
    #[cfg(test)]
    pub fn ready(built: BTreeMap<Sanitizer, Built>) -> Self {
        Self {
            builder: None,
            asked: built.keys().copied().collect(),
            built,
            complete: Some(Instant::now()),
            may_have_prebuilt: false,
            prebuilt: Vec::new(),
            is_runtime: true,
        }
    }

    /// Takes what has become ready.
    ///
    /// # Errors
    /// The target does not compile; the error is the compiler's.
    pub fn poll(&mut self) -> Result<()> {
        if let Some(builder) = self.builder.as_mut().filter(|_| self.complete.is_none()) {
            for (number, built) in builder.poll()? {
                self.built.insert(self.asked[number], built?);
            }
            self.complete = (self.built.len() == self.asked.len()).then(Instant::now);
        }
        Ok(())
    }

    /// Waits until all are there, or for as long as `observe` says to go on.
    ///
    /// # Errors
    /// As [`Targets::poll`].
    pub fn wait(&mut self, mut observe: impl FnMut(&Progress) -> bool) -> Result<()> {
        while let Some(progress) = self.under_way()
            && observe(&progress)
        {
            self.poll()?;
        }
        Ok(())
    }

    /// Waits for the first target of which something is to be known before it is executed, or for as long as `observe` says
    /// to go on, and looks into it: what a runtime offers and prebuilt code are the same under every sanitizer.
    ///
    /// # Errors
    /// As [`Targets::poll`], or the target cannot be read.
    pub fn look_into_first(&mut self, mut observe: impl FnMut(&Progress) -> bool) -> Result<()> {
        while (self.may_have_prebuilt || self.is_runtime)
            && self.built.is_empty()
            && let Some(progress) = self.under_way()
            && observe(&progress)
        {
            self.poll()?;
        }
        if let Some(built) = self.built.values().next().filter(|_| self.may_have_prebuilt) {
            self.prebuilt = prebuilt::of(built)?;
        }
        Ok(())
    }

    /// What the runtime offers; everything, as long as nothing is built.
    pub fn offers(&self) -> Offers {
        self.built.values().next().map_or_else(Offers::default, |built| built.offers)
    }

    /// What was found there.
    pub fn prebuilt(&self) -> &[Prebuilt] {
        &self.prebuilt
    }

    /// The one for a sanitizer, if it is there.
    pub fn of(&self, sanitizer: Sanitizer) -> Option<&Built> {
        self.built.get(&sanitizer)
    }

    pub fn is_complete(&self) -> bool {
        self.complete.is_some()
    }

    /// What is left of so much time, which runs while all are there: every sanitizer gets its share of it.
    pub fn left_of(&self, time: Duration) -> Duration {
        time.saturating_sub(self.complete.map_or(Duration::ZERO, |since| since.elapsed()))
    }

    /// How far it is, while something is being built.
    pub fn under_way(&self) -> Option<Progress> {
        self.builder.as_ref().filter(|_| self.complete.is_none()).map(Builder::progress)
    }

    /// Compilers that run now.
    pub fn compilers(&self) -> usize {
        self.builder.as_ref().map_or(0, Builder::running)
    }
}
