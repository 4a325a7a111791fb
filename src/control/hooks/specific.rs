//! Thread-specific data: keys that were made under control have a value per virtual thread. Other keys, those of
//! sanitizers' runtimes among them, are passed through.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};

use crate::control::active::{Active, active};
use crate::control::real::real;
use crate::control::sanitizer::Unwatched;

pub(super) type Key = libc::pthread_key_t;
pub(super) type Destructor = unsafe extern "C-unwind" fn(*mut c_void);

/// Added to the index of a key of ours; the system's are smaller.
const FIRST: Key = 1 << 16;
/// glibc's `PTHREAD_KEYS_MAX` and `PTHREAD_DESTRUCTOR_ITERATIONS`.
const MAX_KEYS: usize = 1024;
const DESTRUCTOR_ROUNDS: usize = 4;

#[derive(Clone, Copy, Default)]
struct Entry {
    /// Tells keys apart that had the same index one after the other; 0 for none.
    generation: u32,
    destructor: Option<Destructor>,
    /// Made by libstdc++, which makes a key once in a process.
    lasting: bool,
}

/// The keys that there are. Those of libstdc++ last, at the end of the table; an execution's own come and go.
pub struct Keys {
    entries: Box<[Entry]>,
    generations: u32,
    /// No key of an execution has a larger index.
    used: usize,
}

impl Keys {
    pub fn new() -> Self {
        Self { entries: vec![Entry::default(); MAX_KEYS].into(), generations: 0, used: 0 }
    }

    pub fn begin(&mut self) {
        for entry in self.entries[..self.used].iter_mut().filter(|entry| !entry.lasting) {
            entry.generation = 0;
        }
        self.used = 0;
    }

    fn create(&mut self, destructor: Option<Destructor>, lasting: bool) -> Option<Key> {
        let is_free = |entry: &Entry| entry.generation == 0;
        let index =
            if lasting { self.entries.iter().rposition(is_free) } else { self.entries.iter().position(is_free) }?;
        self.generations += 1;
        self.entries[index] = Entry { generation: self.generations, destructor, lasting };
        if !lasting {
            self.used = self.used.max(index + 1);
        }
        Some(FIRST + index as Key)
    }

    /// The entry of a key that exists.
    fn entry(&mut self, key: Key) -> Option<&mut Entry> {
        self.entries.get_mut((key - FIRST) as usize).filter(|entry| entry.generation != 0)
    }

    fn destructor(&self, index: usize, generation: u32) -> Option<Destructor> {
        self.entries[index].destructor.filter(|_| generation != 0 && self.entries[index].generation == generation)
    }
}

#[derive(Clone, Copy)]
struct Value {
    generation: u32,
    value: *mut c_void,
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

    fn get(&self, index: usize) -> Value {
        // SAFETY: the running thread's own; no reference outlives the call.
        unsafe { (&*self.0.get()).get(index).copied().unwrap_or(NO_VALUE) }
    }

    fn set(&self, index: usize, value: Value) {
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

    /// Runs the destructors of the running thread's values: in rounds, since each may set values anew.
    pub fn end(&self, active: &Active) {
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
                let destructor = active.ask(|controller| controller.keys.destructor(index, generation));
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

/// Whether libstdc++ is where a destructor lies.
fn is_of_libstdcxx(destructor: Option<Destructor>) -> bool {
    unsafe extern "C" {
        /// libstdc++'s `std::terminate`.
        fn _ZSt9terminatev();
    }
    let base = |address: *const c_void| {
        // SAFETY: `Dl_info` may be all zeros, and the call fills it.
        unsafe {
            let mut info: libc::Dl_info = std::mem::zeroed();
            (libc::dladdr(address, &raw mut info) != 0).then_some(info.dli_fbase)
        }
    };
    let own = base(_ZSt9terminatev as *const c_void);
    destructor.is_some_and(|destructor| own.is_some() && base(destructor as *const c_void) == own)
}

pub(super) fn create(active: &Active, destructor: Option<Destructor>) -> Option<Key> {
    let lasting = is_of_libstdcxx(destructor);
    active.ask(|controller| controller.keys.create(destructor, lasting))
}

/// The execution that a key belongs to; `None` for the system's own.
fn active_for(key: Key) -> Option<&'static Active> {
    active().filter(|_| key >= FIRST)
}

fn of_thread(active: &Active) -> &Specific {
    &active.engine.thread(active.current()).specific
}

fn delete(active: &Active, key: Key) -> c_int {
    active.ask(|controller| match controller.keys.entry(key) {
        Some(entry) => {
            entry.generation = 0;
            0
        }
        None => libc::EINVAL,
    })
}

fn get(active: &Active, key: Key) -> *mut c_void {
    let Value { generation, value } = of_thread(active).get((key - FIRST) as usize);
    let exists =
        active.ask(|controller| controller.keys.entry(key).is_some_and(|entry| entry.generation == generation));
    if exists { value } else { std::ptr::null_mut() }
}

fn set(active: &Active, key: Key, value: *mut c_void) -> c_int {
    let Some(generation) = active.ask(|controller| controller.keys.entry(key).map(|entry| entry.generation)) else {
        return libc::EINVAL;
    };
    of_thread(active).set((key - FIRST) as usize, Value { generation, value });
    0
}

/// Stands in for `pthread_key_create`.
///
/// # Safety
/// That of the function. The same holds for the others below.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn pthread_key_create(key: *mut Key, destructor: Option<Destructor>) -> c_int {
    let Some(active) = active() else {
        // SAFETY: passed on unchanged.
        return unsafe { real!(pthread_key_create: fn(*mut Key, Option<Destructor>) -> c_int)(key, destructor) };
    };
    let Some(made) = create(active, destructor) else { return libc::EAGAIN };
    // SAFETY: the caller's promise.
    unsafe { *key = made };
    0
}

/// Hooks for functions of keys, POSIX's and C11's: `name(key, arguments) -> result = what happens to keys of ours`.
macro_rules! of_keys {
    ($($name:ident($key:ident $(, $argument:ident: $type:ty)*) $(-> $result:ty)? = |$active:ident| $emulated:expr;)*) => {$(
        #[doc = concat!("Stands in for `", stringify!($name), "`.")]
        #[unsafe(no_mangle)]
        unsafe extern "C-unwind" fn $name($key: Key $(, $argument: $type)*) $(-> $result)? {
            match active_for($key) {
                Some($active) => $emulated,
                // SAFETY: passed on unchanged.
                None => unsafe { real!($name: fn(Key $(, $type)*) $(-> $result)?)($key $(, $argument)*) },
            }
        }
    )*};
}

of_keys! {
    pthread_key_delete(key) -> c_int = |active| delete(active, key);
    pthread_getspecific(key) -> *mut c_void = |active| get(active, key);
    pthread_setspecific(key, value: *mut c_void) -> c_int = |active| set(active, key, value);
    tss_delete(key) = |active| { delete(active, key); };
    tss_get(key) -> *mut c_void = |active| get(active, key);
    tss_set(key, value: *mut c_void) -> c_int = |active| super::c11::status(set(active, key, value));
}
