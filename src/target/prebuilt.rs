//! Code in a program that its compiler did not see: archives, objects and shared libraries, and what of it nobody controls.
//!
//! What libraries call is controlled as what sources call is. Not so what needs no call: `thread_local` variables, which the
//! fibers of one OS thread share, atomic operations, and plain accesses.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context, Result};
use object::elf::PT_TLS;
use object::read::archive::ArchiveFile;
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Object as _, ObjectSection, ObjectSymbol, SectionKind, SymbolKind};
use serde::Serialize;

use super::{Built, Target, demangled, inputs, steps};

/// The names, up to a dot or dash, of files that belong to the compiler or to libc, whose calls have hooks.
const OF_THE_SYSTEM: [&str; 38] = [
    "Scrt1",
    "asan_preinit",
    "crt1",
    "crtbegin",
    "crtbeginS",
    "crtbeginT",
    "crtend",
    "crtendS",
    "crti",
    "crtn",
    "ld",
    "libanl",
    "libasan",
    "libasan_preinit",
    "libatomic",
    "libc",
    "libc++",
    "libc++abi",
    "libc_nonshared",
    "libclang_rt",
    "libdl",
    "libgcc",
    "libgcc_eh",
    "libgcc_s",
    "liblsan",
    "liblsan_preinit",
    "libm",
    "libmvec",
    "libpthread",
    "libresolv",
    "librt",
    "libssp_nonshared",
    "libstdc++",
    "libtsan",
    "libtsan_preinit",
    "libubsan",
    "libunwind",
    "rcrt1",
];
/// Flags for the linker that bring nothing else.
const OF_LIBC: [&str; 5] = ["-lm", "-lpthread", "-lrt", "-ldl", "-latomic"];
/// Beginnings of other flags that bring code, or keep that of the sources from being as fibers need it.
const BRING_CODE: [&str; 4] = ["-Xlinker", "@", "-fopenmp", "-fno-emulated-tls"];
/// What begins threads: POSIX, C11 and libstdc++.
const STARTS_THREADS: [&str; 3] = ["pthread_create", "thrd_create", "_ZNSt6thread15_M_start_thread"];
/// Names of `thread_local` variables that a message gives.
const MOST_NAMES: usize = 3;

/// A file with such code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Prebuilt {
    pub path: PathBuf,
    /// Its `thread_local` variables as far as symbols name them; `None` if it has none.
    pub thread_locals: Option<Vec<String>>,
    pub starts_threads: bool,
    pub has_atomics: bool,
}

impl Prebuilt {
    /// Whether there is something in it that bears on what is found.
    fn matters(&self) -> bool {
        self.thread_locals.is_some() || self.is_unseen()
    }

    /// Whether its threads meet where no scheduling point is and no sanitizer looks.
    #[must_use]
    pub fn is_unseen(&self) -> bool {
        self.starts_threads || self.has_atomics
    }

    /// For people: its name, as far as it tells it from others.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    /// For people: some of its `thread_local` variables.
    #[must_use]
    pub fn variables(&self) -> String {
        let names = self.thread_locals.as_deref().unwrap_or_default();
        let shown = names.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect::<Vec<_>>();
        let more = if names.len() > MOST_NAMES { ", …" } else { "" };
        if shown.is_empty() { String::new() } else { format!(" ({}{more})", shown.join(", ")) }
    }
}

/// Whether flags of a target may bring such code; else there is none.
#[must_use]
pub fn may_be_in(target: &Target) -> bool {
    let brings = |flag: &String| {
        let is_one_of = |beginnings: &[&str]| beginnings.iter().any(|beginning| flag.starts_with(beginning));
        steps::is_for_linker(flag) && !OF_LIBC.contains(&flag.as_str()) || is_one_of(&BRING_CODE)
    };
    target.sources.iter().any(|source| inputs::is_built(source)) || target.flags.iter().any(brings)
}

/// As [`of`], without a look where there can be none.
///
/// # Errors
/// As [`of`].
pub fn of_target(target: &Target, built: &Built) -> Result<Vec<Prebuilt>> {
    if may_be_in(target) { of(built) } else { Ok(Vec::new()) }
}

/// The prebuilt code in a target: what was linked into it, and the shared libraries that are loaded with it.
///
/// # Errors
/// The target cannot be read.
pub fn of(built: &Built) -> Result<Vec<Prebuilt>> {
    let bytes = fs::read(&built.object).with_context(|| format!("cannot read {}", built.object.display()))?;
    let linked = Linked::of(&bytes)?;
    let mut all: Vec<Prebuilt> = built.linked.iter().filter_map(|path| linked.of_file(path)).collect();
    // With g++ the program's own are of this kind, and its threads are real ones.
    let has_others = built.emulates_thread_locals && linked.has_thread_locals;
    if has_others && all.iter().all(|found| found.thread_locals.is_none()) {
        let thread_locals = Some(linked.thread_locals.iter().cloned().collect());
        all.push(Prebuilt { path: without_digest(&built.object), thread_locals, ..Prebuilt::default() });
    }
    all.extend(libraries(built).iter().filter_map(|path| of_library(path)));
    all.retain(Prebuilt::matters);
    Ok(all)
}

/// The name of a target's file as it is outside of the cache.
fn without_digest(object: &Path) -> PathBuf {
    let name = object.file_name().unwrap_or_default().to_string_lossy();
    name.split_once('-').map_or(&*name, |(_, name)| name).into()
}

/// The shared libraries that the loader finds for a target, but for the system's own.
fn libraries(built: &Built) -> Vec<PathBuf> {
    let mut command = Command::new(&built.loader);
    command.arg("--list").arg(&built.object).env_remove("LD_PRELOAD").stdin(Stdio::null()).stderr(Stdio::null());
    // What is not found is told when it is loaded.
    let Ok(output) = command.output() else { return Vec::new() };
    let text = String::from_utf8_lossy(&output.stdout);
    let path = |line: &str| {
        let place = line.trim().split_once(" => ").map_or(line.trim(), |(_, place)| place);
        let (path, _) = place.rsplit_once(" (0x")?;
        path.contains('/').then(|| PathBuf::from(path))
    };
    // The loader names itself too.
    text.lines().filter_map(path).filter(|path| !is_of_the_system(path) && *path != built.loader).collect()
}

/// Whether a file is the compiler's or libc's.
pub(super) fn is_of_the_system(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    name.split(['.', '-']).next().is_some_and(|stem| OF_THE_SYSTEM.contains(&stem))
}

/// Whether a linker takes code from a file of this name, other than a shared library.
pub(super) fn is_linked_in(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "a" || ending == "o") && !is_of_the_system(path)
}

fn of_library(path: &Path) -> Option<Prebuilt> {
    let bytes = fs::read(path).ok()?;
    let file = ElfFile64::<object::Endianness>::parse(&*bytes).ok()?;
    let endian = file.endian();
    let has_thread_locals = file.elf_program_headers().iter().any(|header| header.p_type(endian) == PT_TLS);
    Some(Prebuilt {
        path: shown(path),
        thread_locals: has_thread_locals.then(|| thread_locals(&file).into_iter().collect()),
        starts_threads: calls(&file, starts_threads),
        has_atomics: calls(&file, is_atomic) || locks(&file),
    })
}

/// As seen from here, if it lies below.
fn shown(path: &Path) -> PathBuf {
    let here = env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).to_owned()
}

/// What the linker made, by which members of archives are known that it did not leave out.
struct Linked {
    defined: HashSet<String>,
    has_thread_locals: bool,
    thread_locals: BTreeSet<String>,
}

impl Linked {
    fn of(bytes: &[u8]) -> Result<Self> {
        let file = ElfFile64::<object::Endianness>::parse(bytes).context("the linker's output is no ELF file")?;
        let endian = file.endian();
        let defined = file.symbols().filter(|symbol| symbol.is_definition());
        Ok(Self {
            defined: defined.filter_map(|symbol| symbol.name().ok().map(str::to_owned)).collect(),
            has_thread_locals: file.elf_program_headers().iter().any(|header| header.p_type(endian) == PT_TLS),
            thread_locals: thread_locals(&file),
        })
    }

    /// An archive or object that was given to the linker; `None` if it took nothing of it.
    fn of_file(&self, path: &Path) -> Option<Prebuilt> {
        let bytes = fs::read(path).ok()?;
        let mut found = Prebuilt { path: shown(path), ..Prebuilt::default() };
        let mut is_used = false;
        match ArchiveFile::parse(&*bytes) {
            Ok(archive) => {
                for member in archive.members().flatten() {
                    is_used |= member.data(&*bytes).is_ok_and(|data| self.add_object(data, &mut found));
                }
            }
            Err(_) => is_used = self.add_object(&bytes, &mut found),
        }
        if !self.has_thread_locals {
            found.thread_locals = None; // The linker left them out.
        }
        is_used.then_some(found)
    }

    /// Adds what is in an object, if it was linked.
    fn add_object(&self, bytes: &[u8], found: &mut Prebuilt) -> bool {
        let Ok(file) = object::File::parse(bytes) else { return false };
        let mut globals = file.symbols().filter(|symbol| symbol.is_global() && symbol.is_definition());
        if !globals.any(|symbol| symbol.name().is_ok_and(|name| self.defined.contains(name))) {
            return false;
        }
        let names = thread_locals(&file);
        if !names.is_empty() {
            found.thread_locals.get_or_insert_default().extend(names);
        }
        found.starts_threads |= calls(&file, starts_threads);
        found.has_atomics |= calls(&file, is_atomic) || locks(&file);
        true
    }
}

fn thread_locals<'data>(file: &impl object::Object<'data>) -> BTreeSet<String> {
    let defined = file.symbols().chain(file.dynamic_symbols());
    let defined = defined.filter(|symbol| symbol.kind() == SymbolKind::Tls && !symbol.is_undefined());
    defined.filter_map(|symbol| symbol.name().ok().map(demangled)).filter(|name| !name.is_empty()).collect()
}

/// Whether it calls a function of such a name that is defined elsewhere.
fn calls<'data>(file: &impl object::Object<'data>, is_one: fn(&str) -> bool) -> bool {
    let mut symbols = file.symbols().chain(file.dynamic_symbols()).filter(ObjectSymbol::is_undefined);
    symbols.any(|symbol| symbol.name().is_ok_and(is_one))
}

fn starts_threads(name: &str) -> bool {
    STARTS_THREADS.iter().any(|function| name.starts_with(function))
}

fn is_atomic(name: &str) -> bool {
    name.starts_with("__atomic_") || name.starts_with("__aarch64_")
}

/// Whether its code has an atomic instruction that reads, changes and writes.
fn locks<'data>(file: &impl object::Object<'data>) -> bool {
    let code = file.sections().filter(|section| section.kind() == SectionKind::Text);
    let mut code = code.filter_map(|section| section.data().ok());
    file.architecture() == object::Architecture::X86_64 && code.any(has_locked_instruction)
}

/// Looks for LOCK with CMPXCHG, XADD or CMPXCHG16B on memory (Intel's manual, volume 2). Instructions are not told from each
/// other, so shorter forms are left out: of 398 libraries of Debian's (56 MB of code), those with no locked instruction had none
/// of these by chance, and many had some of the shorter ones.
fn has_locked_instruction(code: &[u8]) -> bool {
    const LOCK: u8 = 0xf0;
    code.iter().enumerate().filter(|(_, byte)| **byte == LOCK).any(|(index, _)| {
        let after = &code[index + 1..];
        let after = if after.first().is_some_and(|byte| byte & 0xf0 == 0x40) { &after[1..] } else { after };
        matches!(after, [0x0f, 0xb0 | 0xb1 | 0xc0 | 0xc1 | 0xc7, operand, ..] if operand >> 6 != 3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atomic_instructions_are_known_by_their_bytes() {
        assert!(has_locked_instruction(&[0x90, 0xf0, 0x0f, 0xc1, 0x07]), "lock xadd %eax,(%rdi)");
        assert!(has_locked_instruction(&[0xf0, 0x48, 0x0f, 0xb1, 0x0f, 0xc3]), "lock cmpxchg %rcx,(%rdi)");
        assert!(!has_locked_instruction(&[0x0f, 0xc1, 0x07, 0xf0]), "xadd without LOCK");
        assert!(!has_locked_instruction(&[0xf0, 0x0f, 0xc1, 0xc0]), "no memory");
        assert!(!has_locked_instruction(&[]));
    }

    #[test]
    fn what_belongs_to_the_compiler_is_known_by_its_name() {
        let is_own = |name| is_of_the_system(Path::new(name));
        assert!(
            ["/lib/libc.so.6", "/usr/lib/libstdc++.so.6", "/usr/lib/crti.o", "/x/libtsan.so.2"].into_iter().all(is_own)
        );
        assert!(
            !["/lib/libz.so.1", "libdlib.so", "crtools.o", "/usr/lib/libcurl.so.4", "/lib/libmine.so"]
                .into_iter()
                .any(is_own)
        );
    }
}
