//! An interleaving that was told as text, such as a case keeps it, as data again.

/// A line of it: what a thread did at one line of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The number of its first step.
    pub step: usize,
    pub thread: u16,
    /// File and line, if they are known.
    pub place: Option<(String, u32)>,
    /// Where and what, in words.
    pub what: String,
    /// Why the reader should look here.
    pub mark: Option<String>,
    /// Another thread took the step before.
    pub switched: bool,
}

/// The lines of the first interleaving in a report; none if it has none.
#[must_use]
pub fn told(report: &str) -> Vec<Told> {
    let lines = report.lines().skip_while(|line| !line.starts_with("interleaving: ")).skip(1);
    lines.take_while(|line| !line.trim_start().starts_with("end  ")).filter_map(line).collect()
}

fn line(line: &str) -> Option<Told> {
    let (who, rest) = line.split_once(" │ ")?;
    let (step, who) = who.trim_start().split_once(' ')?;
    let (switched, thread) = (who.starts_with('▸'), who.rsplit_once("thread ")?.1);
    let (what, mark) = match rest.rsplit_once("  ◀ ") {
        Some((what, mark)) => (what, Some(mark.to_owned())),
        None => (rest, None),
    };
    let place = what.split(' ').next().and_then(|place| {
        let (file, line) = place.trim_end_matches(':').rsplit_once(':')?;
        Some((file.to_owned(), line.parse().ok()?))
    });
    let (step, thread) = (step.parse().ok()?, thread.parse().ok()?);
    Some(Told { step, thread, place, what: what.to_owned(), mark, switched })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::interleaving::{MAX_LINES, Step, text};
    use crate::model::op::OpKind;

    #[test]
    fn what_is_told_as_text_is_read_as_it_was() {
        let step = |thread, object: &str, place: &str, mark: Option<&str>| Step {
            thread,
            kind: OpKind::PlainStore,
            object: object.to_owned(),
            place: place.to_owned(),
            note: Some("0 → 1".to_owned()),
            mark: mark.map(str::to_owned),
        };
        let steps = [
            step(0, "count", "src/a.cpp:7 app::take", None),
            step(12, "count", "", Some("one access of the race")),
            step(0, "count", "src/a.cpp:8 app::take", None),
        ];
        let report = format!("data-race: x\n\n{}", text(&steps, "data-race: x", MAX_LINES));
        let told = told(&report);
        let of = |step, thread, line: Option<u32>, what: &str, mark: Option<&str>| Told {
            step,
            thread,
            place: line.map(|line| ("src/a.cpp".to_owned(), line)),
            what: what.to_owned(),
            mark: mark.map(str::to_owned),
            switched: step > 0,
        };
        assert_eq!(
            told,
            [
                of(0, 0, Some(7), "src/a.cpp:7 app::take: writes count (0 → 1)", None),
                of(1, 12, None, "writes count (0 → 1)", Some("one access of the race")),
                of(2, 0, Some(8), "src/a.cpp:8 app::take: writes count (0 → 1)", None),
            ]
        );
        assert_eq!(super::told("deadlock: stuck\n\ntimeline: 3 events"), []);
    }
}
