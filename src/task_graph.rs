//! Task graphs: the model, what makes one valid, how they are generated, and the text they are written in.

pub mod call;
mod code;
mod compact;
pub mod encode;
pub mod generate;
mod injections;
mod model;
mod mutate;
mod narrow;
pub mod reductions;
pub mod text;
mod tree;
pub mod validate;

pub use call::{Call, Pair};
pub use generate::{DEFAULT_SIZE, MAX_SIZE, Shape, Systems, from_bytes, from_seed, from_seed_in_shape};
pub use injections::Injections;
pub use model::*;
pub use mutate::{mutate, mutate_files};
pub use narrow::{allows, narrow, stops_losers};
pub use tree::{Begun, Tree};
