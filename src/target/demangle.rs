//! The names of a target's symbols as the source has them.

use cpp_demangle::{DemangleOptions, Symbol};

/// A name as the source has it.
#[must_use]
pub fn demangled(name: &str) -> String {
    let symbol = Symbol::new(name).ok();
    let demangled = symbol.and_then(|symbol| symbol.demangle_with_options(&DemangleOptions::default()).ok());
    demangled.unwrap_or_else(|| name.to_owned())
}
