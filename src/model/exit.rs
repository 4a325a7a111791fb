//! How the program and its workers leave.

/// Nothing was found.
pub const CLEAN: u8 = 0;
/// Something was found.
pub const FOUND: u8 = 1;
/// The tool could not do what was asked; clap leaves with the same code.
pub const COULD_NOT: u8 = 2;
/// Of a worker alone: another process sent it a signal, so its job is to be done again.
pub const FROM_OUTSIDE: u8 = 75;
