//! What the emulated primitives remember between calls, apart from how calls reach them (`hooks`) and from who runs next
//! (`controller`).

pub mod exit_handlers;
pub mod heap;
pub mod kernel;
pub mod listings;
pub mod semaphores;
pub mod signals;
pub mod specific;
pub mod thread_locals;
