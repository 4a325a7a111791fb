//! What a search that came to its end may claim.

use super::grouped;
use crate::model::left_out::LeftOut;

/// Says of a search within `bound` what was tried, and what was left out and how often.
#[must_use]
pub fn text(bound: &str, left_out: &LeftOut) -> String {
    if left_out.is_empty() {
        return format!("every schedule{bound} was tried");
    }
    let LeftOut { set_aside, fair, cut } = *left_out;
    let parts = [
        (set_aside, "a thread was set aside in a loop that waits"),
        (fair, "a long execution went on with fair turns"),
        (cut, "an execution was cut at its last scheduling point"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts = parts.map(|(count, what)| format!("{what} ({})", grouped(*count))).collect::<Vec<_>>();
    format!("the search{bound} ended, but not every schedule was tried: {}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_may_be_left_out_of_every_schedule() {
        assert_eq!(text(" within the bound", &LeftOut::default()), "every schedule within the bound was tried");
        let left_out = LeftOut { set_aside: 1_200, fair: 0, cut: 3 };
        let said = "the search ended, but not every schedule was tried: a thread was set aside in a loop that waits (1,200), \
                    an execution was cut at its last scheduling point (3)";
        assert_eq!(text("", &left_out), said);
    }
}
