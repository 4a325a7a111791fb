//! How deep a project file is nested: what is deeper than the stack could not be read.

use std::ops::Range;

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// Levels of `{`: at most. The crate `toml` bounds them and the parts of a dotted key to 80 each, but not their product,
/// which overflows the stack; a project file needs two.
const MOST_BRACES: usize = 8;

/// The first bracket that opens too deep a level or closes another bracket, and what is wrong with it.
///
/// A bracket that is never closed is left to the parser.
pub fn check(text: &str) -> Result<(), (Range<usize>, String)> {
    let mut open = Vec::new();
    let mut braces = 0;
    for token in Source::new(text).lex() {
        let at = token.span().start()..token.span().end();
        match token.kind() {
            TokenKind::LeftSquareBracket => open.push(']'),
            TokenKind::LeftCurlyBracket if braces == MOST_BRACES => {
                return Err((at, format!("more than {MOST_BRACES} tables in one another; write fewer levels")));
            }
            TokenKind::LeftCurlyBracket => {
                braces += 1;
                open.push('}');
            }
            TokenKind::RightSquareBracket => close(&mut open, ']').map_err(|what| (at, what))?,
            TokenKind::RightCurlyBracket => {
                close(&mut open, '}').map_err(|what| (at, what))?;
                braces -= 1;
            }
            _ => {}
        }
    }
    Ok(())
}

fn close(open: &mut Vec<char>, bracket: char) -> Result<(), String> {
    match open.pop() {
        Some(expected) if expected == bracket => Ok(()),
        Some(expected) => Err(format!("`{bracket}` is not closing, expected `{expected}`")),
        None => Err(format!("`{bracket}` closes nothing; leave it out")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<(usize, String)> {
        check(text).err().map(|(at, what)| (at.start, what))
    }

    #[test]
    fn eight_tables_in_one_another_are_enough() {
        let nested = |levels: usize| format!("a = {}1{}", "{a=".repeat(levels), "}".repeat(levels));
        assert_eq!(told(&nested(8).repeat(3)), None);
        assert_eq!(told(&nested(9)), Some((28, "more than 8 tables in one another; write fewer levels".to_owned())));
    }

    #[test]
    fn brackets_in_text_and_comments_are_none() {
        assert_eq!(told(&format!("a = \"{0}\" # {0}", "{}}{[".repeat(20))), None);
    }

    #[test]
    fn a_bracket_that_closes_another_is_told_the_right_one() {
        assert_eq!(told("a = [{]"), Some((6, "`]` is not closing, expected `}`".to_owned())));
        assert_eq!(told("a = }"), Some((4, "`}` closes nothing; leave it out".to_owned())));
    }
}
