//! Makes room, which is rare: the one place that allocates and frees while an execution goes on.

use crate::control::sanitizer::Unwatched;

/// Doubles what the vector has room for if that is less than `needed`.
#[inline]
pub(super) fn made<T>(vector: &mut Vec<T>, needed: usize) {
    if vector.capacity() < needed {
        make(vector, needed);
    }
}

#[cold]
fn make<T>(vector: &mut Vec<T>, needed: usize) {
    let _unwatched = Unwatched::begin();
    let room = needed.max(2 * vector.capacity()).max(16);
    vector.reserve_exact(room - vector.len());
}

/// Frees a vector that is no longer needed.
#[cold]
pub(super) fn dropped<T>(vector: Vec<T>) {
    let _unwatched = Unwatched::begin();
    drop(vector);
}
