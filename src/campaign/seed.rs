//! Which task graph and which schedule execution number `i` of a campaign has.
//!
//! Both depend on the campaign's seed and the thread count alone, never on the sanitizer, so that every
//! sanitizer sees the same task graphs under the same schedules.

use crate::model::splitmix::splitmix64;

/// Keeps task graphs and schedules apart that have the same number.
const GRAPH_STREAM: u64 = 0x7072_6f67_7261_6d73;
const SCHEDULE_STREAM: u64 = 0x7363_6865_6475_6c65;
const MEMORY_STREAM: u64 = 0x6d65_6d6f_7279;

/// The seed that task graph number `graph` is generated from.
#[must_use]
pub fn graph_seed(campaign: u64, threads: u16, graph: u64) -> u64 {
    combine(GRAPH_STREAM, campaign, threads, graph)
}

/// The seed of the strategy in execution number `execution`.
#[must_use]
pub fn schedule_seed(campaign: u64, threads: u16, execution: u64) -> u64 {
    combine(SCHEDULE_STREAM, campaign, threads, execution)
}

/// Whether the execution with that seed is one of the quarter under a weak memory model, where a campaign has some of them.
#[must_use]
pub fn is_weak(seed: u64) -> bool {
    splitmix64(seed ^ MEMORY_STREAM).is_multiple_of(4)
}

fn combine(stream: u64, campaign: u64, threads: u16, number: u64) -> u64 {
    [campaign, u64::from(threads), number]
        .into_iter()
        .fold(stream, |state, value| splitmix64(state ^ splitmix64(value)))
}

/// The seed of a slice of a coverage-guided campaign.
#[must_use]
pub fn slice_seed(campaign: u64, cell: usize, first: u64) -> u64 {
    splitmix64(splitmix64(splitmix64(campaign) ^ cell as u64) ^ first)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn seeds_differ_between_executions_thread_counts_campaigns_and_uses() {
        let mut seen = HashSet::new();
        for campaign in 0..4 {
            for threads in [1, 2, 4, 8] {
                for number in 0..1000 {
                    assert!(seen.insert(graph_seed(campaign, threads, number)));
                    assert!(seen.insert(schedule_seed(campaign, threads, number)));
                }
            }
        }
    }
}
