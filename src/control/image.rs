//! A C or C++ program under check: a shared object with a `main`, whose global state can be put back to what it was
//! before its constructors ran, so that one process executes it many times.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Mutex;

use anyhow::{Result, anyhow, ensure};

use super::log::Log;
use super::sanitizer;
use super::state::thread_locals;
use crate::protocol::Steps;
use crate::target::demangled;

type Constructor = unsafe extern "C-unwind" fn(c_int, *mut *mut c_char, *mut *mut c_char);
type Destructor = unsafe extern "C-unwind" fn();
type Main = unsafe extern "C-unwind" fn(c_int, *mut *mut c_char, *mut *mut c_char) -> c_int;

unsafe extern "C-unwind" {
    /// cpp/control/start.cpp: calls the constructors and then `main`. What they throw does not pass its frame.
    fn threadbare_start(
        constructors: *const Constructor,
        count: usize,
        main: Main,
        argc: c_int,
        argv: *mut *mut c_char,
        environment: *mut *mut c_char,
    ) -> c_int;
    /// The same file: random numbers and the like.
    fn threadbare_renew_libraries();
    static environ: *mut *mut c_char;
}

pub(super) struct Image {
    main: Main,
    parts: Parts,
    arguments: RefCell<Vec<CString>>,
    /// What `main` gets, which it may change; made anew from `arguments`.
    argv: RefCell<Vec<*mut c_char>>,
}

/// What is known of a shared object once it is loaded, before any of its own code ran.
struct Parts {
    /// All of it; offsets count from its start.
    whole: Range<usize>,
    code: Range<usize>,
    constructors: Vec<Constructor>,
    destructors: Vec<Destructor>,
    segments: Vec<Segment>,
    /// Thread-local variables of others, which keep their numbers.
    thread_locals: usize,
}

// SAFETY: addresses of a shared object that is never unloaded.
unsafe impl Send for Parts {}

/// A writable part of the object, and what was in it at first.
struct Segment {
    address: usize,
    content: Vec<u8>,
}

/// Left by `threadbare_image_loaded` for the `dlopen` that is under way.
static LOADED: Mutex<Option<Parts>> = Mutex::new(None);

impl Image {
    /// Loads the shared object at `path`; `arguments` are those of `main` after its name.
    ///
    /// # Errors
    /// It cannot be loaded, for instance because a symbol is missing, or has no `main`. The error names it.
    pub fn load(path: &Path, arguments: &[String]) -> Result<Self> {
        let name = CString::new(path.as_os_str().as_bytes())?;
        // SAFETY: the object's constructors are taken away before they run (`threadbare_image_loaded`).
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        ensure!(!handle.is_null(), "cannot load the program: {}", with_next_step(last_error()));
        // SAFETY: a handle that was just opened.
        let main = unsafe { libc::dlsym(handle, c"main".as_ptr()) };
        let parts = LOADED.lock().ok().and_then(|mut loaded| loaded.take());
        let parts = parts.ok_or_else(|| anyhow!("{} was not built by `threadbare check`", path.display()))?;
        ensure!(parts.code.contains(&(main as usize)), "the program has no `main`; name the source that defines it");
        let arguments = RefCell::new(with_name(arguments)?);
        sanitizer::set_program(&parts.whole);
        // SAFETY: what every program calls `main` has this type, or ignores what it does not declare.
        let main = unsafe { std::mem::transmute::<*mut c_void, Main>(main) };
        Ok(Self { main, parts, arguments, argv: RefCell::default() })
    }

    /// From the next [`Image::put_back`] on, `main` gets these arguments after its name.
    ///
    /// # Errors
    /// One has a zero byte in it.
    pub fn set_arguments(&self, arguments: &[String]) -> Result<()> {
        *self.arguments.borrow_mut() = with_name(arguments)?;
        Ok(())
    }

    /// Where it lies.
    pub fn origin(&self) -> usize {
        self.parts.whole.start
    }

    /// All of it, variables too.
    pub fn memory(&self) -> Range<usize> {
        self.parts.whole.clone()
    }

    /// Whether an address is in its code or among its variables.
    pub fn contains(&self, address: usize) -> bool {
        self.parts.whole.contains(&address)
    }

    /// Puts the program's variables back to what they were before its constructors ran, and what libraries keep for it.
    pub fn put_back(&self) {
        for segment in &self.parts.segments {
            // SAFETY: a writable segment of an object that stays loaded, of this length; none of its code runs.
            unsafe { copy_unseen(segment.content.as_ptr(), segment.address as *mut u8, segment.content.len()) };
        }
        thread_locals::forget_after(self.parts.thread_locals);
        // SAFETY: has no preconditions; none of the program's code runs.
        unsafe { threadbare_renew_libraries() };
        let mut argv = self.argv.borrow_mut();
        argv.clear();
        argv.extend(self.arguments.borrow().iter().map(|argument| argument.as_ptr().cast_mut()));
        argv.push(std::ptr::null_mut());
    }

    /// Runs the constructors and `main` on the calling thread; what `main` returned.
    pub fn start(&self) -> c_int {
        let constructors = &self.parts.constructors;
        let argc = self.arguments.borrow().len() as c_int;
        // SAFETY: the functions of a loaded program, called as at the start of a process.
        unsafe {
            let argv = self.argv.borrow_mut().as_mut_ptr();
            threadbare_start(constructors.as_ptr(), constructors.len(), self.main, argc, argv, environ)
        }
    }

    /// The functions marked as destructors, in the order in which they run.
    pub fn destructors(&self) -> &[Destructor] {
        &self.parts.destructors
    }

    /// A log of its executions, in a file if there is one.
    pub fn log(&self, file: Option<Steps>) -> Log {
        Log::new(self.parts.whole.clone(), self.parts.code.clone(), file)
    }
}

/// The arguments of `main`, of which the first is the program's name.
fn with_name(arguments: &[String]) -> Result<Vec<CString>> {
    let all = std::iter::once("program").chain(arguments.iter().map(String::as_str));
    Ok(all.map(CString::new).collect::<Result<_, _>>()?)
}

/// With what to do about a library that was not compiled for this.
fn with_next_step(error: String) -> String {
    let next = if error.contains("cannot open shared object file") {
        "name its directory in LD_LIBRARY_PATH, or in the flag `-Wl,-rpath,DIRECTORY`"
    } else if error.contains("undefined symbol: __emutls_v.") {
        "code built with clang does not find a thread_local variable of a prebuilt library by its name: use `--cxx g++`, or a \
         function of the library"
    } else if let Some((_, symbol)) = error.split_once("undefined symbol: ") {
        let name = demangled(symbol.split([',', ' ']).next().unwrap_or(symbol));
        return format!("`{name}` is used but defined nowhere; name the source, object or library that defines it");
    } else {
        return error;
    };
    format!("{error}; {next}")
}

fn last_error() -> String {
    // SAFETY: returns a C string or null; it lives until the next call.
    let error = unsafe { libc::dlerror() };
    if error.is_null() {
        return "no reason given".to_owned();
    }
    // SAFETY: it is a C string, which lives until the next call.
    unsafe { CStr::from_ptr(error) }.to_string_lossy().into_owned()
}

/// Copies in a way that no sanitizer sees: neither orders the threads of different executions, and red zones between
/// variables are copied too.
///
/// # Safety
/// As `copy_nonoverlapping`.
unsafe fn copy_unseen(source: *const u8, target: *mut u8, length: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the caller's promise.
    unsafe {
        std::arch::asm!("rep movsb", inout("rcx") length => _, inout("rsi") source => _, inout("rdi") target => _,
            options(nostack, preserves_flags));
    }
    #[cfg(not(target_arch = "x86_64"))]
    for index in 0..length {
        // SAFETY: the caller's promise. Volatile, so that no call of `memcpy` is made of the loop.
        unsafe { target.add(index).write_volatile(source.add(index).read_volatile()) };
    }
}

/// Called by the first constructor of a program under check (cpp/target/image.c), while it is loaded: takes its other
/// constructors out of the loader's hands, and keeps what its variables hold.
///
/// # Safety
/// Only for `dlopen`, with the addresses of the functions in that file.
#[unsafe(no_mangle)]
unsafe extern "C" fn threadbare_image_loaded(first_constructor: usize, first_destructor: usize) {
    let mut search = Search { address: first_constructor, first_destructor, found: None };
    // SAFETY: `found` does as the iteration asks, and `search` outlives it.
    unsafe { libc::dl_iterate_phdr(Some(look_at), (&raw mut search).cast()) };
    if let Ok(mut loaded) = LOADED.lock() {
        *loaded = search.found;
    }
}

struct Search {
    address: usize,
    first_destructor: usize,
    found: Option<Parts>,
}

/// Takes the object to parts that contains the address searched for.
unsafe extern "C" fn look_at(info: *mut libc::dl_phdr_info, _size: usize, search: *mut c_void) -> c_int {
    // SAFETY: the loader's promises about `info`, and ours about `search`.
    let (info, search) = unsafe { (&*info, &mut *search.cast::<Search>()) };
    // SAFETY: the loader promises so many headers there.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let base = info.dlpi_addr as usize;
    let place = |header: &libc::Elf64_Phdr| {
        let start = base + header.p_vaddr as usize;
        start..start + header.p_memsz as usize
    };
    let loaded = || headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    let Some(code) = loaded().map(place).find(|place| place.contains(&search.address)) else { return 0 };
    let Some(dynamic) = headers.iter().find(|header| header.p_type == libc::PT_DYNAMIC) else { return 0 };
    // SAFETY: the arrays of a loaded object, which is linked so that they can be written to (`-z norelro`).
    let (constructors, destructors) = unsafe {
        let constructors = array_after(base, place(dynamic).start, libc_dt::INIT_ARRAY, search.address);
        let taken = constructors.iter().map(|entry| std::mem::transmute::<usize, Constructor>(*entry)).collect();
        constructors.fill(nothing as *const () as usize);
        let destructors = array_after(base, place(dynamic).start, libc_dt::FINI_ARRAY, search.first_destructor);
        let last_first = destructors.iter().rev().map(|entry| std::mem::transmute::<usize, Destructor>(*entry));
        (taken, last_first.collect())
    };
    let writable = loaded().filter(|header| header.p_flags & libc::PF_W != 0).map(place);
    let segments = writable.map(|place| {
        let mut content = vec![0; place.len()];
        // SAFETY: a loaded segment of that length.
        unsafe { copy_unseen(place.start as *const u8, content.as_mut_ptr(), place.len()) };
        Segment { address: place.start, content }
    });
    let end = loaded().map(place).map(|place| place.end).max().unwrap_or(base);
    search.found = Some(Parts {
        whole: base..end,
        code,
        constructors,
        destructors,
        segments: segments.collect(),
        thread_locals: thread_locals::numbered(),
    });
    1
}

unsafe extern "C" fn nothing() {}

/// Tags of the dynamic section (ELF specification, "Dynamic Section").
mod libc_dt {
    pub const INIT_ARRAY: i64 = 25;
    pub const FINI_ARRAY: i64 = 26;
    pub const INIT_ARRAY_SIZE: i64 = 27;
    pub const FINI_ARRAY_SIZE: i64 = 28;
}

/// The functions in one of an object's arrays that come after `first`.
///
/// # Safety
/// `dynamic` is the dynamic section of an object loaded at `base`; the array is writable and used by nobody else.
unsafe fn array_after(base: usize, dynamic: usize, tag: i64, first: usize) -> &'static mut [usize] {
    let size_tag = if tag == libc_dt::INIT_ARRAY { libc_dt::INIT_ARRAY_SIZE } else { libc_dt::FINI_ARRAY_SIZE };
    let (mut address, mut size) = (0, 0);
    let mut entry = dynamic as *const [i64; 2];
    loop {
        // SAFETY: the section ends with a null entry.
        let [key, value] = unsafe { *entry };
        match key {
            0 => break,
            key if key == tag => address = base + value as usize,
            key if key == size_tag => size = value as usize / size_of::<usize>(),
            _ => {}
        }
        // SAFETY: the entry before it was not the last one, which is null.
        entry = unsafe { entry.add(1) };
    }
    if address == 0 {
        return &mut [];
    }
    // SAFETY: the caller's promise.
    let all = unsafe { std::slice::from_raw_parts_mut(address as *mut usize, size) };
    let after = all.iter().position(|entry| *entry == first).map_or(size, |place| place + 1);
    &mut all[after..]
}
