//! What becomes of findings once nothing more is explored: their schedules are made small.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Instant;

use super::Explorer;
use crate::campaign::interrupt;
use crate::campaign::laboratory::Laboratory;
use crate::campaign::minimise::{self, Minimising};
use crate::campaign::prebuilt;
use crate::campaign::targets::Targets;
use crate::case::Case;

impl Explorer<'_> {
    /// Makes the schedules of what was confirmed small, each in its share of the time. What cannot be done leaves a case as
    /// it was found, which replays.
    pub(super) fn minimise(&mut self, targets: &Targets<'_>, mut observe: impl FnMut(usize, &Minimising)) {
        let (Some(budget), false) = (self.campaign.minimise, self.campaign.audit) else { return };
        let deadline = Instant::now() + budget;
        let found = self.findings.len();
        let mut laboratories = BTreeMap::new();
        let mut confirmed = self.findings.confirmed();
        while let Some((path, sanitizer)) = confirmed.pop()
            && !interrupt::requested()
        {
            let share = deadline.saturating_duration_since(Instant::now()) / (confirmed.len() as u32 + 1);
            let target = targets.of(sanitizer).expect("its target is there").clone();
            let minimised = Case::read(&path).and_then(|case| {
                // One for each sanitizer: it knows the symbols that were looked up.
                let laboratory = match laboratories.entry(sanitizer) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(vacant) => vacant.insert(Laboratory::new(target)?),
                };
                minimise::minimise(laboratory, &case, Some(share), |minimising| observe(found, minimising))
            });
            if let Ok(mut minimised) = minimised {
                if let Some(doubt) = prebuilt::doubt(minimised.case.verdict, &self.prebuilt) {
                    minimised.explanation.push_str(&doubt);
                    minimised.case.report.push_str(&doubt);
                }
                let kept = self.findings.replace(&path, minimised);
                self.note(kept);
            }
        }
    }
}
