//! Numbers in texts. Each is written in one way only, so that a text which was damaged or made up is noticed: the
//! standard library would take a `+` before any of them.

use std::str::FromStr;

/// A whole number that fits.
pub(crate) fn whole<T: FromStr>(word: &str) -> Option<T> {
    if word.starts_with('+') { None } else { word.parse().ok() }
}

/// Hexadecimal digits that fit.
pub(crate) fn hexadecimal(word: &str) -> Option<u16> {
    if word.starts_with('+') { None } else { u16::from_str_radix(word, 16).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_is_no_part_of_a_number() {
        assert_eq!((whole("7"), whole("-7"), whole("0")), (Some(7_u64), Some(-7_i64), Some(0_u8)));
        for wrong in ["+7", "-7", "", "+", "7+", " 7", "256"] {
            assert_eq!(whole::<u8>(wrong), None, "`{wrong}`");
        }
        assert_eq!(hexadecimal("1f"), Some(0x1f));
        for wrong in ["+1f", "-1f", "", "1g", "10000"] {
            assert_eq!(hexadecimal(wrong), None, "`{wrong}`");
        }
    }
}
