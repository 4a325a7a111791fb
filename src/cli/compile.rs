//! `threadbare cc`, `threadbare c++`, `threadbare launch`, and links with such names: the compiler wrappers.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use crate::terminal;
use crate::wrapper::{self, Driver};

/// What a build system expects of a compiler that could not do what was asked.
const FAILED: u8 = 1;

/// The words of a compiler's command line, which are nobody else's.
#[derive(Debug, Args)]
pub struct Words {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

/// Does as a compiler if this process was called as one.
pub fn run() -> Option<ExitCode> {
    let mut words = env::args_os();
    let name = words.next()?;
    let driver = Driver::of_name(Path::new(&name)).or_else(|| match words.next()?.to_str()? {
        "cc" => Some(Driver::C),
        "c++" => Some(Driver::Cpp),
        "launch" => Some(Driver::Of(words.next()?.into())),
        _ => None,
    })?;
    Some(match wrapper::run(&driver, words.collect()) {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(FAILED)),
        Err(error) => {
            terminal::complain(format_args!("threadbare: error: {error:#}"));
            ExitCode::from(FAILED)
        }
    })
}
