//! What the fuzz targets call, so that tests run the same code on the inputs in fuzz/seeds/.
#![forbid(unsafe_code)]

mod executor;

use arbitrary::Unstructured;

pub use executor::{Executor, FAULT, execute_alone_if_asked};

use crate::case::Case;
use crate::oracle::brute_force;
use crate::program::generate::Decisions;
use crate::program::text;

/// The target `text`: what reads as a program or a case reads the same after it is written.
///
/// # Errors
/// What was read another time was something else.
pub fn check_text(bytes: &[u8]) -> Result<(), String> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    if let Ok(program) = text::parse(text) {
        let again = text::parse(&program.to_string());
        if again.as_ref() != Ok(&program) {
            return Err(format!("{program}\nreads as {again:?}"));
        }
    }
    if let Ok(case) = Case::parse(text) {
        // Of a report, carriage returns are not kept.
        let written = case.to_string();
        let again = Case::parse(&written).map(|case| case.to_string());
        if again.as_ref() != Ok(&written) {
            return Err(format!("{written}\nreads as {again:?}"));
        }
    }
    Ok(())
}

/// The target `history`: bytes become a history of one object, and the oracle agrees with trying every order.
///
/// # Errors
/// The history, if they do not agree.
pub fn check_history(bytes: &[u8]) -> Result<(), String> {
    let mut bytes = Unstructured::new(bytes);
    let kind = bytes.below(brute_force::kinds_of_object() as u32) as usize;
    brute_force::compare(kind, &mut bytes).map(drop)
}

/// Puts what a mutator made where libFuzzer wants it; says how much that is.
#[must_use]
pub fn put(made: &[u8], place: &mut [u8]) -> usize {
    place[..made.len()].copy_from_slice(made);
    made.len()
}
