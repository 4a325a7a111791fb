//! Lines of the stacks in reports of sanitizers.

/// How the functions of runtimes and libraries begin; frames that say nothing about the target.
const RUNTIME_PREFIXES: [&str; 11] = [
    "__",
    "operator new",
    "operator delete",
    "std::",
    "core::",
    "alloc::",
    "corosensei::",
    "threadbare::control::",
    "threadbare_pause",
    "threadbare_point",
    "pthread_",
];

/// The same, for those with plain names.
const RUNTIME_FUNCTIONS: [&str; 20] = [
    "_start", "malloc", "calloc", "realloc", "free", "memcpy", "memmove", "memset", "raise", "abort", "open", "close",
    "read", "readv", "pread", "write", "writev", "pwrite", "fopen", "fclose",
];

/// What executes task graphs: cpp/harness/interpreter.hpp.
const HARNESS: &str = "threadbare::Interpreter::";

/// Parts of the paths of library code, which is inlined under names that do not tell.
const RUNTIME_FILES: [&str; 6] =
    ["/include/c++/", "/rustc/", "/.cargo/", "compiler-rt/", "libsanitizer/", "src/control/"];

/// A line of a stack.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Without types and arguments.
    pub function: String,
    /// Without line and column; empty if it is not known.
    pub file: &'a str,
    pub line: Option<u32>,
}

impl<'a> Frame<'a> {
    /// Reads `#1 0x55 in void app::Ring::push<int>(int) /src/ring.hpp:2:87 (ring+0xe7)` as
    /// `app::Ring::push` in `/src/ring.hpp`.
    pub fn of(line: &'a str) -> Option<Self> {
        let (_, mut frame) = line.trim_start().strip_prefix('#')?.split_once(' ')?;
        frame = frame.trim_start();
        if frame.starts_with("0x") {
            frame = frame.split_once(" in ")?.1;
        }
        let plain = match mangled_path(frame) {
            Some(path) => path,
            None => without_brackets(&frame.replace("(anonymous namespace)::", "")),
        };
        let words: Vec<&str> = plain.split_whitespace().take_while(|word| !is_place(word)).collect();
        let function = if let Some(at) = words.iter().position(|word| word.ends_with("operator")) {
            words[at..].join(" ")
        } else {
            let qualifier = |word: &&&str| !["const", "volatile", "noexcept", "&", "&&"].contains(*word);
            (*words.iter().rev().find(qualifier)?).to_owned()
        };
        let place = frame.split_whitespace().rev().find(|word| is_place(word) && !word.starts_with('('));
        let mut parts = place.unwrap_or("").split(':');
        let file = parts.next().unwrap_or_default();
        Some(Self { function, file, line: parts.next().and_then(|line| line.parse().ok()) })
    }

    pub fn is_runtime(&self) -> bool {
        RUNTIME_FUNCTIONS.contains(&self.function.as_str())
            || RUNTIME_PREFIXES.iter().any(|prefix| self.function.starts_with(prefix))
            || RUNTIME_FILES.iter().any(|part| self.file.contains(part))
    }

    /// The function, with its file where the function alone says little: inlined ones have short names. Coroutines of the
    /// harness are told alike, since which of them it is depends on the task graph.
    pub fn name(&self) -> String {
        if self.function.starts_with(HARNESS) && self.function.ends_with("_task") {
            return "a task".to_owned();
        }
        match self.file.rsplit('/').next() {
            Some(file) if !file.is_empty() && !self.function.contains("::") => format!("{} ({file})", self.function),
            _ => self.function.clone(),
        }
    }
}

/// The path in a mangled name (Itanium C++ ABI), up to its template arguments: `a::b` of `_ZN1a1bITk1cE`. For
/// names that are newer than the demangler.
fn mangled_path(frame: &str) -> Option<String> {
    let name = frame.split_whitespace().next()?;
    let mut rest = name.strip_prefix("_ZN")?.trim_start_matches(['K', 'V', 'R', 'O']);
    let mut parts = Vec::new();
    while rest.starts_with(|first: char| first.is_ascii_digit()) {
        let digits = rest.find(|next: char| !next.is_ascii_digit())?;
        let length: usize = rest[..digits].parse().ok()?;
        parts.push(rest.get(digits..digits.checked_add(length)?)?);
        rest = &rest[digits + length..];
    }
    (!parts.is_empty()).then(|| parts.join("::"))
}

fn is_place(word: &str) -> bool {
    // A line that is not known is a question mark.
    let is_line = |line: &str| line == "?" || line.parse::<u32>().is_ok();
    word.contains('/') || word.rsplit_once(':').is_some_and(|(_, line)| is_line(line))
}

/// Leaves out what stands in (round), <angle> and [square] brackets; the names of operators stay whole.
fn without_brackets(text: &str) -> String {
    const OPERATORS: [&str; 12] = ["()", "[]", "<=>", "<<=", ">>=", "<<", ">>", "<=", ">=", "->*", "->", "<"];
    let mut plain = String::with_capacity(text.len());
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if depth == 0
            && plain.ends_with("operator")
            && let Some(name) = OPERATORS.iter().find(|name| rest.starts_with(**name))
        {
            plain.push_str(name);
            rest = &rest[name.len()..];
            continue;
        }
        match character {
            '(' | '<' | '[' => depth += 1,
            ')' | '>' | ']' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(character),
            _ => {}
        }
        rest = &rest[character.len_utf8()..];
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_names_lose_types_arguments_and_places_but_keep_operators() {
        let cases = [
            ("#0 0x1 in void app::Ring::push<int>(int) /src/a.cpp:2:87", Some("app::Ring::push")),
            ("#1 app::Task<int>::operator()() const /src/a.cpp:7 (a+0x1)", Some("app::Task::operator()")),
            ("#2 (anonymous namespace)::run(int) (.resume) (a+0x1)", Some("run")),
            ("#3 interpret(Spec&) [clone .resume] /a b/c.cpp:1:1 (a+0x1)", Some("interpret")),
            ("#4 0x1  (/lib/libstdc++.so.6+0x9d918)", None),
            ("#5 <null> <null> (libc.so+0x1)", None),
            ("#6 operator new(unsigned long) <null> (a+0x1)", Some("operator new")),
            ("#7 _ZN3app4Task7suspendITkNS_1PENS_1QEEEDaT_ /src/a.hpp:1 (a+0x1)", Some("app::Task::suspend")),
            ("#8 _ZN99999999999999999999999app /src/a.hpp:1 (a+0x1)", Some("_ZN99999999999999999999999app")),
            ("#9 _ZN9app /src/a.hpp:1 (a+0x1)", Some("_ZN9app")),
            ("#10 app::Ring::push() a.cpp:? (a+0x1)", Some("app::Ring::push")),
        ];
        for (line, expected) in cases {
            assert_eq!(Frame::of(line).map(|frame| frame.function).as_deref(), expected, "{line}");
        }
    }
}
