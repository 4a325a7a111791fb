//! The coroutines of a target by its symbols: where each goes on, and where it is destroyed, which is what a frame begins with.

use std::collections::BTreeMap;

use object::{Object as _, ObjectSymbol as _};
use serde::Serialize;

use crate::oracle::sanitizer::plain_name;
use crate::target::demangled;

/// How compilers name the functions that go on with a coroutine: clang, and g++.
const RESUMES: [&str; 2] = [".resume", ".actor"];
/// And those that destroy its frame. Clang's last one is that of a frame which another one holds.
const DESTROYS: [&str; 2] = [".destroy", ".cleanup"];

/// A coroutine, with the addresses that its frames begin with, as offsets in the target.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coroutine {
    pub name: String,
    pub resume: u64,
    pub destroy: Vec<u64>,
}

/// Those of a shared object; none if it cannot be read.
#[must_use]
pub fn of(bytes: &[u8]) -> Vec<Coroutine> {
    let Ok(file) = object::File::parse(bytes) else { return Vec::new() };
    let symbols = file.symbols().chain(file.dynamic_symbols());
    paired(symbols.filter_map(|symbol| Some((symbol.name().ok()?, symbol.address()))))
}

fn paired<'a>(symbols: impl Iterator<Item = (&'a str, u64)>) -> Vec<Coroutine> {
    let mut found: BTreeMap<&str, Coroutine> = BTreeMap::new();
    for (symbol, address) in symbols {
        let Some((stem, ending)) = symbol.rfind('.').map(|dot| symbol.split_at(dot)) else { continue };
        let coroutine = |name| Coroutine { name: plain_name(&demangled(function_of(name))), ..Coroutine::default() };
        if RESUMES.contains(&ending) {
            found.entry(stem).or_insert_with(|| coroutine(stem)).resume = address;
        } else if DESTROYS.contains(&ending) {
            let destroy = &mut found.entry(stem).or_insert_with(|| coroutine(stem)).destroy;
            if !destroy.contains(&address) {
                destroy.push(address);
            }
        }
    }
    found.into_values().filter(|coroutine| coroutine.resume != 0 && !coroutine.destroy.is_empty()).collect()
}

/// g++ names the functions after the frame, whose name holds that of the coroutine: `_Z1fPZ1fvE7_Z1fv.Frame`.
fn function_of(stem: &str) -> &str {
    let Some(rest) = stem.strip_suffix(".Frame") else { return stem };
    // A length stands before it. Later mangled names begin with `_Z` as well.
    rest.char_indices()
        .skip(1)
        .filter(|(at, _)| rest[*at..].starts_with("_Z"))
        .map(|(at, _)| &rest[at..])
        .find(|name| {
            let before = rest[..rest.len() - name.len()].bytes().rev();
            let digits: Vec<u8> = before.take_while(u8::is_ascii_digit).collect();
            let length = digits.iter().rev().fold(0, |length: usize, digit| length * 10 + usize::from(digit - b'0'));
            length == name.len() + ".Frame".len()
        })
        .unwrap_or(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coroutines_are_found_by_the_names_that_both_compilers_give_their_functions() {
        let clang = [("_Z5inneri", 1), ("_Z5inneri.resume", 2), ("_Z5inneri.destroy", 3), ("_Z5inneri.cleanup", 4)];
        let stem = "_Z5innerPZ5inneriE15_Z5inneri.Frame";
        let gcc = [format!("{stem}.actor"), format!("{stem}.destroy")];
        let gcc = [(gcc[0].as_str(), 2), (gcc[1].as_str(), 3)];
        let of_clang = paired(clang.into_iter());
        assert_eq!(
            (of_clang[0].name.as_str(), of_clang[0].resume, &of_clang[0].destroy[..]),
            ("inner", 2, &[3, 4][..])
        );
        let of_gcc = paired(gcc.into_iter());
        assert_eq!((of_gcc[0].name.as_str(), of_gcc[0].resume, &of_gcc[0].destroy[..]), ("inner", 2, &[3][..]));
    }

    #[test]
    fn other_functions_with_a_dot_are_none() {
        assert_eq!(paired([("_Z1fv.part.0", 1), ("_Z1fv.cold", 2), ("_Z1gv.destroy", 3)].into_iter()), []);
    }
}
