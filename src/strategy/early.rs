//! Time-outs that come early: although the time is not over and somebody else can run.
//!
//! On a real machine everybody else may be held up for so long, so strategies with priorities let it happen in some executions.
//! But a loop that waits with a time-out, such as a reactor's, would then keep all below it from running, time-out after
//! time-out, for as long as an execution may last. So an execution has a few of them.

/// Time-outs of an execution that come early: at most.
const MOST: u32 = 16;

/// Those that the execution still has.
#[derive(Default)]
pub struct EarlyTimeOuts {
    left: u32,
}

impl EarlyTimeOuts {
    /// One execution in so many has them.
    pub const ODDS: u64 = 4;

    /// A new execution, which has them or not.
    pub fn begin(&mut self, has_them: bool) {
        self.left = if has_them { MOST } else { 0 };
    }

    /// Whether one may come now.
    pub fn are_left(&self) -> bool {
        self.left > 0
    }

    /// One came.
    pub fn take(&mut self) {
        self.left -= 1;
    }
}
