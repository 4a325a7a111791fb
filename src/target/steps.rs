//! The runs of the compiler that make a target.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::flags::{self, Instrumented};
use super::inputs::Input;
use super::recorded::{Compiled, Recorded, kept};
use super::step::{Action, Step};
use super::{ALL_SYMBOLS, Kind, Language, Points, Target, Workshop, tree};
use crate::model::settings::Sanitizer;

/// How a target is made: an object by each step, and what else is linked.
pub(super) struct Steps {
    pub objects: Vec<Step>,
    linked: Linked,
}

/// What is linked beside the objects of the steps.
#[derive(Default)]
pub(super) struct Linked {
    prebuilt: Vec<PathBuf>,
    flags: Vec<String>,
    /// Sources of several shared libraries are in it, which may define the same: the first ones count, as for the loader.
    is_merged: bool,
}

impl Steps {
    /// # Errors
    /// A file is missing, or is none that a target can be made of.
    pub fn of(workshop: &Workshop, target: &Target, sanitizer: Sanitizer) -> Result<Self> {
        let maker = Maker { workshop, target, common: common(workshop, target, sanitizer) };
        let mut objects = Vec::new();
        let mut linked = Linked::default();
        if let Kind::Program(_) = target.kind {
            objects.push(own_source(workshop, "image")); // Its constructor is the first.
        }
        match heap(target, sanitizer) {
            Heap::Watched => objects.push(own_source(workshop, "heap")),
            Heap::Told => objects.push(own_source(workshop, "frees")),
            Heap::Unwatched => {}
        }
        for source in &target.shared {
            let source = Path::new("cpp").join(source);
            let language = Language::of(&source).unwrap_or(Language::Cpp);
            // Other flags are for the target's own.
            let symbols: Vec<String> = target.flags.iter().filter(|flag| *flag == ALL_SYMBOLS).cloned().collect();
            objects.push(maker.source(workshop.tree(), &source, language, &symbols));
        }
        for source in &target.sources {
            match Input::of(&target.directory, source)? {
                Input::Source(language) => {
                    objects.push(maker.source(&target.directory, source, language, &target.flags));
                }
                Input::Recorded(recorded) => maker.recorded(recorded, &mut objects, &mut linked)?,
                Input::Prebuilt => linked.prebuilt.push(source.clone()),
            }
        }
        Ok(Self { objects, linked })
    }

    /// The step that links the objects.
    pub fn linking(&self, workshop: &Workshop, target: &Target, sanitizer: Sanitizer, objects: &[PathBuf]) -> Step {
        self.linked.step(workshop, target, sanitizer, objects)
    }
}

/// Makes the steps of one target.
struct Maker<'a> {
    workshop: &'a Workshop,
    target: &'a Target,
    /// What every source is compiled with.
    common: Vec<OsString>,
}

impl Maker<'_> {
    fn source(&self, directory: &Path, source: &Path, language: Language, more: &[String]) -> Step {
        let mut arguments = self.common.clone();
        arguments.extend(self.language(language).map(OsString::from));
        arguments.extend(flags_for_compiling(more, language).into_iter().map(OsString::from));
        self.compiling(directory, source, arguments)
    }

    /// The option for a language, since the compiler would take C for C++, and the standard of C++ where flags say none.
    fn language(&self, language: Language) -> impl Iterator<Item = &'static str> + use<> {
        let words: &[&str] = match (language, self.target.kind) {
            (Language::C, _) => &["-x", "c"],
            (Language::Cpp, Kind::Program(_)) => &["-xc++", "-std=gnu++20"],
            (Language::Cpp, Kind::Runtime(_)) => &["-xc++", "-std=c++20"],
        };
        words.iter().copied()
    }

    /// Adds what a file of the compiler wrappers is made of.
    fn recorded(&self, recorded: Recorded, objects: &mut Vec<Step>, linked: &mut Linked) -> Result<()> {
        for compiled in &recorded.compiled {
            objects.push(self.compiled(compiled)?);
        }
        linked.prebuilt.extend(recorded.prebuilt);
        linked.flags.extend(recorded.flags);
        linked.is_merged |= !recorded.merged.is_empty();
        Ok(())
    }

    fn compiled(&self, compiled: &Compiled) -> Result<Step> {
        let mut arguments: Vec<OsString> =
            if compiled.is_assembler() { vec!["-fPIC".into()] } else { self.common.clone() };
        arguments.extend(["-x".into(), compiled.language.clone().into()]);
        arguments.extend(kept(compiled, self.workshop.toolchain.is_clang)?.into_iter().map(OsString::from));
        Ok(self.compiling(&compiled.directory, &compiled.source, arguments))
    }

    fn compiling(&self, directory: &Path, source: &Path, mut arguments: Vec<OsString>) -> Step {
        arguments.extend(["-c".into(), source.to_owned().into()]);
        let stem = source.file_stem().unwrap_or_default().to_string_lossy();
        step(self.workshop, directory.to_owned(), arguments, Action::Compile, format!("{}.o", plain(&stem)))
    }
}

/// What every source of a target is compiled with, before flags of its own.
fn common(workshop: &Workshop, target: &Target, sanitizer: Sanitizer) -> Vec<OsString> {
    let instrumented = match target.kind {
        Kind::Runtime(_) if target.tells_accesses(sanitizer) => Instrumented::JudgedRuntime,
        Kind::Runtime(_) => Instrumented::Runtime,
        Kind::Program(Points::Sync) => Instrumented::Synchronisation,
        Kind::Program(Points::Memory) => Instrumented::Memory,
    };
    let tree = workshop.tree();
    let mut common: Vec<OsString> =
        flags::compiling(&workshop.toolchain, sanitizer, instrumented).into_iter().map(OsString::from).collect();
    // Reports name what travels with the executable as it does in its own sources.
    common.push(prefix_map(tree));
    if flags::hides_thread_instrumentation(sanitizer, instrumented) {
        common.extend(["-include".into(), tree.join("cpp/target/features.h").into()]);
    }
    common.extend(["-include".into(), tree.join("cpp/harness/points.h").into()]);
    if target.kind.is_runtime() {
        common.extend(["-I".into(), tree.join("cpp").into()]);
    }
    common
}

/// What becomes of the calls by which a target allocates and frees.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heap {
    Unwatched,
    /// What is freed is told to the detector of races (cpp/target/frees.c).
    Told,
    /// The controller knows all blocks (cpp/target/heap.c).
    Watched,
}

fn heap(target: &Target, sanitizer: Sanitizer) -> Heap {
    match sanitizer {
        Sanitizer::None if !target.kind.is_runtime() => Heap::Watched,
        Sanitizer::None | Sanitizer::Address if target.tells_accesses(sanitizer) => Heap::Told,
        _ => Heap::Unwatched,
    }
}

/// A source of ours in targets, from cpp/target/.
fn own_source(workshop: &Workshop, name: &str) -> Step {
    let source = format!("cpp/target/{name}.c");
    // Exceptions of the program pass.
    let arguments = ["-fPIC", "-O2", "-fexceptions", "-xc", "-c", &source].map(OsString::from).to_vec();
    step(workshop, workshop.tree().to_owned(), arguments, Action::Compile, format!("{name}.o"))
}

/// The linker's options of those lists in cpp/target/ that are needed.
fn wrapping(lists: &[(&str, bool)]) -> impl Iterator<Item = OsString> {
    let wrapped = lists.iter().filter(|(_, is_needed)| *is_needed);
    wrapped.flat_map(|(list, _)| tree::text("target", list).lines()).map(|option| format!("-Wl,{option}").into())
}

/// Tells src/control/hooks/atomic.rs that the points of atomic operations are those of points.h.
const HAS_POINTS: &str = "threadbare_has_points";

impl Linked {
    fn step(&self, workshop: &Workshop, target: &Target, sanitizer: Sanitizer, objects: &[PathBuf]) -> Step {
        let mut arguments: Vec<OsString> = ["-shared", "-pthread", "-Wl,-Bsymbolic"].map(OsString::from).to_vec();
        let has_memory_points = matches!(target.kind, Kind::Program(Points::Memory));
        let tells_accesses = target.tells_accesses(sanitizer);
        let heap = heap(target, sanitizer);
        arguments.extend(wrapping(&[
            ("wrapped_atomics.txt", tells_accesses || sanitizer == Sanitizer::Thread),
            ("wrapped.txt", tells_accesses),
            ("wrapped_gcc.txt", tells_accesses && !workshop.toolchain.is_clang),
            ("wrapped_heap.txt", heap == Heap::Watched),
            ("wrapped_frees.txt", heap != Heap::Unwatched),
            ("wrapped_annotations.txt", !target.kind.is_runtime() || tells_accesses),
        ]));
        if !has_memory_points {
            arguments.push(format!("-Wl,--defsym={HAS_POINTS}=1").into());
        }
        if let Kind::Program(_) = target.kind {
            // It may lie in an archive, where nothing else asks for it.
            arguments.extend(["-Wl,-z,norelro".into(), "-Wl,-u,main".into()]);
        }
        // clang leaves the runtime to the executable, where it is loaded before.
        if !workshop.toolchain.is_clang {
            arguments.extend(flags::of_sanitizer(sanitizer).map(OsString::from));
        }
        if self.is_merged {
            arguments.push("-Wl,-z,muldefs".into());
        }
        arguments.extend(objects.iter().map(OsString::from));
        if !self.prebuilt.is_empty() {
            // In any order; of shared libraries those that are used.
            arguments.push("-Wl,--push-state,--as-needed,--start-group".into());
            arguments.extend(self.prebuilt.iter().map(OsString::from));
            arguments.push("-Wl,--end-group,--pop-state".into());
        }
        arguments.extend(self.flags.iter().map(OsString::from));
        arguments.extend(target.flags.iter().map(OsString::from));
        // There g++ calls a library for operations of 16 bytes; the instrumentation of the other builds takes its place.
        if !workshop.toolchain.is_clang && sanitizer == Sanitizer::Address {
            arguments.extend(["-Wl,--push-state,--as-needed", "-latomic", "-Wl,--pop-state"].map(OsString::from));
        }
        let name = format!("{}.so", plain(&target.name));
        step(workshop, target.directory.clone(), arguments, Action::Link, name)
    }
}

fn step(workshop: &Workshop, directory: PathBuf, arguments: Vec<OsString>, action: Action, name: String) -> Step {
    Step { compiler: workshop.toolchain.compiler.clone(), directory, arguments, action, name }
}

fn prefix_map(tree: &Path) -> OsString {
    let mut option = OsString::from("-ffile-prefix-map=");
    option.push(tree);
    option.push("=.");
    option
}

/// A name as a file can have it.
fn plain(name: &str) -> String {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "-_.+".contains(character);
    name.chars().take(64).map(|character| if allowed(character) { character } else { '_' }).collect()
}

/// Flags without those for the linker alone, about which compilers warn where they do not link, and without standards of the
/// other language, which they refuse.
fn flags_for_compiling(flags: &[String], language: Language) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        match flag.as_str() {
            // The word after it belongs to it.
            "-l" | "-L" | "-Xlinker" => drop(flags.next()),
            flag if is_for_linker(flag) || is_standard_of_other(flag, language) => {}
            flag => kept.push(flag),
        }
    }
    kept
}

fn is_standard_of_other(flag: &str, language: Language) -> bool {
    let standard = ["-std=", "--std="].iter().find_map(|option| flag.strip_prefix(option));
    standard.is_some_and(|standard| standard.contains("++") != (language == Language::Cpp))
}

/// Whether compilers pass it on to the linker.
pub(super) fn is_for_linker(flag: &str) -> bool {
    if flag.starts_with('-') {
        return ["-l", "-L", "-Wl,"].iter().any(|option| flag.starts_with(option));
    }
    [".a", ".o", ".so"].iter().any(|ending| flag.ends_with(ending)) || flag.contains(".so.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_linker_gets_what_is_for_it_alone() {
        let words =
            "-lm -O2 -L lib -Llib -Wl,-z,now -Wall -l pthread -Xlinker -zdefs a.o b.a c.so d.so.1 -DA=b.o -Iinclude";
        let flags: Vec<String> = words.split(' ').map(str::to_owned).collect();
        assert_eq!(flags_for_compiling(&flags, Language::C), ["-O2", "-Wall", "-DA=b.o", "-Iinclude"]);
    }

    #[test]
    fn a_standard_is_for_its_language_alone() {
        let flags = ["-std=gnu++17", "-std=c11", "--std=c++20", "-std=gnu99"].map(str::to_owned);
        assert_eq!(flags_for_compiling(&flags, Language::C), ["-std=c11", "-std=gnu99"]);
        assert_eq!(flags_for_compiling(&flags, Language::Cpp), ["-std=gnu++17", "--std=c++20"]);
    }

    #[test]
    fn names_of_targets_become_names_of_files() {
        assert_eq!(plain("lost-notify"), "lost-notify");
        assert_eq!(plain("../a b\n"), ".._a_b_");
    }
}
