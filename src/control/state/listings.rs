//! The directories that the target reads, in the order of names.

use std::ffi::CStr;

use crate::control::real::real;

/// A directory that the target reads.
pub struct Listing {
    stream: *mut libc::DIR,
    /// Read all at once when the first is asked for, as a real `readdir` does up to the size of its buffer.
    entries: Option<Entries>,
    next: usize,
}

/// Where the target reads them: a block of the C library, so that sanitizers see whoever does so once it is freed.
struct Entries {
    first: *mut libc::dirent64,
    count: usize,
}

/// The directories that the target has open.
pub struct Listings(Vec<Listing>);

impl Listings {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub fn of(&mut self, stream: *mut libc::DIR) -> Option<&mut Listing> {
        self.0.iter_mut().find(|listing| listing.stream == stream)
    }

    pub fn remove(&mut self, stream: *mut libc::DIR) {
        self.0.retain(|listing| listing.stream != stream);
    }

    pub fn add(&mut self, stream: *mut libc::DIR) {
        self.0.push(Listing { stream, entries: None, next: 0 });
    }

    /// Takes one out, to be closed.
    pub fn take_left(&mut self) -> Option<*mut libc::DIR> {
        self.0.pop().map(|listing| listing.stream)
    }
}

impl Listing {
    /// The directory is read anew.
    pub fn rewind(&mut self) {
        (self.entries, self.next) = (None, 0);
    }

    /// # Safety
    /// The stream is open.
    pub unsafe fn next(&mut self) -> *mut libc::dirent64 {
        let stream = self.stream;
        let entries = self.entries.get_or_insert_with(|| {
            let mut entries = Vec::new();
            // SAFETY: the caller's promise. An entry is as long as its name only; the rest is not read.
            unsafe {
                loop {
                    let entry = real!(readdir64: fn(*mut libc::DIR) -> *mut libc::dirent64)(stream);
                    if entry.is_null() {
                        break;
                    }
                    let mut copy = std::mem::zeroed::<libc::dirent64>();
                    let length = usize::from((*entry).d_reclen).min(size_of::<libc::dirent64>());
                    std::ptr::copy_nonoverlapping(entry.cast::<u8>(), (&raw mut copy).cast::<u8>(), length);
                    entries.push(copy);
                }
            }
            entries.sort_unstable_by(|a, b| name(a).cmp(name(b)));
            Entries::of(&entries)
        });
        self.next += 1;
        entries.get(self.next - 1)
    }
}

impl Entries {
    fn of(entries: &[libc::dirent64]) -> Self {
        // SAFETY: has no preconditions.
        let first = unsafe { libc::malloc(size_of_val(entries).max(1)) }.cast::<libc::dirent64>();
        assert!(!first.is_null(), "no memory for a directory of {} entries", entries.len());
        // SAFETY: the block has room for them, and is new.
        unsafe { first.copy_from_nonoverlapping(entries.as_ptr(), entries.len()) };
        Self { first, count: entries.len() }
    }

    /// Null behind the last one.
    fn get(&self, index: usize) -> *mut libc::dirent64 {
        // SAFETY: within the block.
        if index < self.count { unsafe { self.first.add(index) } } else { std::ptr::null_mut() }
    }
}

impl Drop for Entries {
    fn drop(&mut self) {
        // SAFETY: `of` got it there.
        unsafe { libc::free(self.first.cast()) };
    }
}

fn name(entry: &libc::dirent64) -> &CStr {
    // SAFETY: the system ends names with a 0.
    unsafe { CStr::from_ptr(entry.d_name.as_ptr()) }
}
