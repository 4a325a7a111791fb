//! What supervisor and worker leave for each other in files that outlive the worker.

pub mod asides;
pub mod input_slot;
mod mapped;
pub mod steps;
pub mod trace;

pub use input_slot::{InputSlot, Slotted};
pub use mapped::create as map_file;
pub use steps::Steps;
pub use trace::Trace;
