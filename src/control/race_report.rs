//! The report of a data race that threadbare's own detector saw, in the form of ThreadSanitizer's reports, which people and
//! `oracle/sanitizer.rs` read. Functions are named later (`campaign/symbols.rs`).

use std::ffi::{CStr, c_void};
use std::fmt::Write;

use super::order::Told;
use super::races::{Access, Race};
use super::sanitizer;

/// Where the memory is that two threads access.
pub(super) enum Location {
    /// On the stack of this thread.
    Stack(usize),
    Elsewhere,
}

/// Tells a race from others, as `sanitizer::signature_of` tells accesses; 0 if neither is the program's own.
pub(super) fn signature(race: &Race) -> u64 {
    let of = |access: &Access| sanitizer::signature_of(std::iter::once(access.place), access.kind.writes());
    of(&race.earlier).wrapping_add(of(&race.later))
}

/// Prints the report to standard error.
pub(super) fn print(told: &Told, location: &Location) {
    eprint!("{}", text(told, location));
}

fn text(told: &Told, location: &Location) -> String {
    let Told { race, accesses, allocation, locks, births } = told;
    let mut text = format!("==================\nWARNING: threadbare: data race (pid={})\n", std::process::id());
    let held: Vec<String> = (0..)
        .zip(&race.held)
        .map(|(number, lock)| format!("{} M{number}", if lock.is_shared { "read" } else { "write" }))
        .collect();
    let mutexes = if held.is_empty() { String::new() } else { format!(" (mutexes: {})", held.join(", ")) };
    let later = &race.later;
    let _ = writeln!(text, "  {} by {}{mutexes}:", what(race, later), thread(later.thread));
    stack(&mut text, &accesses[1]);
    let earlier = &race.earlier;
    let previous = what(race, earlier);
    let previous = format!("Previous {}{}", previous[..1].to_lowercase(), &previous[1..]);
    let _ = writeln!(text, "  {previous} by {}:", thread(earlier.thread));
    stack(&mut text, &accesses[0]);
    match (&race.block, location) {
        (Some(block), _) => {
            let (size, address, by) = (block.size, block.address, thread(block.thread));
            let _ = writeln!(text, "  Location is heap block of size {size} at {address:#x} allocated by {by}:");
            stack(&mut text, allocation);
        }
        (None, Location::Stack(of)) => {
            let _ = writeln!(text, "  Location is stack of {}.\n", thread(*of));
        }
        (None, Location::Elsewhere) => {}
    }
    for ((number, lock), calls) in (0..).zip(&race.held).zip(locks) {
        let _ = writeln!(text, "  Mutex M{number} ({:#x}) taken by {} at:", lock.lock, thread(later.thread));
        stack(&mut text, calls);
    }
    let mut created = [(later.thread, &births[1]), (earlier.thread, &births[0])];
    created.sort_by_key(|(thread, _)| *thread);
    for (child, birth) in created {
        if let Some((parent, calls)) = birth {
            let _ = writeln!(text, "  Thread T{child} created by {} at:", thread(*parent));
            stack(&mut text, calls);
        }
    }
    text.push_str("==================\n");
    text
}

fn what(race: &Race, access: &Access) -> String {
    let (kind, size, address) = (access.kind, access.size, race.bytes.start);
    let what = match (kind.is_atomic(), kind.writes()) {
        (true, true) => "Atomic write",
        (true, false) => "Atomic read",
        (false, true) => "Write",
        (false, false) => "Read",
    };
    let how = if kind.frees() { ", which frees it," } else { "" };
    format!("{what} of size {size} at {address:#x}{how}")
}

fn thread(thread: usize) -> String {
    if thread == 0 { "main thread".to_owned() } else { format!("thread T{thread}") }
}

/// One line for each call outside of threadbare itself, or one that says that they are not known.
fn stack(text: &mut String, calls: &[usize]) {
    let own = Module::of(stack as *const () as usize).map(|own| own.start);
    let mut number = 0;
    for call in calls {
        // Each is where a call returns to, and may be another line's.
        let Some(address) = call.checked_sub(1) else { continue };
        let Some(module) = Module::of(address).filter(|module| Some(module.start) != own) else { continue };
        let _ = writeln!(text, "    #{number} {address:#x} {}+{:#x}", module.name, address - module.start);
        number += 1;
    }
    if number == 0 {
        text.push_str("    [failed to restore the stack]\n");
    }
    text.push('\n');
}

/// An executable or shared library in this process.
struct Module {
    name: String,
    start: usize,
}

impl Module {
    fn of(address: usize) -> Option<Self> {
        let mut info = libc::Dl_info {
            dli_fname: std::ptr::null(),
            dli_fbase: std::ptr::null_mut(),
            dli_sname: std::ptr::null(),
            dli_saddr: std::ptr::null_mut(),
        };
        // SAFETY: `dladdr` writes to `info` alone.
        let is_known = unsafe { libc::dladdr(address as *const c_void, &raw mut info) } != 0;
        if !is_known || info.dli_fname.is_null() {
            return None;
        }
        // SAFETY: a C string that lives as long as the module.
        let name = unsafe { CStr::from_ptr(info.dli_fname) }.to_string_lossy().into_owned();
        Some(Self { name, start: info.dli_fbase as usize })
    }
}
