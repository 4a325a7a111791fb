//! The arguments of a compiler's command line, as clang and gcc read them: what is compiled, what comes of it, and the rest.

use std::fs;
use std::path::{Path, PathBuf};

/// Options whose value is the next word.
pub(super) const WITH_NEXT: &[&str] = &[
    "-o",
    "-x",
    "-D",
    "-U",
    "-I",
    "-L",
    "-l",
    "-B",
    "-T",
    "-u",
    "-z",
    "-e",
    "-h",
    "-G",
    "-A",
    "-arch",
    "-target",
    "-include",
    "-imacros",
    "-isystem",
    "-iquote",
    "-idirafter",
    "-iprefix",
    "-iwithprefix",
    "-iwithprefixbefore",
    "-isysroot",
    "-imultilib",
    "-imultiarch",
    "-ivfsoverlay",
    "-cxx-isystem",
    "-include-pch",
    "--sysroot",
    "--param",
    "-MF",
    "-MT",
    "-MQ",
    "-MJ",
    "-Xlinker",
    "-Xclang",
    "-Xassembler",
    "-Xpreprocessor",
    "-Xanalyzer",
    "-mllvm",
    "-aux-info",
    "-dumpbase",
    "-dumpbase-ext",
    "-dumpdir",
    "-wrapper",
    "-specs",
    "-rpath",
    "-soname",
    "-framework",
    "-fplugin-arg",
    "-working-directory",
    "-gcc-toolchain",
];
/// Options that ask something, or stop before there is an object.
const NO_OBJECT: &[&str] = &[
    "-E",
    "-M",
    "-MM",
    "-S",
    "-fsyntax-only",
    "-emit-llvm",
    "-emit-ast",
    "--precompile",
    "--analyze",
    "-###",
    "--version",
    "--help",
    "-dumpversion",
    "-dumpfullversion",
    "-dumpmachine",
    "-dumpspecs",
];
/// How deep files with arguments name others.
const DEEPEST: usize = 16;

/// What a command of the compiler is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To answer, or to make something other than objects.
    Other,
    /// An object of each source.
    Compile,
    /// One object of others.
    Combine,
    /// An executable, or a shared library.
    Link,
}

/// A file to compile, with what the option `-x` would call its language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub path: String,
    pub language: String,
}

/// A command, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    pub purpose: Purpose,
    pub sources: Vec<Source>,
    pub output: Option<PathBuf>,
    /// All that is neither a source nor says what comes of it.
    pub others: Vec<String>,
}

/// The words of a command, with those of the files (`@file`) that it names.
#[must_use]
pub fn expanded(words: &[String], directory: &Path) -> Vec<String> {
    let mut all = Vec::new();
    expand(words, directory, DEEPEST, &mut all);
    all
}

fn expand(words: &[String], directory: &Path, depth: usize, all: &mut Vec<String>) {
    for word in words {
        let file = word.strip_prefix('@').filter(|_| depth > 0);
        match file.and_then(|file| fs::read_to_string(directory.join(file)).ok()) {
            Some(text) => {
                let words = shlex::split(&text).unwrap_or_default();
                expand(&words, directory, depth - 1, all);
            }
            None => all.push(word.clone()),
        }
    }
}

impl Arguments {
    /// Takes the words after the compiler's name apart; files that they name are to be [`expanded`] before.
    #[must_use]
    pub fn of(words: &[String], is_cpp: bool) -> Self {
        let mut taken = Self { purpose: Purpose::Link, sources: Vec::new(), output: None, others: Vec::new() };
        let mut language: Option<String> = None;
        let mut compiles = false;
        let mut asks = false;
        let mut combines = false;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let word = word.as_str();
            if !word.starts_with('-') || word == "-" {
                taken.add_file(word, language.as_deref(), is_cpp);
                continue;
            }
            asks |= NO_OBJECT.contains(&word) || word.starts_with("-print-") || word.starts_with("--print-");
            compiles |= word == "-c";
            combines |= word == "-r";
            match word {
                "-c" | "-MD" | "-MMD" | "-MP" | "-MG" => {}
                "-o" => taken.output = words.next().map(PathBuf::from),
                "-x" => language = words.next().cloned(),
                "-MF" | "-MT" | "-MQ" | "-MJ" => drop(words.next()),
                _ if word.starts_with("-MF") || word.starts_with("-MT") || word.starts_with("-MQ") => {}
                _ => match (word.strip_prefix("-o"), word.strip_prefix("-x")) {
                    (Some(output), _) if !word.starts_with("-obj") => taken.output = Some(output.into()),
                    (_, Some(named)) => language = Some(named.to_owned()),
                    _ => {
                        taken.others.push(word.to_owned());
                        if WITH_NEXT.contains(&word) {
                            taken.others.extend(words.next().cloned());
                        }
                    }
                },
            }
            if language.as_deref() == Some("none") {
                language = None;
            }
        }
        let has_input = !taken.sources.is_empty() || taken.others.iter().any(|word| is_file(word));
        taken.purpose = match () {
            () if asks || !has_input => Purpose::Other,
            () if compiles => Purpose::Compile,
            () if combines => Purpose::Combine,
            () => Purpose::Link,
        };
        taken
    }

    fn add_file(&mut self, path: &str, language: Option<&str>, is_cpp: bool) {
        match language.or_else(|| language_of(path, is_cpp)) {
            Some(language) => self.sources.push(Source { path: path.to_owned(), language: language.to_owned() }),
            None => self.others.push(path.to_owned()),
        }
    }
}

fn is_file(word: &str) -> bool {
    !word.starts_with('-') || word.starts_with("-l")
}

/// The language of a file by the end of its name; `None` for what goes to the linker.
fn language_of(path: &str, is_cpp: bool) -> Option<&'static str> {
    Some(match Path::new(path).extension()?.to_str()? {
        "c" if is_cpp => "c++",
        "c" => "c",
        "cc" | "cp" | "cxx" | "cpp" | "CPP" | "c++" | "C" => "c++",
        "i" => "cpp-output",
        "ii" => "c++-cpp-output",
        "S" | "sx" => "assembler-with-cpp",
        "s" => "assembler",
        "h" | "hh" | "H" | "hp" | "hxx" | "hpp" | "HPP" | "h++" | "tcc" => "c++-header",
        "m" => "objective-c",
        "mm" | "M" => "objective-c++",
        "cu" => "cuda",
        "cppm" | "ixx" => "c++-module",
        "ll" | "bc" => "ir",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Arguments {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Arguments::of(&words, true)
    }

    #[test]
    fn a_command_is_taken_apart() {
        let taken = of("-I include -DA=b.c -MD -MT a.o -MF a.d -std=gnu++17 -o a.o -c a.cpp");
        assert_eq!(taken.purpose, Purpose::Compile);
        assert_eq!(taken.sources, [Source { path: "a.cpp".to_owned(), language: "c++".to_owned() }]);
        assert_eq!(taken.output.as_deref(), Some(Path::new("a.o")));
        assert_eq!(taken.others, ["-I", "include", "-DA=b.c", "-std=gnu++17"]);
    }

    #[test]
    fn what_a_command_is_for_is_told_by_its_options() {
        for (line, purpose) in [
            ("-E a.c", Purpose::Other),
            ("-v", Purpose::Other),
            ("-print-file-name=libc.so a.c", Purpose::Other),
            ("-S a.c", Purpose::Other),
            ("-Wl,--version", Purpose::Other),
            ("-c a.c b.c", Purpose::Compile),
            ("a.o -lm", Purpose::Link),
            ("a.c -o a", Purpose::Link),
            ("-shared a.o", Purpose::Link),
            ("-r a.o b.o -o c.o", Purpose::Combine),
        ] {
            assert_eq!(of(line).purpose, purpose, "{line}");
        }
    }

    #[test]
    fn languages_are_those_of_names_unless_an_option_says_another() {
        let languages = |line: &str| of(line).sources.into_iter().map(|source| source.language).collect::<Vec<_>>();
        assert_eq!(
            languages("a.c b.cc c.S -x c d.cpp -x none e.cpp"),
            ["c++", "c++", "assembler-with-cpp", "c", "c++"]
        );
        assert_eq!(languages("-xc++ -"), ["c++"]);
        assert_eq!(of("a.o libb.a -lc").others, ["a.o", "libb.a", "-lc"]);
    }

    #[test]
    fn files_with_arguments_are_read_and_others_stay_as_they_are() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("more"), "-DA='b c' \"d.cpp\"\n@again").expect("written");
        fs::write(directory.path().join("again"), "e.o").expect("written");
        let words = ["-c", "@more", "@gone"].map(str::to_owned);
        assert_eq!(expanded(&words, directory.path()), ["-c", "-DA=b c", "d.cpp", "e.o", "@gone"]);
    }
}
