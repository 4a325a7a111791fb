//! What a runtime offers behind its adapter, and what it promises: task graphs and oracles follow it.

use serde::{Deserialize, Serialize};

/// The layout that cpp/harness/offers.hpp writes.
const VERSION: u32 = 1;
/// Its size.
pub const BYTES: usize = 16;

/// What an adapter may have beyond its core. The numbers are those of the bits in cpp/harness/offers.hpp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    MainAffinity,
    Start,
    RequestStop,
    StopRequested,
    WhenAll,
    WhenAny,
    Hop,
    Yield,
    Sleep,
    Mutex,
    Semaphore,
    Event,
    AutoReset,
    Latch,
    Barrier,
    Channel,
}

impl Capability {
    pub const ALL: [Self; 16] = [
        Self::MainAffinity,
        Self::Start,
        Self::RequestStop,
        Self::StopRequested,
        Self::WhenAll,
        Self::WhenAny,
        Self::Hop,
        Self::Yield,
        Self::Sleep,
        Self::Mutex,
        Self::Semaphore,
        Self::Event,
        Self::AutoReset,
        Self::Latch,
        Self::Barrier,
        Self::Channel,
    ];

    /// As adapters and pages name it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::MainAffinity => "main affinity",
            Self::Start => "start and join",
            Self::RequestStop => "request_stop",
            Self::StopRequested => "stop_requested",
            Self::WhenAll => "when_all",
            Self::WhenAny => "when_any",
            Self::Hop => "hop",
            Self::Yield => "yield",
            Self::Sleep => "sleep_for",
            Self::Mutex => "mutex",
            Self::Semaphore => "semaphore",
            Self::Event => "event",
            Self::AutoReset => "auto-reset event",
            Self::Latch => "latch",
            Self::Barrier => "barrier",
            Self::Channel => "channel",
        }
    }

    /// What it is of no use without.
    #[must_use]
    pub fn needs(self) -> Option<Self> {
        match self {
            Self::RequestStop => Some(Self::Start),
            Self::Hop => Some(Self::MainAffinity),
            Self::AutoReset => Some(Self::Event),
            // Nobody asks for a stop otherwise.
            Self::StopRequested => Some(Self::RequestStop),
            _ => None,
        }
    }

    fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Operations that give something back, and that some runtimes suspend a task in. The numbers are those of the bits in
/// cpp/harness/offers.hpp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivesBack {
    Unlock,
    Release,
    Set,
    Arrive,
    Close,
}

/// What becomes of the losers of a `when_any` before it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Losers {
    RunOn,
    Awaited,
    StoppedAndAwaited,
}

/// All of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offers {
    members: u32,
    suspending: u8,
    /// Threads that run tasks, beyond those that were asked for.
    pub extra_threads: u8,
    /// Handles may be given up at any time, and not only where the task is started.
    pub detaches_any_time: bool,
    pub losers: Losers,
    /// The failure of a child wins a `when_any`; else children of one must not fail.
    pub failure_wins: bool,
    /// Tasks that have not ended are destroyed with the scheduler; else they are waited for before.
    pub destroys: bool,
    /// What runs out of memory throws and has had no effect; else memory does not run out.
    pub survives_out_of_memory: bool,
}

/// Everything, as the bundled runtime offers it.
impl Default for Offers {
    fn default() -> Self {
        Self {
            members: Capability::ALL.iter().fold(0, |members, capability| members | capability.bit()),
            suspending: 0,
            extra_threads: 0,
            detaches_any_time: true,
            losers: Losers::StoppedAndAwaited,
            failure_wins: true,
            destroys: true,
            survives_out_of_memory: true,
        }
    }
}

impl Offers {
    /// Reads what a target says of itself.
    ///
    /// # Errors
    /// It is not of this version.
    pub fn read(bytes: [u8; BYTES]) -> Result<Self, String> {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        if word(0) != VERSION {
            return Err(format!(
                "it was compiled against the headers of another version ({} and not {VERSION}); compile it with those of this one",
                word(0)
            ));
        }
        Ok(Self {
            members: word(4),
            suspending: bytes[8],
            extra_threads: bytes[9],
            detaches_any_time: bytes[10] == 1,
            losers: match bytes[11] {
                0 => Losers::RunOn,
                1 => Losers::Awaited,
                _ => Losers::StoppedAndAwaited,
            },
            failure_wins: bytes[12] == 1,
            destroys: bytes[13] == 1,
            survives_out_of_memory: bytes[14] == 1,
        })
    }

    #[must_use]
    pub fn has(&self, capability: Capability) -> bool {
        self.members & capability.bit() != 0
    }

    #[must_use]
    pub fn suspends(&self, operation: GivesBack) -> bool {
        self.suspending & 1 << operation as u8 != 0
    }

    /// Whether nothing that gives something back suspends a task.
    #[must_use]
    pub fn gives_back_at_once(&self) -> bool {
        self.suspending == 0
    }

    /// Of this, only the core, these capabilities and what they need.
    #[must_use]
    pub fn only(&self, capabilities: &[Capability]) -> Self {
        let needed = |capability: &Capability| std::iter::successors(Some(*capability), |needs| needs.needs());
        let wanted = capabilities.iter().flat_map(needed).fold(0, |members, capability| members | capability.bit());
        // Which kind of task there is cannot be chosen.
        Self { members: self.members & (wanted | Capability::MainAffinity.bit()), ..*self }
    }

    /// For people: what task graphs do without.
    #[must_use]
    pub fn left_out(&self) -> Vec<&'static str> {
        let members = Capability::ALL.into_iter().filter(|capability| !self.has(*capability)).map(Capability::word);
        let groups = self.has(Capability::WhenAny) && !self.failure_wins;
        let handles = self.has(Capability::Start) && !self.detaches_any_time;
        let promises = [
            (groups, "failures in when_any"),
            (handles, "handles given up later"),
            (!self.survives_out_of_memory, "allocations that fail"),
        ];
        members.chain(promises.into_iter().filter(|(is_out, _)| *is_out).map(|(_, word)| word)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_target_says_is_read_by_the_layout_of_the_header() {
        let mut bytes = [0; BYTES];
        (bytes[0], bytes[4], bytes[8], bytes[9], bytes[11]) = (1, 0b1000_0010, 0b10, 3, 1);
        let offers = Offers::read(bytes).expect("this version");
        let has: Vec<Capability> = Capability::ALL.into_iter().filter(|capability| offers.has(*capability)).collect();
        assert_eq!(has, [Capability::Start, Capability::Yield]);
        assert!(offers.suspends(GivesBack::Release) && !offers.suspends(GivesBack::Unlock));
        assert_eq!((offers.extra_threads, offers.losers, offers.destroys), (3, Losers::Awaited, false));
        bytes[0] = 2;
        assert!(Offers::read(bytes).is_err_and(|why| why.contains("another version")));
    }

    #[test]
    fn what_is_left_out_is_named() {
        assert!(Offers::default().left_out().is_empty());
        let few = Offers { survives_out_of_memory: false, ..Offers::default().only(&[Capability::AutoReset]) };
        assert!(few.has(Capability::Event) && !few.has(Capability::Mutex));
        assert!(few.left_out().contains(&"mutex") && few.left_out().contains(&"allocations that fail"));
    }
}
