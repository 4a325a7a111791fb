//! Thread-specific data: the keys of an execution, and the values of each virtual thread.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use crate::control::real::real;
use crate::control::sanitizer::Unwatched;

pub type Key = libc::pthread_key_t;
pub type Destructor = unsafe extern "C-unwind" fn(*mut c_void);

/// Added to the index of a key of ours; the system's are smaller.
pub const FIRST: Key = 1 << 16;
/// glibc's `PTHREAD_KEYS_MAX` and `PTHREAD_DESTRUCTOR_ITERATIONS`.
const MAX_KEYS: usize = 1024;
const DESTRUCTOR_ROUNDS: usize = 4;

/// Keys of libstdc++, and those that a runtime makes when it is loaded, are at the end of the table: they are made once in a
/// process, inside or outside of controlled executions, and used in both.
const MAX_LASTING: usize = 32;
const FIRST_LASTING: usize = MAX_KEYS - MAX_LASTING;
/// The generation of all of them.
const FOR_GOOD: u32 = u32::MAX;

struct Lasting {
    /// Null where there is no key.
    destructor: AtomicPtr<c_void>,
    /// The system's key, for threads that are not under control.
    system: AtomicU32,
}

static LASTING: [Lasting; MAX_LASTING] =
    [const { Lasting { destructor: AtomicPtr::new(std::ptr::null_mut()), system: AtomicU32::new(0) } }; MAX_LASTING];

#[derive(Clone, Copy, Default)]
pub struct Entry {
    /// Tells keys apart that had the same index one after the other; 0 for none.
    pub generation: u32,
    destructor: Option<Destructor>,
}

/// The keys that there are.
pub struct Keys {
    /// Those of the execution.
    entries: [Entry; FIRST_LASTING],
    generations: u32,
    /// No key of the execution has a larger index.
    used: usize,
}

impl Keys {
    pub fn new() -> Box<Self> {
        Box::new(Self { entries: [Entry::default(); FIRST_LASTING], generations: 0, used: 0 })
    }

    pub fn begin(&mut self) {
        self.entries[..self.used].fill(Entry::default());
        self.used = 0;
    }

    pub fn create(&mut self, destructor: Option<Destructor>) -> Option<Key> {
        let index = self.entries.iter().position(|entry| entry.generation == 0)?;
        self.generations += 1;
        self.entries[index] = Entry { generation: self.generations, destructor };
        self.used = self.used.max(index + 1);
        Some(key_of(index))
    }

    /// The key at an index, if there is one.
    pub fn entry(&self, index: usize) -> Option<Entry> {
        let entry = match index.checked_sub(FIRST_LASTING) {
            None => self.entries[index],
            Some(place) => {
                let destructor = LASTING.get(place)?.destructor.load(Ordering::Relaxed);
                // SAFETY: null, or what `create_lasting` stored.
                let destructor = unsafe { std::mem::transmute::<*mut c_void, Option<Destructor>>(destructor) };
                Entry { generation: destructor.map_or(0, |_| FOR_GOOD), destructor }
            }
        };
        (entry.generation != 0).then_some(entry)
    }

    pub fn delete(&mut self, index: usize) -> c_int {
        if self.entry(index).is_none() {
            return libc::EINVAL;
        }
        match index.checked_sub(FIRST_LASTING) {
            None => self.entries[index] = Entry::default(),
            Some(place) => LASTING[place].destructor.store(std::ptr::null_mut(), Ordering::Relaxed),
        }
        0
    }

    pub fn destructor(&self, index: usize, generation: u32) -> Option<Destructor> {
        self.entry(index).filter(|entry| entry.generation == generation)?.destructor
    }
}

fn key_of(index: usize) -> Key {
    FIRST + index as Key
}

pub fn index_of(key: Key) -> usize {
    (key - FIRST) as usize
}

/// The system makes the key too.
pub fn create_lasting(destructor: Destructor) -> Option<Key> {
    let place = LASTING.iter().position(|lasting| lasting.destructor.load(Ordering::Relaxed).is_null())?;
    let lasting = &LASTING[place];
    // SAFETY: passes a place for the key and a destructor of values.
    let error = unsafe {
        real!(pthread_key_create: fn(*mut Key, Option<Destructor>) -> c_int)(lasting.system.as_ptr(), Some(destructor))
    };
    lasting.destructor.store(destructor as *mut c_void, Ordering::Relaxed);
    (error == 0).then(|| key_of(FIRST_LASTING + place))
}

/// What the system knows a key by.
pub fn system_key(key: Key) -> Key {
    let place = key.checked_sub(key_of(FIRST_LASTING)).and_then(|place| LASTING.get(place as usize));
    place.map_or(key, |lasting| lasting.system.load(Ordering::Relaxed))
}

#[derive(Clone, Copy)]
pub struct Value {
    pub generation: u32,
    pub value: *mut c_void,
}

const NO_VALUE: Value = Value { generation: 0, value: std::ptr::null_mut() };

/// The values of one virtual thread, by the index of the key; allocated on first use.
pub struct Specific(UnsafeCell<Vec<Value>>);

impl Specific {
    pub const fn new() -> Self {
        Self(UnsafeCell::new(Vec::new()))
    }

    /// Called before the virtual thread begins.
    pub fn clear(&self) {
        if !self.is_empty() {
            let _unwatched = Unwatched::begin();
            // SAFETY: only the running virtual thread touches the values, or, as here, the one that makes it.
            unsafe { (*self.0.get()).fill(NO_VALUE) };
        }
    }

    pub fn get(&self, index: usize) -> Value {
        // SAFETY: the running thread's own; no reference outlives the call.
        unsafe { (&*self.0.get()).get(index).copied().unwrap_or(NO_VALUE) }
    }

    pub fn set(&self, index: usize, value: Value) {
        // SAFETY: as `get`.
        let values = unsafe { &mut *self.0.get() };
        if values.is_empty() {
            let _unwatched = Unwatched::begin();
            values.resize(MAX_KEYS, NO_VALUE);
        }
        values[index] = value;
    }

    fn is_empty(&self) -> bool {
        // SAFETY: as `get`.
        unsafe { (*self.0.get()).is_empty() }
    }

    /// Runs the destructors of the running thread's values: in rounds, since each may set values anew. `destructor_of`
    /// tells the one of the key at an index, of a generation.
    pub fn end(&self, destructor_of: impl Fn(usize, u32) -> Option<Destructor>) {
        if self.is_empty() {
            return;
        }
        for _ in 0..DESTRUCTOR_ROUNDS {
            let mut some = false;
            for index in 0..MAX_KEYS {
                let Value { generation, value } = self.get(index);
                if value.is_null() {
                    continue;
                }
                let destructor = destructor_of(index, generation);
                self.set(index, NO_VALUE);
                if let Some(destructor) = destructor {
                    some = true;
                    // SAFETY: given to `pthread_key_create` for values of this key.
                    unsafe { destructor(value) };
                }
            }
            if !some {
                return;
            }
        }
    }
}
