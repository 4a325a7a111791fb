//! The safe Rust side: what task graphs mean, one step at a time and on many threads.

mod expectations;
pub mod model;
pub mod objects;
pub mod scheduler;
pub mod sequential;
pub mod systems;
pub mod trial;

pub use expectations::{Expectations, Stops};
