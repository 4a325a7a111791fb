//! How long an execution may last.

/// Points that an execution may pass.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub points: u64,
    /// From here on everyone gets their share, so that what waits for others comes to its end.
    pub fair_after: u64,
}

impl Budget {
    /// From here on nobody sleeps for long, since some may wait for those who do without ever waiting themselves.
    pub(super) fn late_after(self) -> u64 {
        self.fair_after + self.points.saturating_sub(self.fair_after) / 4
    }
}

impl From<u64> for Budget {
    fn from(points: u64) -> Self {
        Self { points, fair_after: points / 2 }
    }
}
