//! The one place that chooses the C++ compiler, the sanitizer and the flags, and compiles the C++ side.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Oldest compilers whose C++20 coroutines and libstdc++ the code is tested with.
const OLDEST_CLANG: u32 = 17;
const OLDEST_GCC: u32 = 12;

const INSTALL: &str = "install one of: `apt-get install clang-22 libclang-rt-22-dev` (fast engine), \
                       `apt-get install clang-19 libclang-rt-19-dev`, `apt-get install g++`; \
                       or name a compiler in the environment variable CXX";

/// Renamed in our copy of a sanitizer's runtime, which defines them as strong symbols or has no other name
/// for them: the controller's hooks bear the plain names and pass through to these.
const RENAMED: [&str; 11] = [
    "__cxa_guard_acquire",
    "__cxa_guard_release",
    "__cxa_guard_abort",
    "_Znwm",
    "_Znam",
    "_ZnwmSt11align_val_t",
    "_ZnamSt11align_val_t",
    "_ZnwmRKSt9nothrow_t",
    "_ZnamRKSt9nothrow_t",
    "_ZnwmSt11align_val_tRKSt9nothrow_t",
    "_ZnamSt11align_val_tRKSt9nothrow_t",
];

fn main() {
    let compiler = Compiler::find().unwrap_or_else(|error| fail(&error));
    let sanitizer = Sanitizer::from_features().unwrap_or_else(|error| fail(&error));

    compile_subjects(&compiler, sanitizer);
    compile_control(&compiler);
    link_runtime(&compiler, sanitizer).unwrap_or_else(|error| fail(&error));

    println!("cargo:rustc-env=THREADBARE_COMPILER={} {}", compiler.name(), compiler.version);
    println!("cargo:rustc-env=THREADBARE_FIBERS={}", u8::from(compiler.clang));
    println!("cargo:rustc-env=THREADBARE_SANITIZER={}", sanitizer.name());
    println!("cargo:rustc-env=THREADBARE_CXX={}", compiler.path.display());
    // Programs under check are loaded as shared objects, which find the hooks and the sanitizer's runtime here.
    println!("cargo:rustc-link-arg-bins=-rdynamic");
    println!("cargo:rustc-link-arg-tests=-rdynamic");
    println!("cargo:rerun-if-env-changed=CXX");
    // A compiler that is installed later is found by the next build.
    for folder in env::split_paths(&env::var_os("PATH").unwrap_or_default()).filter(|folder| folder.starts_with("/usr"))
    {
        if folder.is_dir() {
            println!("cargo:rerun-if-changed={}", folder.display());
        }
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=cpp");
    println!("cargo:rerun-if-changed=src/subject.rs");
}

fn fail(message: &str) -> ! {
    println!("cargo:warning=threadbare: {message}");
    eprintln!("threadbare: {message}");
    std::process::exit(1);
}

/// The subjects and everything they are made of: instrumented, and with every atomic operation a point.
fn compile_subjects(compiler: &Compiler, sanitizer: Sanitizer) {
    let mut build = cxx_build::bridge("src/subject.rs");
    compiler.set_up(&mut build);
    build.std("c++20").include("cpp").flag("-include").flag("cpp/harness/points.h");
    build.flag("-Wall").flag("-Wextra");
    if compiler.clang {
        build.flag("-femulated-tls");
        // A flag for each edge: src/control/counters.rs.
        build.flag("-fsanitize-coverage=edge,inline-bool-flag");
    } else {
        // g++ warns that TSan does not understand fences; the runtime has none.
        build.flag("-Wno-tsan");
    }
    for flag in sanitizer.flags() {
        build.flag(flag);
    }
    // Not in the list, since CMake has no generated bridge to compile it against.
    build.file("cpp/harness/bridge.cpp");
    for source in sources() {
        build.file(Path::new("cpp").join(source));
    }
    build.compile("threadbare_subjects");
}

/// The C and C++ that belong to the controller: never instrumented, no points.
fn compile_control(compiler: &Compiler) {
    let mut c = cc::Build::new();
    compiler.set_up(&mut c);
    c.cpp(false).flag("-xc").file("cpp/control/real.c").file("cpp/control/memory.c");
    // Whole: programs under check call what nothing here does.
    c.link_lib_modifier("+whole-archive").link_lib_modifier("-bundle").compile("threadbare_control");
    let mut cpp = cc::Build::new();
    compiler.set_up(&mut cpp);
    cpp.cpp(true).std("c++20").file("cpp/control/thread_exit.cpp").compile("threadbare_thread_exit");
}

/// `cpp/sources.txt`, the list that CMake reads too.
fn sources() -> Vec<String> {
    let list = fs::read_to_string("cpp/sources.txt").unwrap_or_else(|error| fail(&format!("cpp/sources.txt: {error}")));
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// Links the compiler's own sanitizer runtime, statically, so that the hooks stand in front of it.
fn link_runtime(compiler: &Compiler, sanitizer: Sanitizer) -> Result<(), String> {
    if sanitizer == Sanitizer::None {
        return Ok(());
    }
    if let Ok(rustc) = env::var("CARGO_CFG_SANITIZE")
        && !rustc.is_empty()
    {
        return Ok(()); // rustc links a runtime already, and there can be only one.
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for (library, whole) in compiler.runtime_libraries(sanitizer) {
        let source = compiler.locate(&library).ok_or_else(|| compiler.no_runtime(sanitizer, &library))?;
        let name = format!("threadbare_{}", library.trim_start_matches("lib").trim_end_matches(".a").replace('.', "_"));
        let archive = out.join(format!("lib{name}.a"));
        copy_renamed(&source, &archive)?;
        // g++ keeps apart what initialises the runtime before any library's constructors.
        let first = library.replace(".a", "_preinit.o");
        if let Some(object) = compiler.locate(&first).filter(|_| !compiler.clang && whole) {
            run(Command::new("ar").arg("r").arg(&archive).arg(object))?;
        }
        let modifiers = if whole { "static:+whole-archive,-bundle" } else { "static:-bundle" };
        println!("cargo:rustc-link-lib={modifiers}={name}");
    }
    println!("cargo:rustc-link-search=native={}", out.display());
    for library in ["stdc++", "m", "dl", "pthread", "resolv"] {
        println!("cargo:rustc-link-lib=dylib={library}");
    }
    Ok(())
}

/// Copies a static library, renaming what the hooks must define themselves.
fn copy_renamed(source: &Path, target: &Path) -> Result<(), String> {
    let mut objcopy = Command::new("objcopy");
    for symbol in RENAMED {
        objcopy.arg("--redefine-sym").arg(format!("{symbol}=__interceptor_{symbol}"));
    }
    // Called in the middle of a report, by name: the hook, which refuses it, must not see that.
    objcopy.args(["--redefine-sym", "pipe=threadbare_system_pipe"]);
    run(objcopy.arg(source).arg(target))
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?} (package binutils): {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sanitizer {
    None,
    Thread,
    Address,
}

impl Sanitizer {
    fn from_features() -> Result<Self, String> {
        let has = |feature: &str| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
        match (has("NONE"), has("THREAD"), has("ADDRESS")) {
            (_, false, false) => Ok(Self::None),
            (false, true, false) => Ok(Self::Thread),
            (false, false, true) => Ok(Self::Address),
            _ => Err("the features none, thread and address exclude each other: choose one".to_owned()),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Thread => "thread",
            Self::Address => "address",
        }
    }

    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Thread => &["-fsanitize=thread"],
            Self::Address => &["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-sanitize=vptr"],
        }
    }
}

struct Compiler {
    path: PathBuf,
    clang: bool,
    major: u32,
    version: String,
}

impl Compiler {
    /// `CXX` if it is set, else the newest clang++ on PATH, else the newest g++.
    fn find() -> Result<Self, String> {
        if let Some(path) = env::var_os("CXX").filter(|value| !value.is_empty()) {
            let compiler = Self::probe(Path::new(&path))
                .ok_or_else(|| format!("CXX={} does not run; {INSTALL}", path.display()))?;
            return if compiler.new_enough() {
                Ok(compiler)
            } else {
                Err(format!(
                    "CXX={} is version {}, but clang++ {OLDEST_CLANG} or g++ {OLDEST_GCC} is needed; {INSTALL}",
                    path.display(),
                    compiler.version
                ))
            };
        }
        let mut found: Vec<Self> = candidates().iter().filter_map(|path| Self::probe(path)).collect();
        found.sort_by_key(|compiler| (compiler.new_enough(), compiler.clang, compiler.major));
        match found.pop() {
            Some(compiler) if compiler.new_enough() => Ok(compiler),
            Some(compiler) => Err(format!("{} {} is too old; {INSTALL}", compiler.name(), compiler.version)),
            None => Err(format!("no C++20 compiler on PATH; {INSTALL}")),
        }
    }

    fn probe(path: &Path) -> Option<Self> {
        let version_of = |flag: &str| {
            let output = Command::new(path).arg(flag).output().ok().filter(|output| output.status.success())?;
            String::from_utf8(output.stdout).ok()
        };
        let clang = version_of("--version")?.contains("clang");
        let version = version_of(if clang { "-dumpversion" } else { "-dumpfullversion" })?.trim().to_owned();
        let major = version.split('.').next()?.parse().ok()?;
        Some(Self { path: path.to_owned(), clang, major, version })
    }

    fn new_enough(&self) -> bool {
        self.major >= if self.clang { OLDEST_CLANG } else { OLDEST_GCC }
    }

    fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// What all our C and C++ is compiled with. Always optimised: g++ tail-calls symmetric transfer only
    /// from -O2 on, and the speed of the C++ is the speed of the search.
    fn set_up(&self, build: &mut cc::Build) {
        build.compiler(&self.path).opt_level(2).debug(false).flag("-g1").flag("-fno-omit-frame-pointer").pic(true);
        // Reports name sources as the project does, wherever it lies.
        build.flag(format!("-ffile-prefix-map={}=.", env!("CARGO_MANIFEST_DIR")));
    }

    /// The static runtime libraries and whether each is linked whole.
    fn runtime_libraries(&self, sanitizer: Sanitizer) -> Vec<(String, bool)> {
        let names: &[(&str, bool)] = match (self.clang, sanitizer) {
            (_, Sanitizer::None) => &[],
            (true, Sanitizer::Thread) => &[("tsan", true), ("tsan_cxx", true)],
            (true, Sanitizer::Address) => &[("asan_static", true), ("asan", true), ("asan_cxx", true)],
            (false, Sanitizer::Thread) => &[("tsan", true)],
            (false, Sanitizer::Address) => &[("asan", true), ("ubsan", false)],
        };
        let architecture = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets CARGO_CFG_TARGET_ARCH");
        names
            .iter()
            .map(|&(name, whole)| {
                let file =
                    if self.clang { format!("libclang_rt.{name}-{architecture}.a") } else { format!("lib{name}.a") };
                (file, whole)
            })
            .collect()
    }

    fn locate(&self, library: &str) -> Option<PathBuf> {
        let output = Command::new(&self.path).arg(format!("-print-file-name={library}")).output().ok()?;
        let named = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
        if named.is_absolute() && named.exists() {
            return Some(named);
        }
        let output = Command::new(&self.path).arg("-print-resource-dir").output().ok()?;
        let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()).join("lib/linux");
        Some(folder.join(library)).filter(|path| path.exists())
    }

    fn no_runtime(&self, sanitizer: Sanitizer, library: &str) -> String {
        let package =
            if self.clang { format!("libclang-rt-{}-dev", self.major) } else { format!("libgcc-{}-dev", self.major) };
        format!(
            "{} has no {} sanitizer runtime ({library}); `apt-get install {package}`",
            self.name(),
            sanitizer.name()
        )
    }
}

/// Every `clang++`, `clang++-N`, `g++` and `g++-N` on PATH.
fn candidates() -> Vec<PathBuf> {
    let is_compiler = |name: &str| {
        let rest = name.strip_prefix("clang++").or_else(|| name.strip_prefix("g++"));
        rest.is_some_and(|rest| {
            rest.is_empty() || rest.strip_prefix('-').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        })
    };
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten())
        .filter(|entry| entry.file_name().to_str().is_some_and(is_compiler))
        .map(|entry| entry.path())
        .collect()
}
