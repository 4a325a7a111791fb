//! Links a sanitizer's static runtime into the targets, behind the controller's hooks.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::model::settings::Sanitizer;
use crate::toolchain::{Form, Toolchain};

/// What a runtime defines as strong symbols, or has no other name for. The hooks bear these names in the executable, and
/// pass on to `__interceptor_…`, as they are called in our copy (cpp/control/real.c).
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

/// # Errors
/// The compiler does not have the runtime, or it cannot be copied to `out`; the error names what is missing.
pub fn link(toolchain: &Toolchain, sanitizer: Sanitizer, out: &Path) -> Result<(), String> {
    for source in toolchain.runtime(sanitizer, Form::Static)? {
        let file = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = format!("threadbare_{}", file.trim_start_matches("lib").trim_end_matches(".a").replace('.', "_"));
        let archive = out.join(format!("lib{name}.a"));
        copy_renamed(&source, &archive)?;
        if let Some(object) = first_object(toolchain, &file) {
            run(Command::new("ar").arg("r").arg(&archive).arg(object))?;
        }
        println!("cargo:rustc-link-lib=static:+whole-archive,-bundle={name}");
    }
    // It starts its symbolizer by way of `pipe` in the middle of a report. The hook of that name would refuse it, and end the
    // execution with the report half made. Nothing else that is linked calls it.
    println!("cargo:rustc-link-arg-bins=-Wl,--wrap=pipe,--defsym=__wrap_pipe=threadbare_system_pipe");
    println!("cargo:rustc-link-search=native={}", out.display());
    for library in ["stdc++", "m", "dl", "pthread", "resolv"] {
        println!("cargo:rustc-link-lib=dylib={library}");
    }
    Ok(())
}

/// What initialises a runtime before any library's constructors, which g++ keeps apart from it.
fn first_object(toolchain: &Toolchain, archive: &str) -> Option<PathBuf> {
    if toolchain.is_clang { None } else { toolchain.locate(&archive.replace(".a", "_preinit.o")) }
}

fn copy_renamed(source: &Path, target: &Path) -> Result<(), String> {
    let mut objcopy = Command::new("objcopy");
    for symbol in RENAMED {
        objcopy.arg("--redefine-sym").arg(format!("{symbol}=__interceptor_{symbol}"));
    }
    run(objcopy.arg(source).arg(target))
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program}: {error}; `apt-get install binutils`"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
}
