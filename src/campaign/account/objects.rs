//! Names for what the operations of a program are on: static variables by symbol, those in frames and members by debug
//! information, and what was allocated as the one line of the source calls it that everyone uses.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use object::{Object as _, ObjectSymbol, SymbolKind};

use super::debug_info::DebugInfo;
use crate::model::execution::{Object, Step};
use crate::target::demangled;

/// The objects of one execution.
pub struct Objects<'a> {
    /// The static variables by their offsets, with their sizes.
    variables: Vec<(u64, u64, String)>,
    info: DebugInfo<'a>,
    /// Frames that were seen: the code they were in, where they end, and the first and last step.
    frames: BTreeMap<u64, Vec<Seen>>,
    /// Addresses that are called after their place in the source.
    of_source: HashMap<u64, String>,
}

struct Seen {
    code: u64,
    first: usize,
    last: usize,
}

/// Bytes that a frame may have at most, of those whose variables are shared.
const LARGEST_FRAME: u64 = 1 << 20;

impl<'a> Objects<'a> {
    /// As the symbols and the debug information of a shared object tell them; `place` gives the line of the source of a step.
    pub fn of(bytes: &'a [u8], steps: &[Step], place: impl Fn(&Step) -> Option<(String, u32)>) -> Self {
        let file = object::File::parse(bytes).ok();
        let variables = file.as_ref().map(variables).unwrap_or_default();
        let info = file.as_ref().map(DebugInfo::of).unwrap_or_default();
        let mut objects = Self { variables, info, frames: BTreeMap::new(), of_source: HashMap::new() };
        for (number, step) in steps.iter().enumerate() {
            for (&code, &end) in step.frames.iter().zip(&step.stack).filter(|(_, end)| **end != 0) {
                let seen = objects.frames.entry(end).or_default();
                match seen.last_mut() {
                    Some(known) if objects.info.is_same_function(known.code, code) => known.last = number,
                    _ => seen.push(Seen { code, first: number, last: number }),
                }
            }
        }
        objects.learn_from_source(steps, place);
        objects
    }

    /// What the object of a step is called; an address as `0x...` where it has no name.
    pub fn name(&self, number: usize, step: &Step) -> String {
        match step.object {
            Object::Nothing => String::new(),
            Object::Thread(thread) if thread == step.thread => String::new(),
            Object::Thread(thread) => format!("thread {thread}"),
            Object::Variable(offset) => self.variable(offset),
            Object::Memory(address) => self
                .local(number, address)
                .or_else(|| self.of_source.get(&address).cloned())
                .unwrap_or_else(|| format!("{address:#x}")),
        }
    }

    fn variable(&self, offset: u64) -> String {
        let after = self.variables.partition_point(|(start, ..)| *start <= offset);
        match after.checked_sub(1).map(|index| &self.variables[index]) {
            Some((start, size, name)) if *start == offset || offset < start + size => {
                match self.info.members_of_static(*start, offset - start) {
                    Some(members) => format!("{name}{members}"),
                    None if *start == offset => name.clone(),
                    None => format!("{name}+{}", offset - start),
                }
            }
            _ => format!("static+{offset:#x}"),
        }
    }

    /// The variable at an address in one of the frames that were there.
    fn local(&self, number: usize, address: u64) -> Option<String> {
        let frames = self.frames.range(address..address.checked_add(LARGEST_FRAME)?);
        let seen = frames.flat_map(|(end, seen)| seen.iter().map(move |seen| (*end, seen)));
        let there = seen.filter(|(_, seen)| (seen.first..=seen.last).contains(&number));
        there.filter_map(|(end, seen)| self.info.local(seen.code, end, address)).next()
    }

    /// Memory is called what the source calls it, if all lines that name it do so in the same way and name nothing else.
    fn learn_from_source(&mut self, steps: &[Step], place: impl Fn(&Step) -> Option<(String, u32)>) {
        let mut files: HashMap<String, Vec<String>> = HashMap::new();
        let mut names: BTreeMap<u64, Option<String>> = BTreeMap::new();
        let mut order: Vec<u64> = Vec::new();
        for step in steps {
            let Object::Memory(address) = step.object else { continue };
            let Some((file, line)) = place(step) else { continue };
            let lines = files.entry(file).or_insert_with_key(|file| {
                let text = fs::read(file).unwrap_or_default();
                String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
            });
            let Some(name) = lines.get((line as usize).wrapping_sub(1)).and_then(|line| operand(line)) else {
                continue;
            };
            match names.get_mut(&address) {
                Some(known) if known.as_deref() == Some(name) => {}
                Some(known) => *known = None,
                None => {
                    order.push(address);
                    names.insert(address, Some(name.to_owned()));
                }
            }
        }
        let mut taken: HashMap<String, usize> = HashMap::new();
        for address in order {
            let Some(Some(name)) = names.get(&address) else { continue };
            let count = taken.entry(name.clone()).or_default();
            *count += 1;
            // Another object of the same name is another one.
            let name = if *count == 1 { name.clone() } else { format!("{name}#{count}") };
            self.of_source.insert(address, name);
        }
    }
}

fn variables(file: &object::File<'_>) -> Vec<(u64, u64, String)> {
    let defined = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Data && symbol.is_definition());
    let named = defined.filter_map(|symbol| Some((symbol.address(), symbol.size(), demangled(symbol.name().ok()?))));
    let mut variables: Vec<_> = named.collect();
    variables.sort();
    variables
}

/// What a line of C++ makes an atomic operation or a lock of, if there is one such thing in it.
fn operand(line: &str) -> Option<&str> {
    const CALLS: [&str; 16] = [
        ".load(",
        ".store(",
        ".exchange(",
        ".compare_exchange",
        ".fetch_",
        ".wait(",
        ".notify_",
        ".lock(",
        ".unlock(",
        ".try_lock(",
        ".lock_shared(",
        ".unlock_shared(",
        ".test_and_set(",
        ".clear(",
        ".acquire(",
        ".release(",
    ];
    let line = line.split("//").next().unwrap_or_default();
    let mut found = None;
    for call in CALLS {
        for (at, _) in line.match_indices(call) {
            let begin = line[..at].rfind(|letter: char| !is_part_of_name(letter)).map_or(0, |before| before + 1);
            let name = line[begin..at].trim_start_matches(['>', '-', '.']);
            let is_name = name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_');
            match found {
                _ if !is_name => return None,
                Some(other) if other != name => return None,
                _ => found = Some(name),
            }
        }
    }
    found
}

fn is_part_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-' | '>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_what_it_operates_on_if_that_is_one_thing() {
        let lines = [
            ("  if (m_counter.fetch_sub(1) == 0) {", Some("m_counter")),
            ("  node->next.store(head);  // head.load()", Some("node->next")),
            ("  while (!a.load() && b.load()) {}", None),
            ("  a.store(a.load() + 1);", Some("a")),
            ("  cells[i].load();", None),
            ("  x = y;", None),
        ];
        lines.iter().for_each(|(line, name)| assert_eq!(operand(line), *name, "{line}"));
    }

    #[test]
    fn variables_are_named_by_their_offsets() {
        let named = [(0x33a8, 4, "count"), (0x33b0, 16, "_ZN12_GLOBAL__N_14pairE")];
        let variables = named.map(|(offset, size, name)| (offset, size, demangled(name))).to_vec();
        let objects = Objects { variables, ..Objects::of(&[], &[], |_| None) };
        let names = [0x33a8, 0x33b8, 0x33c0, 0x1150].map(|offset| objects.variable(offset));
        assert_eq!(names, ["count", "(anonymous namespace)::pair+8", "static+0x33c0", "static+0x1150"]);
    }
}
