//! What the sanitizers must be told: fibers, and the ordering that emulated primitives give.

mod clocks;
mod fences;
mod shadow;

pub(super) use clocks::{Cells, show};
pub(super) use fences::Fences;
pub(super) use shadow::look_again;

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_uint, c_ulong, c_void};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::digest::{BASIS, fnv1a};
use crate::model::settings::Sanitizer;

/// cpp/control/real.c; each is null unless a sanitizer that has it is loaded.
#[repr(C)]
struct Interface {
    current_fiber: Option<unsafe extern "C" fn() -> *mut c_void>,
    create_fiber: Option<unsafe extern "C" fn(c_uint) -> *mut c_void>,
    switch_to_fiber: Option<unsafe extern "C" fn(*mut c_void, c_uint)>,
    destroy_fiber: Option<unsafe extern "C" fn(*mut c_void)>,
    acquire: Option<unsafe extern "C" fn(*mut c_void)>,
    release: Option<unsafe extern "C" fn(*mut c_void)>,
    ignore_begin: Option<unsafe extern "C" fn()>,
    ignore_end: Option<unsafe extern "C" fn()>,
    atomic_store: Option<unsafe extern "C" fn(*mut u64, u64, c_int)>,
    atomic_load: [Option<unsafe extern "C" fn(*const c_void, c_int)>; 4],
    atomic_or: [Option<unsafe extern "C" fn(*mut c_void, u64, c_int)>; 4],
    func_entry: Option<unsafe extern "C" fn(*const c_void)>,
    func_exit: Option<unsafe extern "C" fn()>,
    start_switch: Option<unsafe extern "C" fn(*mut *mut c_void, *const c_void, usize)>,
    finish_switch: Option<unsafe extern "C" fn(*mut c_void, *mut *const c_void, *mut usize)>,
    unpoison: Option<unsafe extern "C" fn(*const c_void, usize)>,
    read: Option<unsafe extern "C" fn(*const c_void, *const c_void)>,
    write: Option<unsafe extern "C" fn(*const c_void, *const c_void)>,
    read_range: Option<unsafe extern "C" fn(*const c_void, usize, *const c_void)>,
    write_range: Option<unsafe extern "C" fn(*const c_void, usize, *const c_void)>,
    load: Option<unsafe extern "C" fn(usize, usize)>,
    store: Option<unsafe extern "C" fn(usize, usize)>,
    leak_check: Option<unsafe extern "C" fn() -> c_int>,
    report_access: Option<ReportAccess>,
    benign_race: Option<unsafe extern "C" fn(*const c_char, c_int, *const c_void, usize, *const c_char)>,
    watch_allocations: Option<unsafe extern "C" fn(Allocated, Freed) -> c_int>,
    is_block: Option<unsafe extern "C" fn(*const c_void) -> c_int>,
    size_of_block: Option<unsafe extern "C" fn(*const c_void) -> usize>,
}

/// What ASan calls after each allocation, and before each block is freed.
type Allocated = extern "C" fn(*const c_void, usize);
type Freed = extern "C" fn(*const c_void);

/// `__tsan_get_report_mop`: thread, address, size, whether it is a write and atomic, and the calls of one access.
type ReportAccess = unsafe extern "C" fn(
    *mut c_void,
    c_ulong,
    *mut c_int,
    *mut *mut c_void,
    *mut c_int,
    *mut c_int,
    *mut c_int,
    *mut *mut c_void,
    c_ulong,
) -> c_int;

unsafe extern "C" {
    #[link_name = "threadbare_sanitizer"]
    static INTERFACE: Interface;
}

#[inline]
fn interface() -> &'static Interface {
    // SAFETY: a variable of cpp/control/real.c with this layout, which is written before `main` alone.
    unsafe { &INTERFACE }
}

/// The sanitizer that is loaded into this process.
#[inline]
#[must_use]
pub fn loaded() -> Sanitizer {
    match interface() {
        Interface { acquire: Some(_), .. } => Sanitizer::Thread,
        Interface { unpoison: Some(_), .. } => Sanitizer::Address,
        _ => Sanitizer::None,
    }
}

/// Makes `allocate` part of the function that called from `caller`, as TSan's reports tell it. Its own forms of
/// `operator new` do that by themselves, but its shared runtime has none.
#[inline]
pub(super) fn called_from<R>(caller: usize, allocate: impl FnOnce() -> R) -> R {
    let Interface { func_entry: Some(entry), func_exit: Some(exit), .. } = interface() else { return allocate() };
    // SAFETY: a pair around what does not switch; TSan only keeps the address.
    unsafe { entry(caller as *const c_void) };
    let allocated = allocate();
    // SAFETY: ends what `entry` began, on the same thread.
    unsafe { exit() };
    allocated
}

/// `__tsan_switch_to_fiber`'s flag for a switch that orders nothing.
const NO_SYNC: c_uint = 1;

static REPORTS: AtomicU32 = AtomicU32::new(0);

/// Accesses of a report, and calls of each that are looked at. Its signature is made of the innermost ones of the program:
/// those of a library's template alone would tell nothing of who called it.
const ACCESSES: c_ulong = 2;
const FRAMES: usize = 32;
const OWN_FRAMES: usize = 4;
/// Reports of one execution whose signatures are kept.
const MAX_SIGNATURES: usize = 16;
/// Of known reports and of new ones.
static KNOWN: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];
static NEW: [AtomicU64; MAX_SIGNATURES] = [const { AtomicU64::new(0) }; MAX_SIGNATURES];

/// TSan calls this for each report it makes, after printing it.
#[unsafe(no_mangle)]
extern "C" fn __tsan_on_report(report: *mut c_void) {
    let signature = signature(report);
    if !is_known(signature) {
        count(signature);
    }
}

/// Whether reports of this signature do not count.
pub(super) fn is_known(signature: u64) -> bool {
    signature != 0 && KNOWN.iter().any(|known| known.load(Ordering::Relaxed) == signature)
}

/// Counts a report.
pub(super) fn count(signature: u64) {
    if let Some(place) = NEW.get(REPORTS.fetch_add(1, Ordering::Relaxed) as usize) {
        place.store(signature, Ordering::Relaxed);
    }
}

/// Tells races in the program under check apart, by where its own code made the accesses; 0 if it did not. Notes where they
/// were made.
fn signature(report: *mut c_void) -> u64 {
    let Some(report_access) = interface().report_access else { return 0 };
    let mut signature: u64 = 0;
    for index in 0..ACCESSES {
        let (mut thread, mut address, mut size, mut write, mut atomic) = (0, std::ptr::null_mut(), 0, 0, 0);
        let mut frames = [std::ptr::null_mut(); FRAMES];
        // SAFETY: TSan fills what it is given; a report without so many accesses leaves it as it is.
        unsafe {
            report_access(
                report,
                index,
                &raw mut thread,
                &raw mut address,
                &raw mut size,
                &raw mut write,
                &raw mut atomic,
                frames.as_mut_ptr(),
                FRAMES as c_ulong,
            );
        }
        if !address.is_null() {
            shadow::reported(address as usize);
        }
        // A sum, since either access can be the first.
        signature = signature.wrapping_add(signature_of(frames.iter().map(|frame| *frame as usize), write != 0));
    }
    signature
}

/// That of one access by these calls; 0 if none of them is the program's.
pub(super) fn signature_of(calls: impl Iterator<Item = usize>, writes: bool) -> u64 {
    let program = program();
    let own = calls.filter(|call| program.contains(call)).take(OWN_FRAMES);
    let mut offsets = own.map(|call| ((call - program.start) as u64).to_le_bytes()).peekable();
    if offsets.peek().is_none() {
        return 0;
    }
    let hash = offsets.fold(BASIS, |hash, offset| fnv1a(hash, &offset));
    fnv1a(hash, &[u8::from(writes)])
}

/// Where the program under check lies, as TSan's reports see it.
static PROGRAM_START: AtomicUsize = AtomicUsize::new(0);
static PROGRAM_END: AtomicUsize = AtomicUsize::new(0);

pub(super) fn set_program(place: &std::ops::Range<usize>) {
    PROGRAM_START.store(place.start, Ordering::Relaxed);
    PROGRAM_END.store(place.end, Ordering::Relaxed);
}

pub(super) fn program() -> std::ops::Range<usize> {
    PROGRAM_START.load(Ordering::Relaxed)..PROGRAM_END.load(Ordering::Relaxed)
}

/// Whether that lies in the program under check, where it lies in every execution.
pub(super) fn is_in_program(address: usize) -> bool {
    program().contains(&address)
}

/// Does not count reports of these signatures from now on.
pub(super) fn know(signatures: &[u64]) {
    for (place, signature) in KNOWN.iter().zip(signatures) {
        place.store(*signature, Ordering::Relaxed);
    }
}

/// Those of the last execution's reports.
pub(super) fn signatures() -> Vec<u64> {
    let all = NEW.iter().map(|place| place.swap(0, Ordering::Relaxed));
    all.filter(|signature| *signature != 0).collect()
}

/// The reports made since this was last asked.
pub(super) fn take_reports() -> u32 {
    // A locked instruction only where there are some.
    if REPORTS.load(Ordering::Relaxed) == 0 { 0 } else { REPORTS.swap(0, Ordering::Relaxed) }
}

/// What happened before a `release` of the object happens before what follows an `acquire` of it.
#[inline]
pub(super) fn acquire(object: usize) {
    if let Some(acquire) = interface().acquire {
        // SAFETY: TSan only uses the address as a name.
        unsafe { acquire(object as *mut c_void) };
    }
}

/// See [`acquire`].
#[inline]
pub(super) fn release(object: usize) {
    if let Some(release) = interface().release {
        // SAFETY: as `acquire`.
        unsafe { release(object as *mut c_void) };
    }
}

/// The function that `caller` called uses the object at that address, of so many bytes, as whoever may do so at the same
/// time: TSan takes it for a read, which races with the end of the object and with its beginning, and with nothing else.
#[inline]
pub(super) fn uses(object: usize, size: usize, caller: usize) {
    match interface() {
        // SAFETY: TSan only notes the access; `caller` is where it was made.
        Interface { read: Some(read), .. } => unsafe { read(object as *const c_void, caller as *const c_void) },
        // SAFETY: ASan looks at its own memory, and ends the process if this may not be read.
        Interface { load: Some(load), .. } => unsafe { load(object, size) },
        _ => {}
    }
}

/// As `uses`, where the object begins or ends: nobody else may use it then.
#[inline]
pub(super) fn begins_or_ends(object: usize, size: usize, caller: usize) {
    match interface() {
        // SAFETY: as in `uses`.
        Interface { write: Some(write), .. } => unsafe { write(object as *const c_void, caller as *const c_void) },
        // SAFETY: as in `uses`.
        Interface { store: Some(store), .. } => unsafe { store(object, size) },
        _ => {}
    }
}

/// The function that `caller` called reads that memory.
#[inline]
pub(super) fn reads(start: usize, size: usize, caller: usize) {
    match interface() {
        // SAFETY: as in `uses`.
        Interface { read_range: Some(read), .. } => unsafe {
            read(start as *const c_void, size, caller as *const c_void)
        },
        // SAFETY: as in `uses`.
        Interface { load: Some(load), .. } if size > 0 => unsafe { load(start, size) },
        _ => {}
    }
}

/// As `reads`, where it writes it.
#[inline]
pub(super) fn writes(start: usize, size: usize, caller: usize) {
    match interface() {
        // SAFETY: as in `uses`.
        Interface { write_range: Some(write), .. } => unsafe {
            write(start as *const c_void, size, caller as *const c_void)
        },
        // SAFETY: as in `uses`.
        Interface { store: Some(store), .. } if size > 0 => unsafe { store(start, size) },
        _ => {}
    }
}

/// TSan reports no race there from now on, whoever accesses it and however. It looks at this only once it has found one,
/// so accesses cost what others do.
pub(super) fn expect_races(start: usize, size: usize) {
    if let Some(benign_race) = interface().benign_race {
        let (file, what) = (c"threadbare".as_ptr(), c"moves with the fiber".as_ptr());
        // SAFETY: TSan keeps the texts, which are constants, and notes the address.
        unsafe { benign_race(file, 0, start as *const c_void, size, what) };
    }
}

/// Has these called for each block of memory, if ASan is loaded.
pub(super) fn watch_allocations(allocated: Allocated, freed: Freed) {
    if let Some(watch) = interface().watch_allocations {
        // SAFETY: functions that live as long as the process.
        unsafe { watch(allocated, freed) };
    }
}

/// How many bytes of a block of ASan's were asked for; nothing of what is no block, or is free.
pub(super) fn size_of_block(block: usize) -> Option<usize> {
    let Interface { is_block: Some(is_block), size_of_block: Some(size_of_block), .. } = interface() else {
        return None;
    };
    let block = block as *const c_void;
    // SAFETY: the first may be asked of any address, the second of a block.
    unsafe { (is_block(block) != 0).then(|| size_of_block(block)) }
}

thread_local! {
    /// How many of [`Unwatched`] live.
    static UNWATCHED: Cell<u32> = const { Cell::new(0) };
}

/// Whether what the calling thread does is the controller's own affair.
pub(super) fn is_unwatched() -> bool {
    UNWATCHED.get() > 0
}

/// While it lives, TSan does not look at what the calling thread does. For the controller's own memory
/// where it must be allocated during an execution: it is touched from all threads in an order that TSan
/// knows nothing of, and although Rust is not instrumented, its calls of the allocator are seen.
pub(super) struct Unwatched(());

impl Unwatched {
    #[inline]
    pub fn begin() -> Self {
        if let Some(begin) = interface().ignore_begin {
            // SAFETY: ended by `drop`, on the same thread: the controller never switches while it lives.
            unsafe { begin() };
        }
        UNWATCHED.set(UNWATCHED.get() + 1);
        Self(())
    }
}

impl Drop for Unwatched {
    #[inline]
    fn drop(&mut self) {
        UNWATCHED.set(UNWATCHED.get() - 1);
        if let Some(end) = interface().ignore_end {
            // SAFETY: see `begin`.
            unsafe { end() };
        }
    }
}

/// Looks for leaks now; whether there are any. `false` also where no sanitizer looks for leaks.
pub(super) fn leaks() -> bool {
    // SAFETY: has no preconditions; the report goes to standard error.
    interface().leak_check.is_some_and(|check| unsafe { check() } != 0)
}

/// What the sanitizers know of one stack.
pub(super) struct Context {
    tsan: *mut c_void,
    /// ASan's fake stack, put aside while the fiber does not run.
    fake_stack: *mut c_void,
    bottom: *const c_void,
    size: usize,
}

impl Context {
    /// The OS thread's own stack; its bounds are learnt at the first switch away from it.
    pub fn of_this_thread() -> Self {
        // SAFETY: has no preconditions.
        let tsan = interface().current_fiber.map_or(std::ptr::null_mut(), |current| unsafe { current() });
        Self { tsan, fake_stack: std::ptr::null_mut(), bottom: std::ptr::null(), size: 0 }
    }

    /// A new fiber on the stack from `bottom`, its lowest address, to `top`.
    pub fn of_fiber((bottom, top): (usize, usize)) -> Self {
        // SAFETY: has no preconditions; the fiber lives as long as the process.
        let tsan = interface().create_fiber.map_or(std::ptr::null_mut(), |create| unsafe { create(0) });
        Self { tsan, fake_stack: std::ptr::null_mut(), bottom: bottom as *const c_void, size: top - bottom }
    }

    /// Ends this context in the middle of something, and releases what it did as `object`. Called by `root`.
    pub fn abandon(&mut self, root: &mut Context, object: usize) {
        if let (Some(switch), Some(destroy)) = (interface().switch_to_fiber, interface().destroy_fiber) {
            // SAFETY: both are fibers of TSan that live; this one is not used again.
            unsafe {
                switch(self.tsan, NO_SYNC);
                release(object);
                switch(root.tsan, NO_SYNC);
                destroy(self.tsan);
            }
        }
        if let Some(unpoison) = interface().unpoison {
            // SAFETY: a stack that nothing uses now.
            unsafe { unpoison(self.bottom, self.size) };
        }
    }

    pub fn has_bounds(&self) -> bool {
        !self.bottom.is_null() || interface().finish_switch.is_none()
    }

    /// Called on this stack, just before control goes to `other`.
    pub fn leave_for(&mut self, other: &Context) {
        if let Some(start) = interface().start_switch {
            // SAFETY: `other` describes the stack that runs next.
            unsafe { start(&raw mut self.fake_stack, other.bottom, other.size) };
        }
        if let Some(switch) = interface().switch_to_fiber {
            // SAFETY: `other.tsan` is a fiber of TSan that lives.
            unsafe { switch(other.tsan, NO_SYNC) };
        }
    }

    /// Called on this stack, just after control came back to it or first entered it.
    pub fn entered(&mut self) {
        if let Some(finish) = interface().finish_switch {
            // SAFETY: completes the switch that another stack's `leave_for` started.
            unsafe { finish(self.fake_stack, std::ptr::null_mut(), std::ptr::null_mut()) };
        }
    }

    /// As `entered`, and tells where the stack that was left lies.
    pub fn entered_from(&mut self, other: &mut Context) {
        if let Some(finish) = interface().finish_switch {
            // SAFETY: as `entered`.
            unsafe { finish(self.fake_stack, &raw mut other.bottom, &raw mut other.size) };
        }
    }
}
