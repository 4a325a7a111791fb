//! What a search of a program's schedules cannot vary, since it has no scheduling points there.

use super::explorer::Summary;
use super::search::Searched;
use crate::model::left_out::Unseen;
use crate::target::prebuilt::Prebuilt;
use crate::target::{Points, Workshop, has_points_at_checks_alone};

/// Notes it with what was left out of each cell.
pub fn note(summary: &mut Summary, searched: &Searched, workshop: &Workshop) {
    let Searched::Program { check, .. } = searched else { return };
    for cell in &mut summary.cells {
        cell.left_out.unseen = Unseen {
            plain: check.points == Points::Sync,
            unchecked: check.points == Points::Memory
                && has_points_at_checks_alone(&workshop.toolchain, cell.sanitizer),
            prebuilt: summary.prebuilt.iter().any(Prebuilt::is_unseen),
        };
    }
}
