//! Reads what a compiler or linker says it read: the first rule of a makefile.

use std::path::{Path, PathBuf};

/// The files that the first rule's target depends on, seen from `directory`.
#[must_use]
pub fn parse(text: &str, directory: &Path) -> Vec<PathBuf> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            // A line that goes on.
            ('\\', Some('\n')) => {
                characters.next();
                words.push(std::mem::take(&mut word));
            }
            ('\\', Some(&escaped @ (' ' | '#' | '\\' | ':'))) => {
                word.push(escaped);
                characters.next();
            }
            ('$', Some('$')) => {
                word.push('$');
                characters.next();
            }
            ('\n', _) => break,
            (character, _) if character.is_whitespace() => words.push(std::mem::take(&mut word)),
            (character, _) => word.push(character),
        }
    }
    words.push(word);
    let all = words.into_iter().filter(|word| !word.is_empty());
    let after_target = all.skip_while(|word| !word.ends_with(':')).skip(1);
    after_target.map(|word| directory.join(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_the_first_rule_are_read_with_their_escapes() {
        let text = "/tmp/out.o: a.c /usr/include/stdio.h \\\n  with\\ space.h cash$$.h \\\n  hash\\#.h\n\n/usr/x.h:\n";
        let files = parse(text, Path::new("/src"));
        let expected = ["/src/a.c", "/usr/include/stdio.h", "/src/with space.h", "/src/cash$.h", "/src/hash#.h"]
            .map(PathBuf::from);
        assert_eq!(files, expected);
    }

    #[test]
    fn what_is_no_rule_has_no_files() {
        assert!(parse("", Path::new("/")).is_empty());
        assert!(parse("nothing here", Path::new("/")).is_empty());
    }
}
