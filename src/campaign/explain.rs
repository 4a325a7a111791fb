//! Explains a finding in a program under check: its steps, with the lines of the source and the names of its variables.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

use object::{Object as _, ObjectSymbol, SymbolKind};

use super::symbols::Symbols;
use crate::evidence::interleaving;
use crate::model::execution::{Object, Step};
use crate::target::demangled;

/// The steps of an execution of the program in the shared object at `object`, for people; empty if there are none.
/// `ending` says what became of it.
#[must_use]
pub fn interleaving(steps: &[Step], object: &Path, symbols: &mut Symbols, ending: &str) -> String {
    if steps.is_empty() {
        return String::new();
    }
    let module = object.to_string_lossy();
    let offsets: BTreeSet<u64> = steps.iter().flat_map(|step| step.frames.iter().copied()).collect();
    symbols.learn(&module, &offsets);
    let here = env::current_dir().map(|path| format!("{}/", path.display())).unwrap_or_default();
    let variables = Variables::of(object);
    let shown: Vec<interleaving::Step> = steps
        .iter()
        .map(|step| interleaving::Step {
            thread: step.thread,
            kind: step.kind,
            object: match step.object {
                Object::Nothing => String::new(),
                Object::Thread(thread) if thread == step.thread => String::new(),
                Object::Thread(thread) => format!("thread {thread}"),
                Object::Variable(offset) => variables.name(offset),
                Object::Memory(address) => format!("{address:#x}"),
            },
            place: place(step, &module, symbols, &here),
            note: None,
        })
        .collect();
    interleaving::text(&shown, ending)
}

/// The innermost call in the program's own sources, or if there is none, in any.
fn place(step: &Step, module: &str, symbols: &Symbols, here: &str) -> String {
    let calls = || step.frames.iter().flat_map(|offset| symbols.at(module, *offset));
    let call = calls().find(|call| !is_of_the_system(&call.place)).or_else(|| calls().next());
    call.map_or_else(String::new, |call| {
        let (line, function) = (call.place.strip_prefix(here).unwrap_or(&call.place), name_of(&call.function));
        // Of prebuilt code nobody knows the lines.
        if line.starts_with('<') { function.to_owned() } else { format!("{line} {function}") }
    })
}

/// A function without its parameters.
fn name_of(function: &str) -> &str {
    const UNNAMED: &str = "(anonymous namespace)";
    let start = function.rfind(UNNAMED).map_or(0, |at| at + UNNAMED.len());
    let name = function[start..].find('(').map_or(function, |at| &function[..start + at]);
    name.strip_prefix("(anonymous namespace)::").unwrap_or(name)
}

fn is_of_the_system(place: &str) -> bool {
    place.starts_with("/usr/") || place.starts_with('<')
}

/// The static variables of a program, by their offsets.
struct Variables(Vec<(u64, u64, String)>);

impl Variables {
    /// As the symbols of the shared object tell them; where it has none, variables have no names.
    fn of(object: &Path) -> Self {
        let bytes = fs::read(object).unwrap_or_default();
        let Ok(file) = object::File::parse(&*bytes) else { return Self(Vec::new()) };
        let defined = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Data && symbol.is_definition());
        let named =
            defined.filter_map(|symbol| Some((symbol.address(), symbol.size(), demangled(symbol.name().ok()?))));
        let mut variables: Vec<_> = named.collect();
        variables.sort();
        Self(variables)
    }

    fn name(&self, offset: u64) -> String {
        let after = self.0.partition_point(|(start, ..)| *start <= offset);
        match after.checked_sub(1).map(|index| &self.0[index]) {
            Some((start, _, name)) if *start == offset => name.clone(),
            Some((start, size, name)) if offset < start + size => format!("{name}+{}", offset - start),
            _ => format!("static+{offset:#x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_named_without_parameters() {
        let names = ["main", "(anonymous namespace)::look(int)", "app::(anonymous namespace)::f()::g(char)", "a::b(c)"];
        assert_eq!(names.map(name_of), ["main", "look", "app::(anonymous namespace)::f", "a::b"]);
    }

    #[test]
    fn variables_are_named_by_their_offsets() {
        let named = [(0x33a8, 4, "count"), (0x33b0, 16, "_ZN12_GLOBAL__N_14pairE")];
        let variables = Variables(named.map(|(offset, size, name)| (offset, size, demangled(name))).to_vec());
        let names = [0x33a8, 0x33b8, 0x33c0, 0x1150].map(|offset| variables.name(offset));
        assert_eq!(names, ["count", "(anonymous namespace)::pair+8", "static+0x33c0", "static+0x1150"]);
    }
}
