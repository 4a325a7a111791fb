//! Links the bundled runtime into the targets, each of which has to be one executable.

use std::env;
use std::path::{Path, PathBuf};

/// What the files of the tool's that are included here ask of the crate that they are part of.
mod model {
    pub mod settings {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Sanitizer {
            None,
            Thread,
            Address,
        }
    }
}

#[path = "../../src/target/flags.rs"]
#[allow(dead_code, reason = "programs are no fuzz targets")]
mod flags;
mod static_runtime;
#[path = "../../src/target/toolchain.rs"]
#[allow(dead_code, reason = "shared runtimes are for shared targets")]
mod toolchain;

use flags::Instrumented;
use model::settings::Sanitizer;
use toolchain::Toolchain;

const SANITIZER: &str = "THREADBARE_SANITIZER";
/// The seeded bug that is built into the runtime.
const BUG: &str = "THREADBARE_BUG";
/// The sources of the runtime below cpp/, each with the macro by which a bug says that it takes its place.
const PARTS: [(&str, &str); 2] = [
    ("adapters/bundled/scheduler.cpp", "THREADBARE_RUNTIME("),
    ("adapters/bundled/systems.cpp", "THREADBARE_SYSTEMS("),
];

fn main() {
    for variable in [SANITIZER, BUG, "CXX"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    if let Err(message) = build() {
        println!("cargo:warning=threadbare: {message}");
        eprintln!("threadbare: {message}");
        std::process::exit(1);
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

fn build() -> Result<(), String> {
    let sanitizer = match variable(SANITIZER).as_str() {
        "" | "none" => Sanitizer::None,
        "thread" => Sanitizer::Thread,
        "address" => Sanitizer::Address,
        other => return Err(format!("{SANITIZER}={other} is not supported; choose none, thread or address")),
    };
    let toolchain = Toolchain::find(None)?;
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let project = here.ancestors().nth(2).expect("fuzz/controlled/ is part of the project");
    // Reports name sources from there.
    env::set_current_dir(project).map_err(|error| format!("{}: {error}", project.display()))?;
    compile_runtime(&toolchain, sanitizer, project, &variable(BUG))?;
    // The runtime, the hooks and what a sanitizer has are found by name.
    println!("cargo:rustc-link-arg-bins=-rdynamic");
    if sanitizer != Sanitizer::None {
        static_runtime::link(&toolchain, sanitizer, Path::new(&variable("OUT_DIR")))?;
    }
    Ok(())
}

/// Compiles the runtime as the tool does for a worker.
fn compile_runtime(toolchain: &Toolchain, sanitizer: Sanitizer, project: &Path, bug: &str) -> Result<(), String> {
    let cpp = project.join("cpp");
    let mut build = cc::Build::new();
    // Whole, since it is found by name.
    build.compiler(&toolchain.compiler).cpp(true).no_default_flags(true).link_lib_modifier("+whole-archive");
    build.flags(["-xc++", "-std=c++20"]).flags(flags::compiling(toolchain, sanitizer, Instrumented::Runtime));
    build.include(&cpp).flag("-include").flag(cpp.join("harness/points.h"));
    // Wherever it lies.
    build.flag(format!("-ffile-prefix-map={}=.", project.display()));
    build.files(sources(&cpp, bug)?);
    build.try_compile("threadbare_runtime").map_err(|error| error.to_string())?;
    println!("cargo:rerun-if-changed={}", cpp.display());
    Ok(())
}

/// The sources of the runtime, one of them with that bug if it is not empty.
fn sources(cpp: &Path, bug: &str) -> Result<Vec<PathBuf>, String> {
    let mut sources: Vec<PathBuf> = PARTS.iter().map(|(source, _)| cpp.join(source)).collect();
    if !bug.is_empty() {
        let buggy = cpp.join("bugs").join(format!("{}.cpp", bug.replace('-', "_")));
        let text = std::fs::read_to_string(&buggy)
            .map_err(|_| format!("{BUG}={bug}: there is no such bug; `threadbare bugs --list` names them"))?;
        let place = PARTS.iter().position(|(_, says_so)| text.contains(says_so));
        sources[place.expect("a bug is part of the runtime")] = buggy;
    }
    Ok(sources)
}
