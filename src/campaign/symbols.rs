//! Names the functions in sanitizer reports.
//!
//! The sanitizers would do it themselves, but in the worker, anew for each report, which takes longer than
//! a thousand executions. So they print plain addresses, and the supervisor looks each up once.

use std::collections::{BTreeSet, HashMap};
use std::env;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::process;
use crate::target::LOADER;

/// Options of the sanitizers that make them print what [`Symbols::expand`] understands.
pub const PLAIN_FRAMES: &str = r#"symbolize=0:stack_trace_format="    #%n %p %m+%o""#;

/// Frames of one text that are named; a report has some dozens.
const MAX_FRAMES: usize = 2000;

/// Names by address, for as long as the supervisor lives.
pub struct Symbols {
    /// `llvm-symbolizer` or `addr2line`, if there is one.
    tool: Option<PathBuf>,
    known: HashMap<Address, Vec<Frame>>,
}

/// A place in the code, by its offset in an executable or shared library.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Address {
    module: String,
    offset: u64,
}

/// A function and the line in it, as `file:line`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub function: String,
    pub place: String,
}

impl Symbols {
    /// Uses the best tool on PATH. Without one, addresses stay as they are.
    #[must_use]
    pub fn new() -> Self {
        Self { tool: tool(), known: HashMap::new() }
    }

    /// Replaces each plain frame by a line for every function that was inlined there.
    #[must_use]
    pub fn expand(&mut self, text: &str) -> String {
        let addresses: Vec<Address> = text.lines().filter_map(address_in).take(MAX_FRAMES).collect();
        self.look_up(&addresses);
        let mut expanded = String::with_capacity(text.len() * 2);
        let mut number = 0;
        for line in text.lines() {
            let Some(address) = address_in(line) else {
                number = 0;
                expanded.push_str(line);
                expanded.push('\n');
                continue;
            };
            let Address { module, offset } = &address;
            let module_name = module.rsplit('/').next().unwrap_or(module);
            let frames = self.known.get(&address).map_or(&[][..], Vec::as_slice);
            for Frame { function, place } in frames {
                let _ = writeln!(expanded, "    #{number} {function} {place} ({module_name}+{offset:#x})");
                number += 1;
            }
            if frames.is_empty() {
                let _ = writeln!(expanded, "    #{number} <null> <null> ({module_name}+{offset:#x})");
                number += 1;
            }
        }
        expanded
    }

    /// Finds out what is at these offsets in an executable or shared library.
    pub fn learn(&mut self, module: &str, offsets: &BTreeSet<u64>) {
        let address = |offset: &u64| Address { module: module.to_owned(), offset: *offset };
        self.look_up(&offsets.iter().map(address).collect::<Vec<_>>());
    }

    /// The functions at an offset that was learnt, the innermost first: more than one where calls were inlined.
    #[must_use]
    pub fn at(&self, module: &str, offset: u64) -> &[Frame] {
        self.known.get(&Address { module: module.to_owned(), offset }).map_or(&[], Vec::as_slice)
    }

    /// Asks the tool about the addresses that are not known yet, once for each module.
    fn look_up(&mut self, addresses: &[Address]) {
        let Some(tool) = &self.tool else { return };
        let mut unknown: HashMap<&str, BTreeSet<u64>> = HashMap::new();
        for address in addresses.iter().filter(|address| !self.known.contains_key(address)) {
            unknown.entry(&address.module).or_default().insert(address.offset);
        }
        for (module, offsets) in unknown {
            let mut command = Command::new(tool);
            if is_llvm(tool) {
                command.arg("--output-style=GNU");
            }
            command
                .args(["-f", "-C", "-i", "-a", "-e"])
                .arg(file_of(module))
                .args(offsets.iter().map(|offset| format!("{offset:#x}")));
            // A tool that fails names nothing, and is not asked about these again.
            let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output();
            let output = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
            let mut frames = frames_in(&output);
            for offset in offsets {
                let address = Address { module: module.to_owned(), offset };
                self.known.insert(address, frames.remove(&offset).unwrap_or_default());
            }
        }
    }
}

impl Default for Symbols {
    fn default() -> Self {
        Self::new()
    }
}

/// Where the code of a module is. Workers are started by a copy of the loader, whose path the sanitizers tell for that of
/// the executable.
fn file_of(module: &str) -> PathBuf {
    let of_worker = module.rsplit_once('/').is_some_and(|(_, name)| name == LOADER);
    if of_worker { process::executable() } else { module.into() }
}

/// The address in a line such as `    #3 0x7f00 /usr/bin/program+0x1234`.
fn address_in(line: &str) -> Option<Address> {
    let (number, rest) = line.trim_start().strip_prefix('#')?.split_once(' ')?;
    number.parse::<u32>().ok()?;
    let (_, place) = rest.strip_prefix("0x")?.split_once(' ')?;
    let (module, offset) = place.trim_end().rsplit_once("+0x")?;
    Some(Address { module: module.to_owned(), offset: u64::from_str_radix(offset, 16).ok()? })
}

/// What the tool prints: an address, then a line with a function and a line with its place for each frame.
fn frames_in(output: &str) -> HashMap<u64, Vec<Frame>> {
    let mut frames: HashMap<u64, Vec<Frame>> = HashMap::new();
    let mut current = None;
    let mut lines = output.lines();
    while let Some(line) = lines.next() {
        if let Some(offset) = line.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
            current = Some(offset);
        } else if let (Some(offset), Some(place)) = (current, lines.next())
            && line != "??"
        {
            let place = place.split(" (discriminator").next().unwrap_or(place);
            let place = if place.starts_with("??") { "<null>" } else { place };
            frames.entry(offset).or_default().push(Frame { function: line.to_owned(), place: place.to_owned() });
        }
    }
    frames
}

/// Whether it is LLVM's, which knows what was inlined.
#[must_use]
pub fn is_llvm(tool: &std::path::Path) -> bool {
    tool.file_name().is_some_and(|name| name.to_string_lossy().starts_with("llvm"))
}

/// The newest `llvm-symbolizer-N` on PATH, as Debian calls it, else `llvm-symbolizer`, else `addr2line`.
#[must_use]
pub fn tool() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders = env::split_paths(&path).filter_map(|folder| fs::read_dir(folder).ok());
    let programs: Vec<PathBuf> = folders.flatten().flatten().map(|entry| entry.path()).collect();
    let rank = |path: &PathBuf| -> Option<u32> {
        match path.file_name()?.to_str()? {
            "llvm-symbolizer" => Some(1),
            "addr2line" => Some(0),
            name => name.strip_prefix("llvm-symbolizer-")?.parse().ok(),
        }
    };
    programs.into_iter().filter(|path| rank(path).is_some()).max_by_key(rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols(known: &[(u64, &[(&str, &str)])]) -> Symbols {
        let frame =
            |(function, place): &(&str, &str)| Frame { function: (*function).to_owned(), place: (*place).to_owned() };
        let entry = |(offset, frames): &(u64, &[(&str, &str)])| {
            (Address { module: "/bin/a b".to_owned(), offset: *offset }, frames.iter().map(frame).collect())
        };
        Symbols { tool: None, known: known.iter().map(entry).collect() }
    }

    #[test]
    fn every_inlined_function_gets_a_line_and_stacks_are_numbered_anew() {
        let mut symbols = symbols(&[
            (0x10, &[("inner()", "/s/a.hpp:1"), ("outer()", "/s/a.hpp:9")]),
            (0x20, &[("main", "/s/m.cpp:2")]),
        ]);
        let text = "  Write of size 8\n    #0 0x5510 /bin/a b+0x10\n    #1 0x5520 /bin/a b+0x20\n\n  Previous\n    #0 0x5530 /bin/a b+0x30\n";
        let expected = "  Write of size 8\n    #0 inner() /s/a.hpp:1 (a b+0x10)\n    #1 outer() /s/a.hpp:9 (a b+0x10)\n    #2 main /s/m.cpp:2 (a b+0x20)\n\n  Previous\n    #0 <null> <null> (a b+0x30)\n";
        assert_eq!(symbols.expand(text), expected);
    }

    #[test]
    fn the_code_of_what_the_loader_started_is_in_the_executable() {
        assert_eq!(file_of("/cache/sources/loader-0123/threadbare"), process::executable());
        assert_eq!(file_of("/usr/lib/libstdc++.so.6"), PathBuf::from("/usr/lib/libstdc++.so.6"));
    }

    #[test]
    fn other_lines_stay_as_they_are() {
        let text = "#include <x>\n# 1 2\n==1==ERROR: AddressSanitizer: x on address 0x1 (pc 0x2 T0)\n  #a 0x1 b+0x2\n";
        assert_eq!(symbols(&[]).expand(text), text);
    }

    #[test]
    fn the_answers_of_both_tools_are_understood() {
        let llvm = "0x10\ninner()\n/s/a.hpp:1\nouter()\n/s/a.hpp:9 (discriminator 2)\n0x20\n??\n??:0\n";
        let gnu = "0x0000000000000010\ninner()\n/s/a.hpp:1\nouter()\n/s/a.hpp:9\n0x0000000000000020\n??\n??:?\n";
        for output in [llvm, gnu] {
            let frames = frames_in(output);
            let places: Vec<&str> = frames[&0x10].iter().map(|frame| frame.place.as_str()).collect();
            assert_eq!(places, ["/s/a.hpp:1", "/s/a.hpp:9"]);
            assert!(!frames.contains_key(&0x20));
        }
    }
}
