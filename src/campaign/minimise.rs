//! Makes a case small: leaves out of its task graph, its threads, its arguments and its schedule whatever it still fails without.
//!
//! A smaller task graph, or a program with other arguments, is another program, so each has to fail under schedules of its own. The schedule is made smaller
//! within the program as it is, and all that is tried follows the one that was found.

mod again;
mod arguments;
mod graph;
mod reducer;
mod schedule;

pub use arguments::{Shortened, shorten};
pub use graph::{Minimisation, Smallest};
pub use reducer::Reducer;
pub use schedule::{Minimised, Minimising, Size, minimise};
