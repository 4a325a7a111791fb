//! What became of a schedule that was made small, in words.

use super::grouped;
use crate::campaign::minimise::{Minimised, Size};

/// Its size before and after, and whether it is as small as it can be.
#[must_use]
pub fn text(minimised: &Minimised) -> String {
    let Minimised { before, after, tried, is_smallest, .. } = minimised;
    let why = match is_smallest {
        true => "none of which can be left out",
        false => "and maybe not all are needed: it ended early",
    };
    format!("{} came to {}, {why} ({} schedules tried)", size(before), size(after), grouped(*tried))
}

/// Preemptions, switches and points.
#[must_use]
pub fn size(size: &Size) -> String {
    let counted = |count: usize, one: &str, many: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{} {many}", grouped(count as u64)),
    };
    format!(
        "{} with {} in {} points",
        counted(size.preemptions, "preemption", "preemptions"),
        counted(size.switches, "switch", "switches"),
        grouped(size.points)
    )
}
