//! Which sanitizer the C++ in the fuzz targets carries, by what cargo-fuzz and the user ask for.
//!
//! tests/cargo_fuzz.rs includes this file too.

/// The environment variable that chooses a sanitizer, whatever cargo-fuzz asks for.
pub const VARIABLE: &str = "THREADBARE_SANITIZER";

/// The name of the sanitizer. `rustc` is what Rust is instrumented for (`CARGO_CFG_SANITIZE`; cargo-fuzz says `address`
/// unless it is asked not to), `wanted` the value of [`VARIABLE`]; empty stands for nothing.
///
/// # Errors
/// There is no such sanitizer for C++ under control; the error has a command that works.
pub fn choose<'a>(rustc: &'a str, wanted: &'a str) -> Result<&'a str, String> {
    match (wanted, rustc) {
        ("none" | "thread" | "address", _) => Ok(wanted),
        ("", "") => Ok("none"),
        ("", "thread" | "address") => Ok(rustc),
        ("", _) => Err(format!(
            "the sanitizer {rustc} is not supported; run `cargo +nightly fuzz run TARGET`, which is AddressSanitizer, or \
             `{VARIABLE}=thread cargo +nightly fuzz run TARGET -s none`"
        )),
        _ => Err(format!("{VARIABLE}={wanted} is not supported; choose none, thread or address")),
    }
}
