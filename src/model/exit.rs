//! How the program and its workers leave.

/// Nothing was found.
pub const CLEAN: u8 = 0;
/// Something was found.
pub const FOUND: u8 = 1;
/// The tool could not do what was asked; clap leaves with the same code.
pub const COULD_NOT: u8 = 2;
