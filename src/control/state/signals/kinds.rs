//! What a signal is called, and what it does where nobody says otherwise.

use std::ffi::c_int;

/// The largest number of a signal.
pub const LARGEST: c_int = 64;
/// glibc keeps the two below it for itself.
const FIRST_REAL_TIME: c_int = 34;

/// What happens where the disposition is `SIG_DFL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    Ignore,
    Terminate,
    /// The process stands still until another one lets it go on.
    Stop,
}

pub fn default_of(signal: c_int) -> Default {
    match signal {
        libc::SIGCHLD | libc::SIGCONT | libc::SIGURG | libc::SIGWINCH => Default::Ignore,
        libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU => Default::Stop,
        _ => Default::Terminate,
    }
}

/// Whether a program may say what happens.
pub fn is_negotiable(signal: c_int) -> bool {
    is_of_programs(signal) && !matches!(signal, libc::SIGKILL | libc::SIGSTOP)
}

/// Whether it is a signal that programs may send.
pub fn is_of_programs(signal: c_int) -> bool {
    (1..=31).contains(&signal) || is_real_time(signal)
}

pub fn is_real_time(signal: c_int) -> bool {
    (FIRST_REAL_TIME..=LARGEST).contains(&signal)
}

const NAMES: [&str; 32] = [
    "",
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

pub fn name_of(signal: c_int) -> String {
    match usize::try_from(signal).ok().and_then(|number| NAMES.get(number)) {
        Some(name) => (*name).to_owned(),
        None => format!("SIGRTMIN+{}", signal - FIRST_REAL_TIME),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_numbers() {
        assert_eq!(name_of(libc::SIGUSR2), "SIGUSR2");
        assert_eq!(name_of(libc::SIGSYS), "SIGSYS");
        assert_eq!(name_of(libc::SIGRTMIN() + 1), "SIGRTMIN+1");
    }
}
