//! What the fuzz targets call, so that tests run the same code on the inputs in fuzz/seeds/.

mod executor;

use std::cell::RefCell;

use arbitrary::Unstructured;

pub use executor::{Executor, execute_alone_if_asked};

use crate::case::Case;
use crate::model::word;
use crate::oracle::brute_force;
use crate::task_graph::generate::Decisions;
use crate::task_graph::text;

/// The target `text`: what reads as a task graph or a case reads the same after it is written.
///
/// # Errors
/// What was read another time was something else.
pub fn check_text(bytes: &[u8]) -> Result<(), String> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    if let Ok(graph) = text::parse(text) {
        let again = text::parse(&graph.to_string());
        if again.as_ref() != Ok(&graph) {
            return Err(format!("{graph}\nreads as {again:?}"));
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

thread_local! {
    static EXECUTOR: RefCell<Executor> = RefCell::new(Executor::linked().expect("a runtime, and a place for temporary files"));
}

/// The targets `differential` and `lease`: executes an input; false if the bytes hold none.
///
/// # Panics
/// It fails. The message is the failure.
#[must_use]
pub fn run(bytes: &[u8]) -> bool {
    let ran = EXECUTOR.with_borrow_mut(|executor| executor.run(bytes));
    ran.unwrap_or_else(|failure| panic!("{}: {}", word(&failure.verdict), failure.message))
}

/// Puts what a mutator made where libFuzzer wants it; says how much that is.
#[must_use]
pub fn put(made: &[u8], place: &mut [u8]) -> usize {
    place[..made.len()].copy_from_slice(made);
    made.len()
}
