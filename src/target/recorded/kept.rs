//! Which flags of a project's own build are flags of what is explored too.

use anyhow::{Result, bail};

use super::{Compiled, arguments};

/// Flags that only say how code is optimised, told about or laid out, or that bring instrumentation of their own; and all that
/// begin so.
const LEFT_OUT: &[&str] = &[
    "-O",
    "-W",
    "-flto",
    "-fno-lto",
    "-ffat-lto-objects",
    "-fno-fat-lto-objects",
    "-fwhole-program",
    "-fPIC",
    "-fpic",
    "-fPIE",
    "-fpie",
    "-fno-PIC",
    "-fno-pic",
    "-fno-PIE",
    "-fno-pie",
    "-fsanitize",
    "-fno-sanitize",
    "-fprofile",
    "-fcoverage",
    "-ftest-coverage",
    "--coverage",
    "-D_FORTIFY_SOURCE",
    "-ftls-model",
    "-fno-emulated-tls",
    "-femulated-tls",
    "-fomit-frame-pointer",
    "-save-temps",
    "--save-temps",
    "-fcolor-diagnostics",
    "-fno-color-diagnostics",
    "-fdiagnostics",
    "-fno-diagnostics",
    "-fansi-escape-codes",
    "-fmessage-length",
    "-fdebug",
    "-fno-debug",
    "-fstandalone-debug",
    "-fno-standalone-debug",
    "-fpch",
    "-fuse-ld",
    "-static",
    "-shared",
    "-l",
    "-L",
    "-rpath",
    "-fcrash-diagnostics",
    "-ftime-trace",
    "-fstack-usage",
    "-pedantic",
];
/// The same, as a whole word.
const WORDS: &[&str] = &[
    "-w",
    "-s",
    "-pg",
    "-pipe",
    "-pie",
    "-no-pie",
    "-nopie",
    "-rdynamic",
    "-r",
    "-v",
    "--verbose",
    "-pthread",
    "-H",
    "-Q",
    "-time",
];
/// The same, with the word after it.
const WITH_NEXT: &[&str] =
    &["-include-pch", "-Xlinker", "-z", "-T", "-u", "-e", "-h", "-soname", "-dumpbase", "-dumpdir", "-wrapper"];
/// What only g++ knows, and newer compilers need not be told.
const OF_GCC: &[&str] = &["-fcoroutines", "-fconcepts"];
/// What brings code that was compiled with other flags.
const MODULES: &[&str] =
    &["-fmodule-file", "-fmodules", "-fmodule-mapper", "-fprebuilt-module-path", "-fmodule-output"];

/// The flags of a command that hold for what is explored as well.
///
/// # Errors
/// One cannot: the error names it.
pub fn kept(compiled: &Compiled, is_clang: bool) -> Result<Vec<String>> {
    let mut kept = Vec::new();
    let mut words = compiled.arguments.iter();
    while let Some(word) = words.next() {
        let begins = |beginnings: &[&str]| beginnings.iter().any(|beginning| word.starts_with(beginning));
        if begins(MODULES) || compiled.language.ends_with("module") {
            bail!(
                "{}: it is compiled with C++ modules (`{word}`), which cannot be compiled once more with other flags; build the \
                 project without modules",
                compiled.source.display()
            );
        }
        match word.as_str() {
            // To the compiler proper, word by word.
            "-Xclang" => match words.next().map(String::as_str) {
                Some("-include-pch") => drop((words.next(), words.next())),
                Some(word) => kept.extend(["-Xclang".to_owned(), word.to_owned()]),
                None => {}
            },
            word if WITH_NEXT.contains(&word) => drop(words.next()),
            word if WORDS.contains(&word) || !is_clang && word == "-fno-plt" => {}
            word if is_clang && OF_GCC.contains(&word) => {}
            // Warnings, but not what goes to the preprocessor or the assembler.
            word if word.starts_with("-Wp,-M") || word.contains("_FORTIFY_SOURCE") => {}
            word if word.starts_with("-Wp,") => kept.push(word.to_owned()),
            word if word.starts_with("-Wa,") => kept.push(word.to_owned()),
            word if word.starts_with("-g") && !word.starts_with("-gcc") => {}
            _ if begins(LEFT_OUT) => {}
            word if !word.starts_with('-') => {}
            word => {
                kept.push(word.to_owned());
                if arguments::WITH_NEXT.contains(&word) {
                    kept.extend(words.next().cloned());
                }
            }
        }
    }
    kept.push("-w".to_owned());
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(flags: &str) -> Result<Vec<String>> {
        let arguments = flags.split(' ').map(str::to_owned).collect();
        kept(&Compiled { directory: "/b".into(), source: "a.cpp".into(), language: "c++".to_owned(), arguments }, true)
    }

    #[test]
    fn what_changes_the_meaning_of_a_source_is_kept_and_nothing_else() {
        for (flags, expected) in [
            ("-DA=1 -D B -I inc -Iinc -std=gnu++17 -O2 -g -Wall -Werror", "-DA=1 -D B -I inc -Iinc -std=gnu++17 -w"),
            ("-flto=thin -fPIE -fsanitize=address -fno-exceptions -march=native", "-fno-exceptions -march=native -w"),
            ("-Wp,-D_FORTIFY_SOURCE=2 -Wp,-DX -Wa,--noexecstack", "-Wp,-DX -Wa,--noexecstack -w"),
            (
                "-Winvalid-pch -Xclang -include-pch -Xclang x.pch -Xclang -include -Xclang x.hxx",
                "-Xclang -include -Xclang x.hxx -w",
            ),
            ("-include-pch x.pch -include x.h -Xlinker -z -pthread", "-include x.h -w"),
            ("-lm -Llib -Wl,-z,now -rdynamic a.o -fcoroutines", "-w"),
        ] {
            assert_eq!(of(flags).expect("possible").join(" "), expected, "{flags}");
        }
    }

    #[test]
    fn modules_are_refused_by_name() {
        let told = of("-std=c++20 -fmodule-file=m=m.pcm").expect_err("modules").to_string();
        assert!(told.contains("a.cpp") && told.contains("-fmodule-file=m=m.pcm"), "{told}");
    }
}
