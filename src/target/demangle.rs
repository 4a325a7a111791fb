//! The names of a target's symbols as the source has them.

use cpp_demangle::{DemangleOptions, Symbol};

/// A name as the source has it.
#[must_use]
pub fn demangled(name: &str) -> String {
    // The demangler takes other names for types: `b` would be `bool`.
    let symbol = name.starts_with("_Z").then(|| Symbol::new(name).ok()).flatten();
    let demangled = symbol.and_then(|symbol| symbol.demangle_with_options(&DemangleOptions::default()).ok());
    demangled.unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mangled_names_are_changed() {
        assert_eq!(["b", "_ZN1a1bE", "_Z"].map(demangled), ["b", "a::b", "_Z"]);
    }
}
