//! Why a schedule fails, in words and as a graph of the chance of failure along it.

use std::fmt::Write;

use crate::campaign::explain::{Chance, Reasons};
use crate::evidence::interleaving::{self, Step};
use crate::model::sketch::{Action, Departure};

/// Columns of a certain failure.
const WIDTH: u64 = 20;

/// All of it; `ending` is how the execution ended, in a line.
#[must_use]
pub fn text(reasons: &Reasons, ending: &str, lines: usize) -> String {
    let mut text = String::new();
    let Reasons { account, chances, around, critical, pair, always, .. } = reasons;
    let steps = &account.steps;
    match (around, critical) {
        _ if *always => text.push_str("critical point: none, since it fails even where no thread is preempted\n"),
        (Some((before, after)), Some(index)) => {
            let _ = writeln!(text, "critical point: {}", told(&steps[*index]));
            let _ = writeln!(
                text,
                "  after it {} of {} continuations fail as this one does, before it {} of {}",
                after.failed, after.sampled, before.failed, before.sampled
            );
        }
        _ => text.push_str("critical point: there is no single one; the chance of failure rises over several steps\n"),
    }
    text.push_str("\nchance of failure along the schedule, by scheduling points passed:\n");
    chances.iter().for_each(|chance| bar(&mut text, chance));
    if let Some((first, second)) = pair {
        let _ = writeln!(
            text,
            "\norder that decides:\n  {}\n  comes before\n  {}",
            told(&steps[*first]),
            told(&steps[*second])
        );
    }
    let _ = writeln!(text, "\nsmallest change that passes: {}", smallest_change(reasons));
    let marked = reasons.marked();
    if !marked.is_empty() {
        let _ = write!(text, "\n{}", interleaving::text(&marked, ending, lines));
    }
    text
}

/// The choice without which it passes.
#[must_use]
pub fn smallest_change(reasons: &Reasons) -> String {
    match &reasons.change {
        Some((departure, step)) => change_of(departure, step.map(|step| &reasons.account.steps[step])),
        None => "none that takes a single choice back".to_owned(),
    }
}

/// A step in a line.
#[must_use]
pub fn told(step: &Step) -> String {
    let place = if step.place.is_empty() { String::new() } else { format!("{}: ", step.place) };
    format!("thread {}, {place}{}", step.thread, interleaving::action_of(step))
}

fn change_of(departure: &Departure, step: Option<&Step>) -> String {
    let Departure { thread, action, .. } = departure;
    let here = match step {
        Some(step) if !step.place.is_empty() => format!("{} ({})", step.place, interleaving::action_of(step)),
        Some(step) => interleaving::action_of(step),
        None => "its point".to_owned(),
    };
    match action {
        Action::Preempt(other) => format!("thread {thread} is not preempted by thread {other} before {here}"),
        Action::Follow(other) => format!("after {here} of thread {thread}, another than thread {other} goes on"),
        Action::Wake(other) => format!("after {here}, thread {thread} wakes another than thread {other}"),
        Action::Older(by) => {
            format!("thread {thread} does not read the store that is older by {by} after {here} of it")
        }
        Action::Inject(injection) => format!("`{}` is not injected after {here} of thread {thread}", injection.word()),
    }
}

fn bar(text: &mut String, chance: &Chance) {
    let Chance { points, failed, sampled } = chance;
    let filled = if *sampled == 0 { 0 } else { (failed * WIDTH).div_ceil(*sampled) };
    let bar: String = (0..WIDTH).map(|column| if column < filled { '█' } else { '·' }).collect();
    let _ = writeln!(text, "{points:>7}  {bar}  {failed} of {sampled}");
}
