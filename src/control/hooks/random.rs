//! The system's random numbers, which are the same in every execution, so that findings replay.
//!
//! Each virtual thread has a sequence of its own: what one draws is no matter of what the others drew before. The processor's
//! own instruction cannot be told apart from any other, so what is drawn with it in place of a call differs each time.

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_uint, c_void};
use std::sync::OnceLock;

use super::call::stand_in_for_calls;
use super::{set_errno, stand_in};
use crate::control::active::{Active, active};
use crate::control::order;
use crate::control::real::real;
use crate::control::sanitizer::Unwatched;
use crate::strategy::Dice;

/// Bytes that `getentropy` gives at most.
const MOST_ENTROPY: usize = 256;
/// Devices that give random bytes.
const DEVICES: [&CStr; 2] = [c"/dev/urandom", c"/dev/random"];
/// Bytes of the file that stands in for them, and of them those that are behind every place where a stream begins.
const FILE: usize = 1 << 20;
const STREAM: usize = 1 << 18;
/// The number of its descriptor, or the next free one: none of those that a program sees get for a few files.
const NUMBER: usize = 480;
const WORD: usize = size_of::<u64>();

/// The calling thread's next number.
fn draw(active: &Active) -> u64 {
    let thread = active.engine.thread(active.current());
    let count = thread.drawn.get();
    thread.drawn.set(count + 1);
    Dice::new(u64::from(thread.id) << 48 ^ count).any()
}

/// Fills the buffer as the function would that was called from `caller`.
///
/// # Safety
/// `buffer` has room for so many bytes.
unsafe fn fill(active: &Active, buffer: *mut c_void, size: usize, caller: usize) {
    order::writes(buffer as usize, size, caller);
    let buffer = buffer.cast::<u8>();
    for start in (0..size).step_by(WORD) {
        let bytes = draw(active).to_ne_bytes();
        for (index, byte) in (start..size).zip(bytes) {
            // Volatile, so that it becomes no call that a sanitizer sees.
            // SAFETY: the caller's promise.
            unsafe { buffer.add(index).write_volatile(byte) };
        }
    }
}

stand_in_for_calls! {
    fn getrandom(buffer: *mut c_void, size: usize, flags: c_uint) -> isize |active, call| {
        // So Rust's library asks for the keys of its maps, the controller's as well, once in a process.
        if flags & libc::GRND_INSECURE != 0 {
            // SAFETY: passed on unchanged.
            return unsafe { real!(getrandom: fn(*mut c_void, usize, c_uint) -> isize)(buffer, size, flags) };
        }
        // SAFETY: the caller's promise.
        unsafe { fill(active, buffer, size, call.caller) };
        size as isize
    }

    fn getentropy(buffer: *mut c_void, size: usize) -> c_int |active, call| {
        if size > MOST_ENTROPY {
            set_errno(libc::EIO);
            return -1;
        }
        // SAFETY: the caller's promise.
        unsafe { fill(active, buffer, size, call.caller) };
        0
    }

    fn arc4random_buf(buffer: *mut c_void, size: usize) |active, call| {
        // SAFETY: the caller's promise.
        unsafe { fill(active, buffer, size, call.caller) };
    }
}

stand_in! {
    fn arc4random() -> c_uint |active| {
        draw(active) as c_uint
    }

    fn arc4random_uniform(bound: c_uint) -> c_uint |active| {
        (draw(active) % u64::from(bound.max(1))) as c_uint
    }

    #[doc = "`std::random_device` of libstdc++, wherever it gets its numbers from."]
    fn _ZNSt13random_device9_M_getvalEv(device: *mut c_void) -> c_uint |active| {
        let _ = device;
        draw(active) as c_uint
    }

    #[doc = "The same where it was asked for a sequence from a seed, which the old interface takes for another one."]
    fn _ZNSt13random_device16_M_getval_pretr1Ev(device: *mut c_void) -> c_uint |active| {
        let _ = device;
        draw(active) as c_uint
    }
}

/// `getrandom` by its number.
///
/// # Safety
/// That of the function.
pub(super) unsafe fn by_number(active: &Active, buffer: *mut c_void, size: usize) -> c_long {
    // SAFETY: the caller's promise.
    unsafe { fill(active, buffer, size, 0) };
    size as c_long
}

/// What is opened in place of a path under control.
pub(super) enum Place {
    Itself,
    /// A file with random bytes.
    Random(&'static CStr),
}

impl Place {
    /// # Safety
    /// `path` is null or a C string.
    pub unsafe fn of(path: *const c_char) -> Self {
        // SAFETY: the caller's promise.
        let is_device = !path.is_null() && DEVICES.contains(&unsafe { CStr::from_ptr(path) });
        match active() {
            Some(_) if is_device => file().map_or(Self::Itself, Self::Random),
            _ => Self::Itself,
        }
    }

    pub fn path(&self, path: *const c_char) -> *const c_char {
        match self {
            Self::Itself => path,
            Self::Random(file) => file.as_ptr(),
        }
    }

    /// After it was opened as `descriptor`, or could not be: what is read begins somewhere else each time.
    pub fn opened(&self, descriptor: c_int) {
        if let (Self::Random(_), Some(active)) = (self, active()) {
            let start = draw(active) as usize % (FILE - STREAM);
            // SAFETY: moves within a file.
            unsafe { libc::lseek(descriptor, start as libc::off_t, libc::SEEK_SET) };
        }
    }
}

/// The path of a file of random bytes, made on first use; `None` if it cannot be made.
fn file() -> Option<&'static CStr> {
    static PATH: OnceLock<Option<CString>> = OnceLock::new();
    PATH.get_or_init(|| {
        let _unwatched = Unwatched::begin();
        let mut dice = Dice::new(0);
        let bytes: Vec<u8> = (0..FILE / WORD).flat_map(|_| dice.any().to_ne_bytes()).collect();
        // SAFETY: a new file, which is written as a whole and then sealed; the names are C strings.
        let number = unsafe {
            let file = libc::memfd_create(c"random".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING);
            let fcntl = real!(fcntl: fn(c_int, c_int, usize) -> c_int);
            let number = fcntl(file, libc::F_DUPFD_CLOEXEC, NUMBER);
            real!(close: fn(c_int) -> c_int)(file);
            let written =
                real!(write: fn(c_int, *const c_void, usize) -> isize)(number, bytes.as_ptr().cast(), bytes.len());
            fcntl(number, libc::F_ADD_SEALS, (libc::F_SEAL_WRITE | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW) as usize);
            if written == bytes.len() as isize { number } else { -1 }
        };
        (number >= 0).then(|| CString::new(format!("/proc/self/fd/{number}")).expect("no zero byte"))
    })
    .as_deref()
}
