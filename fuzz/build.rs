//! Builds the targets that execute C++ under control (fuzz/controlled/): src/lib.rs tells why they are built apart.

mod choice;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Flags for the Rust of the controlled targets. They must not ask for a sanitizer.
const CONTROLLED_FLAGS: &str = "THREADBARE_CONTROLLED_RUSTFLAGS";

fn main() {
    // Most of them are for controlled/build.rs and libfuzzer-sys.
    for variable in [choice::VARIABLE, CONTROLLED_FLAGS, "THREADBARE_BUG", "CXX", "CXXFLAGS", "CUSTOM_LIBFUZZER_PATH"]
    {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    let project = Path::new(&variable("CARGO_MANIFEST_DIR")).join("..");
    for part in [
        "Cargo.toml",
        "build.rs",
        "cpp",
        "src",
        "fuzz/build.rs",
        "fuzz/choice.rs",
        "fuzz/Cargo.lock",
        "fuzz/controlled",
    ] {
        println!("cargo:rerun-if-changed={}", project.join(part).display());
    }
    match build_controlled() {
        Ok(targets) => println!("cargo:rustc-env=THREADBARE_CONTROLLED_TARGETS={}", targets.display()),
        Err(message) => {
            println!("cargo:warning=threadbare: {message}");
            eprintln!("threadbare: {message}");
            std::process::exit(1);
        }
    }
    println!("cargo:rustc-check-cfg=cfg(sanitizes_threads)");
    if variable("CARGO_CFG_SANITIZE") == "thread" {
        println!("cargo:rustc-cfg=sanitizes_threads");
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

/// The directory with the targets.
fn build_controlled() -> Result<PathBuf, String> {
    let (rustc, wanted) = (variable("CARGO_CFG_SANITIZE"), variable(choice::VARIABLE));
    let sanitizer = choice::choose(&rustc, &wanted)?;
    let triple = variable("TARGET");
    // Beside the profile's directory, `build/PACKAGE/out` of which is ours: what does not depend on a sanitizer is built once.
    let out = PathBuf::from(variable("OUT_DIR"));
    let directory = out.ancestors().nth(4).expect("cargo's OUT_DIR lies in its target directory").join("controlled");
    let built = Command::new(variable("CARGO"))
        .args(["build", "--release", "--locked", "--manifest-path", "controlled/Cargo.toml", "--target", &triple])
        .arg("--target-dir")
        .arg(&directory)
        .env(choice::VARIABLE, sanitizer)
        .env("RUSTFLAGS", variable(CONTROLLED_FLAGS))
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    let said = String::from_utf8_lossy(&built.stderr);
    if !built.status.success() {
        eprint!("{said}");
        let reason =
            said.lines().find_map(|line| line.split_once("threadbare: ")).map_or("see below", |(_, reason)| reason);
        return Err(reason.to_owned());
    }
    // The next build, for another sanitizer, takes their place.
    for target in ["differential", "lease"] {
        let (from, to) = (directory.join(&triple).join("release").join(target), out.join(target));
        fs::copy(&from, &to)
            .map_err(|error| format!("{} cannot be copied to {}: {error}", from.display(), to.display()))?;
    }
    Ok(out)
}
