//! Text in quotes, on one line: any text comes back the same, whatever characters are in it.

use std::str::CharIndices;

use super::MAX_WORD_BYTES;

/// The escapes, as errors list them.
const ESCAPES: &str = r#"`\"`, `\\`, `\n`, `\r`, `\t` or `\u{7f}`"#;
/// Characters of a text that an error repeats: at most.
const SHOWN: usize = 40;

/// Puts text in quotes. What does not print, or changes how its neighbours do, is escaped.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '\'' => quoted.push('\''),
            _ => quoted.extend(character.escape_debug()),
        }
    }
    quoted.push('"');
    quoted
}

/// Takes text in quotes off the start of a line, and gives what comes after it.
///
/// # Errors
/// What is wrong, and what would be right.
pub(super) fn unquote(line: &str) -> Result<(String, &str), String> {
    let inside = line
        .strip_prefix('"')
        .ok_or_else(|| format!("{} where a text in quotes belongs; write `\"...\"`", named(line)))?;
    let mut text = String::new();
    let mut characters = inside.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((text, &inside[at + 1..])),
            '\\' => text.push(escaped(&mut characters)?),
            _ if character.is_control() => {
                let escape = character.escape_debug();
                return Err(format!("a control character stands bare in the quotes; write it as `{escape}`"));
            }
            _ => text.push(character),
        }
        if text.len() > MAX_WORD_BYTES {
            return Err(format!("more than {MAX_WORD_BYTES} bytes in quotes; write fewer"));
        }
    }
    Err(r#"the quotes are not closed; write `"` where the text ends"#.to_owned())
}

/// The character of an escape, behind its backslash.
fn escaped(characters: &mut CharIndices<'_>) -> Result<char, String> {
    let character = match characters.next() {
        Some((_, plain @ ('"' | '\\'))) => Some(plain),
        Some((_, 'n')) => Some('\n'),
        Some((_, 'r')) => Some('\r'),
        Some((_, 't')) => Some('\t'),
        Some((_, 'u')) => by_number(characters),
        _ => None,
    };
    character.ok_or_else(|| format!("a `\\` that begins no escape; write {ESCAPES}"))
}

/// The character whose number stands in braces, in hexadecimal digits.
fn by_number(characters: &mut CharIndices<'_>) -> Option<char> {
    let (number, rest) = characters.as_str().strip_prefix('{')?.split_once('}')?;
    // Numbers of characters have six digits at most, and `from_str_radix` takes a sign.
    if number.len() > 6 || !number.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let character = u32::from_str_radix(number, 16).ok().and_then(char::from_u32)?;
    while characters.as_str().len() > rest.len() {
        characters.next();
    }
    Some(character)
}

/// The beginning of a text, for an error.
pub(super) fn named(text: &str) -> String {
    let shown: String = text.trim().chars().take(SHOWN).flat_map(char::escape_debug).collect();
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task_graph::generate::{Decisions, Seeded};

    /// Characters that quoting could stumble over, and any others.
    fn arbitrary(random: &mut Seeded) -> String {
        const ODD: [char; 18] = [
            '"', '\\', '\'', '\n', '\r', '\t', '#', ' ', '|', '{', '}', 'u', 'n', '\u{1b}', '\u{7f}', '\u{85}',
            '\u{202e}', '\u{301}',
        ];
        let length = random.below(40);
        let character = |random: &mut Seeded| match random.below(3) {
            0 => ODD[random.below(ODD.len() as u32) as usize],
            1 => char::from(b' ' + random.below(95) as u8),
            _ => char::from_u32(random.below(0x11_0000)).filter(|character| *character != '\0').unwrap_or('\u{fffd}'),
        };
        (0..length).map(|_| character(random)).collect()
    }

    #[test]
    fn any_text_comes_back_the_same_and_stays_on_one_line() {
        let mut random = Seeded::new(11);
        for _ in 0..20_000 {
            let text = arbitrary(&mut random);
            let quoted = quote(&text);
            assert!(!quoted.chars().any(char::is_control), "{quoted:?}");
            assert_eq!(unquote(&format!("{quoted} rest")), Ok((text, " rest")), "{quoted}");
        }
    }

    #[test]
    fn every_character_comes_back_the_same() {
        for character in '\u{1}'..=char::MAX {
            let text = character.to_string();
            assert_eq!(unquote(&quote(&text)), Ok((text, "")));
        }
    }

    #[test]
    fn what_is_not_quoted_right_is_an_error_that_says_what_to_write() {
        for (line, why) in [
            ("", "`` where a text in quotes belongs; write `\"...\"`"),
            ("bare", "`bare` where a text in quotes belongs"),
            ("\u{1b}[2J", "`\\u{1b}[2J` where"),
            ("'a'", "where a text in quotes belongs"),
            ("\"open", "not closed; write `\"`"),
            ("\"open\\", "begins no escape; write `\\\"`"),
            ("\"open\\\"", "not closed"),
            ("\"\\x41\"", "begins no escape"),
            ("\"\\0\"", "begins no escape"),
            ("\"\\u\"", "begins no escape"),
            ("\"\\u{\"", "begins no escape"),
            ("\"\\u{}\"", "begins no escape"),
            ("\"\\u{+41}\"", "begins no escape"),
            ("\"\\u{d800}\"", "begins no escape"),
            ("\"\\u{110000}\"", "begins no escape"),
            ("\"\\u{0000041}\"", "begins no escape"),
            ("\"\\u{é}\"", "begins no escape"),
            ("\"a\tb\"", "write it as `\\t`"),
            ("\"a\rb\"", "write it as `\\r`"),
            ("\"a\u{85}b\"", "write it as `\\u{85}`"),
        ] {
            let told = unquote(line).expect_err(line);
            assert!(told.contains(why), "{line:?} gave `{told}`");
        }
    }

    #[test]
    fn a_text_without_end_is_given_up_at_the_bound() {
        let told = unquote(&format!("\"{}\"", "x".repeat(1 << 20))).expect_err("too long");
        assert_eq!(told, "more than 4096 bytes in quotes; write fewer");
        assert!(unquote(&quote(&"x".repeat(MAX_WORD_BYTES))).is_ok());
    }
}
