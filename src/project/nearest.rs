//! The right word that a wrong one was probably meant to be.

use strsim::osa_distance;

/// What other tools call what is meant, where the words are not alike.
const SYNONYMS: [(&str, &str); 10] = [
    ("args", "arguments"),
    ("asan", "address"),
    ("cc", "cxx"),
    ("cflags", "flags"),
    ("compiler", "cxx"),
    ("cxxflags", "flags"),
    ("files", "sources"),
    ("srcs", "sources"),
    ("std", "standard"),
    ("tsan", "thread"),
];

/// The word of `right` that is nearest to `wrong`, if one is near.
pub fn nearest<'a>(wrong: &str, right: &[&'a str]) -> Option<&'a str> {
    let wrong = folded(wrong);
    if let Some((_, meant)) = SYNONYMS.iter().find(|(other, _)| *other == wrong)
        && let Some(word) = right.iter().find(|word| *word == meant)
    {
        return Some(word);
    }
    // A third of the letters may be wrong: more, and most short words are near to one another.
    let most = (wrong.chars().count() / 3).max(1);
    let near = right.iter().map(|word| (osa_distance(&wrong, &folded(word)), *word));
    near.filter(|(distance, word)| *distance <= most && *distance < word.chars().count()).min().map(|(_, word)| word)
}

/// What to write in place of `wrong`: the nearest word, or else any of `right`.
pub fn advice(wrong: &str, right: &[&str]) -> String {
    match nearest(wrong, right) {
        Some(right) => format!("did you mean `{right}`?"),
        None => format!("write {}", any_of(right)),
    }
}

/// Without the differences that count for nothing.
fn folded(word: &str) -> String {
    word.to_lowercase().replace('_', "-")
}

/// "a", "a or b", "a, b or c".
pub fn any_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [word] => (*word).to_owned(),
        [words @ .., last] => format!("{} or {last}", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_word_that_was_meant_and_another_word_finds_none() {
        let words = ["sources", "standard", "strategy", "sanitizers", "cxx", "lost_update"];
        for (wrong, right) in [
            ("soruces", Some("sources")),
            ("Sources", Some("sources")),
            ("source", Some("sources")),
            ("sanitisers", Some("sanitizers")),
            ("lost-update", Some("lost_update")),
            ("std", Some("standard")),
            ("compiler", Some("cxx")),
            ("cxxx", Some("cxx")),
            ("args", None),
            ("threads", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, &words), right, "{wrong}");
        }
        assert_eq!(nearest("y", &["x"]), None, "nothing in common");
        assert_eq!(nearest("ab", &[]), None);
    }

    #[test]
    fn of_equally_near_words_the_first_of_the_alphabet_is_chosen() {
        assert_eq!(nearest("a1.c", &["a3.c", "a2.c"]), Some("a2.c"));
    }

    #[test]
    fn choices_read_as_a_sentence() {
        assert_eq!(any_of(&["a"]), "a");
        assert_eq!(any_of(&["a", "b", "c"]), "a, b or c");
    }
}
