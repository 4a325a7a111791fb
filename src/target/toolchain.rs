//! The C++ compiler: where it is, what it is, and the sanitizer runtimes that come with it.
//!
//! Build scripts include this file too, so it uses the standard library and `crate::model::settings::Sanitizer` alone.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::model::settings::Sanitizer;

/// Oldest compilers whose C++20 coroutines and libstdc++ the code is tested with.
const OLDEST_CLANG: u32 = 17;
const OLDEST_GCC: u32 = 12;

const INSTALL: &str = "install one of: `apt-get install clang-22 libclang-rt-22-dev` (fast engine), \
                       `apt-get install clang-19 libclang-rt-19-dev`, `apt-get install g++`; \
                       or name a compiler with `--cxx` or in the environment variable CXX";

/// A C++ compiler that is new enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    pub compiler: PathBuf,
    pub is_clang: bool,
    pub major: u32,
    /// All of it, such as `22.1.8`.
    pub version: String,
}

/// Whether a sanitizer's runtime is linked into an executable or loaded before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Static,
    Shared,
}

impl Toolchain {
    /// The compiler `named` on the command line, else that in `CXX`, else the newest clang++ on PATH, else the newest g++.
    ///
    /// # Errors
    /// There is none, or it does not run or is too old; the error tells how to get one.
    pub fn find(named: Option<&Path>) -> Result<Self, String> {
        let from_environment = || {
            let of = |variable| env::var_os(variable).filter(|value| !value.is_empty());
            // Where the wrappers build a project, they are not what compiles.
            let is_wrapper = |value: &OsString| value.to_str().is_some_and(Self::is_wrapper);
            let named = of("CXX").map(|value| if is_wrapper(&value) { of("THREADBARE_CXX") } else { Some(value) });
            named.flatten().map(PathBuf::from)
        };
        let named = named.map(|path| ("--cxx ", path.to_owned()));
        if let Some((how, path)) = named.or_else(|| from_environment().map(|path| ("CXX=", path))) {
            return Self::named(how, &path);
        }
        let mut too_old = None;
        for compilers in [on_path("clang++"), on_path("g++")] {
            match compilers.iter().filter_map(|path| Self::probe(path)).max_by_key(|found| found.major) {
                Some(found) if found.is_new_enough() => return Ok(found),
                Some(found) => too_old = Some(found),
                None => {}
            }
        }
        Err(too_old
            .map_or_else(|| format!("no C++20 compiler on PATH; {INSTALL}"), |found| found.too_old(&found.name())))
    }

    /// Whether `CC` or `CXX` names the compiler wrappers, `threadbare cc` and `threadbare c++`.
    #[must_use]
    pub fn is_wrapper(command: &str) -> bool {
        let program = command.split_whitespace().next().unwrap_or_default();
        let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
        name == "threadbare" || name.starts_with("threadbare-c")
    }

    /// The compiler with the highest number in its name, without asking any: clang++ before g++.
    ///
    /// # Errors
    /// There is none on PATH.
    pub fn newest_by_name() -> Result<PathBuf, String> {
        let number = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.rsplit_once('-').and_then(|(_, number)| number.parse::<u32>().ok()).unwrap_or_default()
        };
        let newest = |name| on_path(name).into_iter().max_by_key(number);
        newest("clang++").or_else(|| newest("g++")).ok_or_else(|| format!("no C++ compiler on PATH; {INSTALL}"))
    }

    /// The compiler of this path or name; `how` says before it who named it.
    ///
    /// # Errors
    /// It does not run or is too old; the error tells how to get another.
    pub fn named(how: &str, path: &Path) -> Result<Self, String> {
        let what = format!("{how}{}", path.display());
        let found = Self::probe(path).ok_or_else(|| format!("{what}: it does not run as a C++ compiler; {INSTALL}"))?;
        if found.is_new_enough() { Ok(found) } else { Err(found.too_old(&what)) }
    }

    fn probe(path: &Path) -> Option<Self> {
        let answer = |flag: &str| {
            let output = Command::new(path).arg(flag).output().ok().filter(|output| output.status.success())?;
            String::from_utf8(output.stdout).ok()
        };
        let said = answer("--version")?;
        let is_clang = said.contains("clang");
        // Starting clang takes as long as compiling something small, so it is asked once.
        let version = if is_clang {
            said.split_once("version ")?.1.split_whitespace().next()?.to_owned()
        } else {
            answer("-dumpfullversion")?.trim().to_owned()
        };
        let major = version.split('.').next()?.parse().ok()?;
        Some(Self { compiler: path.to_owned(), is_clang, major, version })
    }

    fn is_new_enough(&self) -> bool {
        self.major >= if self.is_clang { OLDEST_CLANG } else { OLDEST_GCC }
    }

    fn too_old(&self, what: &str) -> String {
        format!(
            "{what} is version {}, but clang++ {OLDEST_CLANG} or g++ {OLDEST_GCC} is needed; {INSTALL}",
            self.version
        )
    }

    /// The file name of the compiler.
    #[must_use]
    pub fn name(&self) -> String {
        self.compiler.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// For people: `clang++-22 22.1.8`.
    #[must_use]
    pub fn description(&self) -> String {
        format!("{} {}", self.name(), self.version)
    }

    /// The libraries of a sanitizer's runtime, in the order in which they are loaded or linked; none for
    /// [`Sanitizer::None`].
    ///
    /// # Errors
    /// One is missing; the error names it and the package that has it.
    pub fn runtime(&self, sanitizer: Sanitizer, form: Form) -> Result<Vec<PathBuf>, String> {
        let names: &[&str] = match (self.is_clang, form, sanitizer) {
            (_, _, Sanitizer::None) => &[],
            (true, Form::Shared, Sanitizer::Thread) => &["libclang_rt.tsan-x86_64.so"],
            (true, Form::Shared, Sanitizer::Address) => &["libclang_rt.asan-x86_64.so"],
            (false, Form::Shared, Sanitizer::Thread) => &["libtsan.so"],
            (false, Form::Shared, Sanitizer::Address) => &["libasan.so", "libubsan.so"],
            (true, Form::Static, Sanitizer::Thread) => &["libclang_rt.tsan-x86_64.a", "libclang_rt.tsan_cxx-x86_64.a"],
            (true, Form::Static, Sanitizer::Address) => {
                &["libclang_rt.asan_static-x86_64.a", "libclang_rt.asan-x86_64.a", "libclang_rt.asan_cxx-x86_64.a"]
            }
            (false, Form::Static, Sanitizer::Thread) => &["libtsan.a"],
            (false, Form::Static, Sanitizer::Address) => &["libasan.a", "libubsan.a"],
        };
        names.iter().map(|name| self.locate(name).ok_or_else(|| self.no_runtime(sanitizer, name))).collect()
    }

    /// A file of the compiler's own.
    #[must_use]
    pub fn locate(&self, library: &str) -> Option<PathBuf> {
        let ask = |question: &str| {
            let output = Command::new(&self.compiler).arg(question).output().ok()?;
            Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
        };
        let named = ask(&format!("-print-file-name={library}")).filter(|path| path.is_absolute() && path.exists());
        let beside = || Some(ask("-print-resource-dir")?.join("lib/linux").join(library)).filter(|path| path.exists());
        // The loader takes the name as it stands, and reports name the file that it leads to.
        named.or_else(beside).and_then(|path| fs::canonicalize(path).ok())
    }

    fn no_runtime(&self, sanitizer: Sanitizer, library: &str) -> String {
        let package = if self.is_clang {
            format!("libclang-rt-{}-dev", self.major)
        } else {
            format!("libgcc-{}-dev", self.major)
        };
        let sanitizer = match sanitizer {
            Sanitizer::None => "none",
            Sanitizer::Thread => "thread",
            Sanitizer::Address => "address",
        };
        format!(
            "{} has no {sanitizer} sanitizer runtime ({library}); `apt-get install {package}`, name another compiler with \
             `--cxx`, or leave it out with `--sanitizer`",
            self.name()
        )
    }
}

/// Every compiler on PATH with that name, or with it, a dash and a number.
fn on_path(name: &str) -> Vec<PathBuf> {
    let is_one = |entry: &str| {
        let rest = entry.strip_prefix(name)?;
        let number = rest.strip_prefix('-').is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        (rest.is_empty() || number).then_some(())
    };
    let path = env::var_os("PATH").unwrap_or_default();
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in env::split_paths(&path) {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        found.extend(entries.filter(|entry| entry.file_name().to_str().and_then(is_one).is_some()).map(|e| e.path()));
    }
    // Folders such as /bin and /usr/bin are often one.
    let mut seen = Vec::new();
    found.retain(|path| {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let is_new = !seen.contains(&real);
        seen.push(real);
        is_new
    });
    found
}
