//! What a test prints when an expectation fails, which tells more than its exit status.

use std::io;

use crate::check::framework::Framework;
use crate::model::verdict::{Failure, Judgement, Verdict};
use crate::process::Capture;

/// The output of a program that is one test of a framework.
pub(crate) struct Printed {
    framework: Framework,
    capture: Capture,
}

impl Printed {
    /// # Errors
    /// As [`Capture::begin`].
    pub fn begin(framework: Framework) -> io::Result<Self> {
        Ok(Self { framework, capture: Capture::begin(false)? })
    }

    /// Says of an execution that ended with an error which expectation failed in it, if one did.
    pub fn tell(&mut self, judgement: &mut Judgement) {
        let Judgement::Wrong(failure) = judgement else { return };
        // Whatever failed, what was printed is not that of the next one.
        let printed = self.capture.take();
        if failure.verdict == Verdict::ExitStatus
            && let Some(expectation) = self.framework.failure(&printed)
        {
            // What values there were differs from one execution to the next.
            let cause = format!("failed expectation at {}", expectation.place);
            let message = format!("failed expectation at {}: {}", expectation.place, expectation.said);
            *failure = Failure { verdict: Verdict::FailedAssertion, oracle: failure.oracle, message, cause };
        }
    }
}
