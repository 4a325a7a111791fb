//! Compiles a program under check into a shared object that a worker can load.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::{Check, Points};
use crate::build_info;
use crate::settings::Sanitizer;

const POINTS_HEADER: &str = include_str!("../../cpp/harness/points.h");
const FIRST_SOURCE: &str = include_str!("../../cpp/check/image.c");
/// Options of the linker that send the calls of the instrumentation to cpp/control/memory.c.
const WRAPPED: &str = include_str!("../../cpp/check/wrapped.txt");
/// The same for what only g++ calls, or calls without instrumenting it.
const WRAPPED_GCC: &str = include_str!("../../cpp/check/wrapped_gcc.txt");

/// Calls AddressSanitizer's checks in place of making them, so that they can be points; g++ only.
const OUTLINED_CHECKS: [&str; 2] = ["--param", "asan-instrumentation-with-call-threshold=0"];

/// Builds `check` for a sanitizer; the shared object is in `directory`.
///
/// # Errors
/// A source is missing or does not compile; the error is the compiler's own message.
pub fn build(check: &Check, sanitizer: Sanitizer, directory: &Path) -> Result<PathBuf> {
    let write = |name: &str, text: &str| -> Result<PathBuf> {
        let path = directory.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    };
    let header = write("points.h", POINTS_HEADER)?;
    let mut objects = vec![directory.join("image.o")];
    compile(
        Command::new(build_info::COMPILER_PATH)
            .args(["-fPIC", "-O1", "-xc", "-c"])
            .arg(write("image.c", FIRST_SOURCE)?),
        &objects[0],
    )?;
    for (number, source) in check.sources.iter().enumerate() {
        ensure!(source.is_file(), "{}: no such file", source.display());
        let object = directory.join(format!("{number}.o"));
        let mut command = Command::new(build_info::COMPILER_PATH);
        command.args(["-g", "-fPIC", "-pthread", "-fno-omit-frame-pointer", "-include"]).arg(&header);
        command.args(instrumentation(check.points, sanitizer)).args(language(source)?).args(compiling(&check.flags));
        compile(command.arg("-c").arg(source), &object)?;
        objects.push(object);
    }
    let object = directory.join("program.so");
    let mut command = Command::new(build_info::COMPILER_PATH);
    command.args(["-shared", "-pthread", "-Wl,-Bsymbolic", "-Wl,-z,norelro"]).args(&objects).args(&check.flags);
    if check.points == Points::Memory {
        let more = if build_info::FIBERS { "" } else { WRAPPED_GCC };
        command.args(WRAPPED.lines().chain(more.lines()).map(|option| format!("-Wl,{option}")));
    }
    compile(&mut command, &object)?;
    Ok(object)
}

/// Flags without those for the linker alone: compilers warn about them where they do not link.
fn compiling(flags: &[String]) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        match flag.as_str() {
            // The word after it belongs to it.
            "-l" | "-L" | "-Xlinker" => drop(flags.next()),
            flag if is_for_linker(flag) => {}
            flag => kept.push(flag),
        }
    }
    kept
}

fn is_for_linker(flag: &str) -> bool {
    if flag.starts_with('-') {
        return ["-l", "-L", "-Wl,"].iter().any(|option| flag.starts_with(option));
    }
    [".a", ".o", ".so"].iter().any(|ending| flag.ends_with(ending)) || flag.contains(".so.")
}

/// What makes points of plain accesses, and what the sanitizer needs.
///
/// Points in memory come from the thread instrumentation, which clang can add under every sanitizer: so they are the
/// same everywhere, and a schedule fits everywhere. Without optimisation they are the accesses of the source.
fn instrumentation(points: Points, sanitizer: Sanitizer) -> Vec<&'static str> {
    let mut flags: Vec<&str> = vec![];
    if build_info::FIBERS {
        flags.push("-femulated-tls");
    } else {
        flags.push("-Wno-tsan"); // It warns that TSan does not understand fences.
    }
    match sanitizer {
        Sanitizer::None => {}
        Sanitizer::Thread => flags.push("-fsanitize=thread"),
        Sanitizer::Address => {
            flags.extend(["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-sanitize=vptr"])
        }
    }
    match points {
        Points::Sync => flags.push("-O1"),
        Points::Memory => {
            flags.push("-O0");
            if build_info::FIBERS || sanitizer != Sanitizer::Address {
                // The thread instrumentation covers atomic operations as well.
                flags.push("-DTHREADBARE_ATOMICS_ELSEWHERE");
            }
            if build_info::FIBERS {
                // Else a read just before a write is no point.
                flags.extend(["-mllvm", "-tsan-instrument-read-before-write=1"]);
            }
            match (sanitizer, build_info::FIBERS) {
                (Sanitizer::Thread, _) => {}
                (Sanitizer::None, _) => flags.push("-fsanitize=thread"),
                // The driver lets sanitizers not be mixed, since only one can be linked; only one is.
                (Sanitizer::Address, true) => flags.extend(["-Xclang", "-fsanitize=thread"]),
                (Sanitizer::Address, false) => flags.extend(OUTLINED_CHECKS),
            }
        }
    }
    flags
}

/// The language of a source, by its name: the compiler would take C for C++.
fn language(source: &Path) -> Result<[&'static str; 2]> {
    match source.extension().and_then(|extension| extension.to_str()) {
        Some("c") => Ok(["-x", "c"]),
        Some("cc" | "cpp" | "cxx" | "C" | "c++") => Ok(["-xc++", "-std=c++20"]),
        _ => bail!("{}: neither C nor C++ by its name; name files that end in .c or .cpp", source.display()),
    }
}

fn compile(command: &mut Command, output: &Path) -> Result<()> {
    let ended = command
        .arg("-o")
        .arg(output)
        .output()
        .with_context(|| format!("cannot start {}", build_info::COMPILER_PATH))?;
    let messages = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "the program does not compile\n{}", messages.trim_end());
    eprint!("{messages}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_linker_gets_what_is_for_it_alone() {
        let words =
            "-lm -O2 -L lib -Llib -Wl,-z,now -Wall -l pthread -Xlinker -zdefs a.o b.a c.so d.so.1 -DA=b.o -Iinclude";
        let flags: Vec<String> = words.split(' ').map(str::to_owned).collect();
        assert_eq!(compiling(&flags), ["-O2", "-Wall", "-DA=b.o", "-Iinclude"]);
    }
}
