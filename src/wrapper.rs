//! The compiler wrappers, `threadbare cc` and `threadbare c++`: they run the native compiler as they are told, and leave in
//! what it makes how it was made. So any build system builds a project unchanged, what it builds runs as ever, and
//! `threadbare check` knows what an executable consists of.

mod native;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyhow::{Context, Result, bail};

use crate::target::dependencies;
use crate::target::recorded::arguments::{Arguments, Purpose, Source, expanded};
use crate::target::recorded::{COMPILED, Compiled, LINKED, Linked, line, section};

pub use native::Driver;

/// Link-time optimisation, which leaves no objects, and what a native compiler is told in place of it.
const LINK_TIME: &str = "-flto";
const NO_LINK_TIME: &str = "-fno-lto";
/// An option by which linkers tell what they read.
const TELLS: &str = "--dependency-file=";
/// A linker that has no such option.
const SILENT: &str = "-fuse-ld=gold";

/// Runs the compiler with the words of a command line; its exit code.
///
/// # Errors
/// There is no compiler, or what it made cannot be written to.
pub fn run(driver: &Driver, words: Vec<OsString>) -> Result<i32> {
    let (compiler, before) = driver.compiler()?;
    let mut command = Command::new(&compiler);
    command.args(before);
    let texts: Option<Vec<String>> = words.iter().map(|word| word.to_str().map(str::to_owned)).collect();
    let Some(words) = texts else {
        // No line of text can hold it, so what it makes counts as prebuilt.
        return Err(command.args(&words).exec()).with_context(|| format!("cannot start {}", compiler.display()));
    };
    let directory = env::current_dir().context("cannot tell the current directory")?;
    let all = expanded(&words, &directory);
    let arguments = Arguments::of(&all, driver.is_cpp(&compiler));
    command.args(&words);
    // Also where a file of arguments asks for it.
    if all.iter().any(|word| word.starts_with(LINK_TIME)) {
        command.arg(NO_LINK_TIME);
    }
    let call = Call { directory, arguments, words: all };
    match call.arguments.purpose {
        Purpose::Other => Err(command.exec()).with_context(|| format!("cannot start {}", compiler.display())),
        Purpose::Compile | Purpose::Combine => {
            let status = status_of(&mut command)?;
            if status.success() {
                call.record_objects()?;
            }
            Ok(code(status))
        }
        Purpose::Link => call.link(command),
    }
}

fn status_of(command: &mut Command) -> Result<ExitStatus> {
    command.status().with_context(|| format!("cannot start {}", command.get_program().display()))
}

/// As a shell would tell it.
fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// One call of a compiler.
struct Call {
    directory: PathBuf,
    arguments: Arguments,
    /// Those of its words as well that files hold.
    words: Vec<String>,
}

impl Call {
    /// How a source was compiled, if that can be done again.
    fn compiled(&self, source: &Source) -> Option<Compiled> {
        let is_known = ["c", "c++", "cpp-output", "c++-cpp-output", "assembler", "assembler-with-cpp", "c++-module"]
            .contains(&source.language.as_str());
        (is_known && source.path != "-").then(|| Compiled {
            directory: self.directory.clone(),
            source: source.path.clone().into(),
            language: source.language.clone(),
            arguments: self.arguments.others.clone(),
        })
    }

    fn record_objects(&self) -> Result<()> {
        for source in &self.arguments.sources {
            let own = || {
                let name = Path::new(&source.path).file_name().map(PathBuf::from);
                name.map(|name| name.with_extension("o"))
            };
            let output = self.arguments.output.clone().or_else(own);
            if let (Some(output), Some(compiled)) = (output, self.compiled(source)) {
                add(&self.directory.join(output), COMPILED, &line(&compiled))?;
            }
        }
        Ok(())
    }

    fn link(&self, mut command: Command) -> Result<i32> {
        if self.words.iter().any(|word| word == SILENT) {
            bail!("{SILENT}: this linker does not tell which files it reads; use the default one, lld or mold");
        }
        let scratch = tempfile::NamedTempFile::new().context("cannot make a temporary file")?;
        let told = match self.words.iter().filter_map(|word| word.split_once(TELLS)).next_back() {
            Some((_, file)) => self.directory.join(file.split(',').next().unwrap_or_default()),
            None => {
                let mut option = OsString::from(format!("-Wl,{TELLS}"));
                option.push(scratch.path());
                command.arg(option);
                scratch.path().to_owned()
            }
        };
        let status = status_of(&mut command)?;
        let output = self.directory.join(self.arguments.output.as_deref().unwrap_or(Path::new("a.out")));
        if status.success() && section::is_elf(&output) {
            let files = dependencies::parse(&fs::read_to_string(&told).unwrap_or_default(), &self.directory);
            let compiled = self.arguments.sources.iter().filter_map(|source| self.compiled(source)).collect();
            let linked = Linked::of(&files, compiled, &self.words);
            add(&output, LINKED, &line(&linked))?;
        }
        Ok(code(status))
    }
}

/// Adds to what the compiler made, if that is an ELF file; what it makes for others is theirs.
fn add(output: &Path, name: &str, text: &str) -> Result<()> {
    let is_regular = fs::metadata(output).is_ok_and(|metadata| metadata.is_file());
    if is_regular && section::is_elf(output) { section::add(output, name, text) } else { Ok(()) }
}
