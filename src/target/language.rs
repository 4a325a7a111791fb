//! The languages of sources.

use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    C,
    Cpp,
}

impl Language {
    /// By the end of a file's name.
    #[must_use]
    pub fn of(source: &Path) -> Option<Self> {
        match source.extension().and_then(|extension| extension.to_str()) {
            Some("c") => Some(Self::C),
            Some("cc" | "cpp" | "cxx" | "C" | "c++") => Some(Self::Cpp),
            _ => None,
        }
    }

    /// What people call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::C => "C",
            Self::Cpp => "C++",
        }
    }
}
