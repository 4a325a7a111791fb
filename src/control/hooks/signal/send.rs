//! Sending signals to threads and to the process itself. Other processes are out of reach.

use std::ffi::c_int;

use super::{place, report};
use crate::control::active::Active;
use crate::control::hooks::stand_in;
use crate::control::hooks::thread::by_handle;
use crate::control::state::signals::kinds::{is_of_programs, is_real_time, name_of};
use crate::model::execution::ThreadId;
use crate::model::op::OpKind;

/// Sends a signal to a thread, or to the process.
fn send(active: &Active, signal: c_int, to: Option<ThreadId>) -> Result<(), c_int> {
    if signal == 0 {
        return Ok(());
    }
    if !is_of_programs(signal) {
        return Err(libc::EINVAL);
    }
    let object = to.map_or_else(|| place(active), |thread| active.ask(|controller| controller.signals.place(thread)));
    active.pass(OpKind::Signal, object);
    if is_real_time(signal) && active.ask(|controller| controller.signals.is_pending(signal, to)) {
        active.refuse(&format!("{} while it is pending", name_of(signal)));
    }
    active.send_signal(signal, to);
    Ok(())
}

stand_in! {
    fn raise(signal: c_int) -> c_int |active| {
        report(send(active, signal, Some(active.current())))
    }

    fn pthread_kill(handle: libc::pthread_t, signal: c_int) -> c_int |active| {
        match by_handle(active, handle) {
            Some(thread) => send(active, signal, Some(thread.id)).err().unwrap_or(0),
            None => libc::ESRCH,
        }
    }

    #[doc = "Only to the process itself; any thread that does not block the signal may take it."]
    fn kill(process: libc::pid_t, signal: c_int) -> c_int |active| {
        // SAFETY: has no preconditions.
        if process != unsafe { libc::getpid() } {
            active.refuse("kill of another process");
        }
        report(send(active, signal, None))
    }
}
