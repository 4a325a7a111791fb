//! The counters that libFuzzer reads beside the edges of the code, and the edges of the target's C++.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// A counter and the power of 2 that it reached.
pub type Feature = (u16, u8);

/// Counters in all.
pub const COUNT: usize = 1 << 15;

/// libFuzzer finds them by the section's name, clears them before each input and takes every power of 2 that a counter has
/// not reached before for something new. Rust's atomics, since no other counter can be static; nothing is ordered by them.
#[used]
// SAFETY: a section of libFuzzer's for arrays of bytes, which this is.
#[unsafe(link_section = "__libfuzzer_extra_counters")]
static COUNTERS: [AtomicU8; COUNT] = [const { AtomicU8::new(0) }; COUNT];

/// Flags that are compared together; nearly always they are the same.
const CHUNK: usize = 64;

/// The first flag of the target's edges, one byte each, and how many there are.
static EDGES: AtomicUsize = AtomicUsize::new(0);
static EDGE_COUNT: AtomicUsize = AtomicUsize::new(0);

/// Says that what the counter stands for happened.
#[inline]
pub fn mark(counter: usize) {
    COUNTERS[counter].store(1, Ordering::Relaxed);
}

/// Counts once more what the counter stands for.
#[inline]
pub fn add(counter: usize) {
    let counter = &COUNTERS[counter];
    counter.store(counter.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
}

/// Sets all counters to 0, as libFuzzer does.
pub fn clear() {
    for counter in &COUNTERS {
        counter.store(0, Ordering::Relaxed);
    }
}

/// Calls `seen` with each counter that is not 0 and what it has, rounded down to a power of 2 as libFuzzer does in about.
pub fn each_feature(mut seen: impl FnMut(Feature)) {
    let first = COUNTERS.as_ptr().cast::<u64>();
    for word in 0..COUNT / size_of::<u64>() {
        // SAFETY: within the counters, which nobody raises in the meantime; they may lie at any address.
        let values = unsafe { first.add(word).read_unaligned() };
        // Most are 0.
        if values != 0 {
            let places = word * size_of::<u64>()..;
            let values = places.zip(values.to_ne_bytes()).filter(|(_, value)| *value != 0);
            values.for_each(|(place, value)| seen((place as u16, value.ilog2() as u8)));
        }
    }
}

/// All of them.
#[must_use]
pub fn features() -> Vec<Feature> {
    let mut features = Vec::new();
    each_feature(|feature| features.push(feature));
    features
}

/// The flags of the target's edges, which are 1 once the edge was passed; none if it was built with g++.
fn edges() -> &'static mut [u8] {
    let (first, count) = (EDGES.load(Ordering::Relaxed) as *mut u8, EDGE_COUNT.load(Ordering::Relaxed));
    // SAFETY: they are bytes of the executable's data, which nobody else uses while no target runs.
    if count == 0 { &mut [] } else { unsafe { std::slice::from_raw_parts_mut(first, count) } }
}

/// Calls `passed` with the number of each edge that was passed and is not in `known`, to which it is added.
pub fn new_edges(known: &mut Vec<u8>, mut passed: impl FnMut(usize)) {
    let edges = edges();
    known.resize(edges.len(), 0);
    for (chunk, (now, known)) in edges.chunks(CHUNK).zip(known.chunks_mut(CHUNK)).enumerate() {
        if now != known {
            (chunk * CHUNK..)
                .zip(now.iter().zip(&*known))
                .filter(|(_, (now, known))| now != known)
                .for_each(|(edge, _)| passed(edge));
            known.copy_from_slice(now);
        }
    }
}

/// No edge was passed yet.
pub fn forget_edges() {
    edges().fill(0);
}

/// Called by the constructor of each file that clang instrumented, always with the same flags.
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_bool_flag_init(first: *mut u8, end: *mut u8) {
    EDGES.store(first as usize, Ordering::Relaxed);
    EDGE_COUNT.store(end as usize - first as usize, Ordering::Relaxed);
}

/// The counters are the process's, and tests run beside each other.
#[cfg(test)]
pub fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
