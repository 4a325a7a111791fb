//! Programs: the model, what makes one valid, how they are generated, and the text they are written in.
#![forbid(unsafe_code)]

pub mod call;
mod compact;
pub mod generate;
mod model;
pub mod shrink;
pub mod text;
mod tree;
pub mod validate;

pub use call::{Call, Pair};
pub use generate::{DEFAULT_SIZE, MAX_SIZE, Shape, Systems, from_bytes, from_seed, from_seed_in_shape};
pub use model::*;
pub use tree::{Begun, Tree};
