//! Compiles the C and C++ that belongs to the executable: the controller's, and the bridge. What is explored is built
//! when it is needed (src/target/).

use std::env;

/// What src/target/toolchain.rs asks of the crate that it is part of.
mod model {
    pub mod settings {
        #[derive(Clone, Copy, PartialEq, Eq)]
        #[allow(dead_code, reason = "nothing here is built for a sanitizer")]
        pub enum Sanitizer {
            None,
            Thread,
            Address,
        }
    }
}

#[path = "src/target/toolchain.rs"]
#[allow(dead_code, reason = "runtimes are for targets")]
mod toolchain;

use toolchain::Toolchain;

fn main() {
    let target = |part: &str| env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    if (target("OS").as_str(), target("ARCH").as_str(), target("ENV").as_str()) != ("linux", "x86_64", "gnu") {
        let wanted = env::var("TARGET").unwrap_or_default();
        fail(&format!("threadbare runs on Linux on x86-64 with glibc alone, and was to be built for {wanted}"));
    }
    let toolchain = Toolchain::find(None).unwrap_or_else(|error| fail(&error));

    let mut bridge = cxx_build::bridge("src/runtime.rs");
    set_up(&mut bridge, &toolchain);
    bridge.std("c++20").include("cpp").flag("-Wall").flag("-Wextra").file("cpp/harness/bridge.cpp");
    bridge.compile("threadbare_bridge");

    let mut c = cc::Build::new();
    set_up(&mut c, &toolchain);
    let files = ["real.c", "memory.c", "annotations.c", "blocks.c", "exec.c", "loader.c", "outside.c"];
    c.cpp(false).flag("-xc").files(files.map(|name| format!("cpp/control/{name}")));
    // Whole: targets call what nothing here does.
    c.link_lib_modifier("+whole-archive").link_lib_modifier("-bundle").compile("threadbare_control");
    let mut cpp = cc::Build::new();
    set_up(&mut cpp, &toolchain);
    let files = ["start.cpp", "thread_exit.cpp"];
    cpp.cpp(true).std("c++20").files(files.map(|name| format!("cpp/control/{name}"))).compile("threadbare_frames");

    // Targets find the hooks in the executable.
    println!("cargo:rustc-link-arg-bins=-rdynamic");
    println!("cargo:rustc-link-arg-tests=-rdynamic");
    println!("cargo:rerun-if-env-changed=CXX");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/target/toolchain.rs");
    println!("cargo:rerun-if-changed=src/runtime.rs");
    // Much of it travels in the executable.
    for folder in ["adapters", "bugs", "control", "harness", "runtime", "target"] {
        println!("cargo:rerun-if-changed=cpp/{folder}");
    }
}

fn fail(message: &str) -> ! {
    println!("cargo:warning=threadbare: {message}");
    eprintln!("threadbare: {message}");
    std::process::exit(1);
}

/// What all of it is compiled with: never instrumented, and optimised, since hooks are called at every scheduling point.
fn set_up(build: &mut cc::Build, toolchain: &Toolchain) {
    build.compiler(&toolchain.compiler).opt_level(2).debug(false).flag("-g1").flag("-fno-omit-frame-pointer").pic(true);
    // cc would do as rustc is told, and hooks are called before a sanitizer's runtime is initialised.
    build.flag("-fno-sanitize=all");
    // Reports name sources as the project does, wherever it lies.
    build.flag(format!("-ffile-prefix-map={}=.", env!("CARGO_MANIFEST_DIR")));
}
