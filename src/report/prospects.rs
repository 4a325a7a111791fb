//! What more executions would bring, as far as those tell that were looked at.

use serde::Serialize;

use super::grouped;
use crate::campaign::plan::Cell;
use crate::model::behaviours::{Behaviours, Prospect};

/// Of one sanitizer, the one under which most executions were looked at: the others execute nearly the same schedules. `None` if nothing
/// was looked at, as in a search of all executions.
#[must_use]
pub fn text(cells: &[Cell]) -> Option<String> {
    let of = |of: &Cell| {
        let mut behaviours = Behaviours::default();
        let mut executions = 0;
        for cell in cells.iter().filter(|cell| cell.sanitizer == of.sanitizer && !cell.alone) {
            behaviours.add(&cell.behaviours);
            executions += cell.executions;
        }
        (behaviours, executions)
    };
    let (behaviours, executions) =
        cells.iter().map(of).reduce(|best, next| if next.0.looked() > best.0.looked() { next } else { best })?;
    (behaviours.looked() > 0).then(|| line(&behaviours, executions))
}

fn line(behaviours: &Behaviours, executions: u64) -> String {
    let looked = behaviours.looked();
    let of =
        if looked < executions { format!("{} of {}", grouped(looked), grouped(executions)) } else { grouped(looked) };
    let seen = format!(
        "{} in {of} executions, {} of them once",
        counted(behaviours.seen(), "behaviour"),
        grouped(behaviours.seen_once())
    );
    // What was executed and not looked at may have shown it.
    let or_fewer = if looked < executions { "at most " } else { "" };
    match behaviours.prospect() {
        Prospect::Unknown => format!("more time: no estimate from {}", counted(looked, "execution")),
        Prospect::OneIn(1) => format!("more time: {seen}; nearly every execution shows a new one by now"),
        Prospect::OneIn(number) => {
            format!("more time: {seen}; by now {or_fewer}about one in {} shows a new one", grouped(number))
        }
        Prospect::FewerThanOneIn(number) => {
            format!("more time: {seen}; by now most likely fewer than one in {} shows a new one", grouped(number))
        }
    }
}

fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// The same in JSON, of one run.
#[derive(Serialize)]
pub struct Behaved {
    /// Executions that were looked at.
    looked: u64,
    /// Behaviours that they showed, and how many of these one execution alone showed.
    seen: u64,
    seen_once: u64,
    /// What the next execution would bring.
    next: Prospect,
}

impl Behaved {
    /// `None` if nothing was looked at.
    #[must_use]
    pub fn of(cell: &Cell) -> Option<Self> {
        let behaviours = &cell.behaviours;
        (behaviours.looked() > 0).then(|| Self {
            looked: behaviours.looked(),
            seen: behaviours.seen(),
            seen_once: behaviours.seen_once(),
            next: behaviours.prospect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn showing(times: &[(u64, u64)]) -> Behaviours {
        let mut behaviours = Behaviours::default();
        for (behaviour, times) in times {
            (0..*times).for_each(|_| behaviours.see(*behaviour));
        }
        behaviours
    }

    #[test]
    fn the_line_says_no_more_than_is_known() {
        let seen = "2 behaviours in 60 of 900 executions, 1 of them once";
        let at_most = format!("more time: {seen}; by now at most about one in 60 shows a new one");
        assert_eq!(line(&showing(&[(1, 59), (2, 1)]), 900), at_most);
        let all = "more time: 2 behaviours in 60 executions, 1 of them once; by now about one in 60 shows a new one";
        assert_eq!(line(&showing(&[(1, 59), (2, 1)]), 60), all);
        let none = "more time: 1 behaviour in 90 executions, 0 of them once; by now most likely fewer than one in 30 shows a \
                    new one";
        assert_eq!(line(&showing(&[(1, 90)]), 90), none);
        assert_eq!(line(&showing(&[(1, 1)]), 1), "more time: no estimate from 1 execution");
    }
}
