//! The steps of one execution for people: who did what where, in the order in which it happened.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use crate::model::execution::ThreadId;
use crate::model::op::OpKind;

/// Lines at the end that are shown whatever is in them; what went wrong is mostly there.
const LAST_LINES: usize = 100;
/// Lines shown at most: the last of those about a switch, and the last of all.
const MAX_LINES: usize = 400;
/// Actions in a line: at most. Of more, the first are shown and the last.
const MAX_ACTIONS: usize = 5;
/// Columns for threads; the threads beyond share the last.
const MAX_COLUMNS: usize = 16;

/// One scheduling point that a thread passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub thread: ThreadId,
    pub kind: OpKind,
    /// What the operation is on: a name, or an address as `0x...`, which gets a name here; empty for nothing.
    pub object: String,
    /// The line of the source, as `file:line function`; empty where it is not known.
    pub place: String,
    /// What else is to be said: the value, why the thread waits.
    pub note: Option<String>,
}

/// The steps as text, and after them how they ended. Steps of one thread at one place that follow each other take one
/// line. `▸` marks where another thread goes on.
#[must_use]
pub fn text(steps: &[Step], ending: &str) -> String {
    let lines = lines(steps);
    let switches = lines.iter().filter(|line| line.switched).count();
    let mut text = format!(
        "interleaving: {}, {}, main is thread 0\n",
        counted(steps.len(), "step", "steps"),
        counted(switches, "switch", "switches")
    );
    let mut shown = 0;
    for index in kept(&lines) {
        leave_out(&mut text, &lines[shown..index]);
        let _ = writeln!(text, "{}", lines[index].text());
        shown = index + 1;
    }
    for (index, line) in ending.trim_end().lines().enumerate() {
        let _ = writeln!(text, "{}  {line}", if index == 0 { "  end" } else { "     " });
    }
    text
}

/// Says that lines are missing. A single one would take no less space.
fn leave_out(text: &mut String, lines: &[Line]) {
    let _ = match lines {
        [] => Ok(()),
        [line] => writeln!(text, "{}", line.text()),
        _ => {
            let steps = lines.iter().map(|line| line.steps).sum();
            writeln!(text, "    …  {} left out", counted(steps, "step", "steps"))
        }
    };
}

/// The lines that are shown: the last, and of those before them the two about each switch.
fn kept(lines: &[Line]) -> Vec<usize> {
    let about_switch = |index: usize| lines[index].switched || lines.get(index + 1).is_some_and(|next| next.switched);
    let mut kept: Vec<usize> =
        (0..lines.len()).filter(|index| index + LAST_LINES >= lines.len() || about_switch(*index)).collect();
    kept.drain(..kept.len().saturating_sub(MAX_LINES));
    kept
}

/// Steps of one thread at one place.
struct Line<'a> {
    /// The number of the first.
    first: usize,
    steps: usize,
    thread: ThreadId,
    place: &'a str,
    /// Another thread took the step before.
    switched: bool,
    /// What was done, and how often in a row.
    actions: Vec<(String, usize)>,
}

impl Line<'_> {
    fn text(&self) -> String {
        let Self { first, thread, .. } = self;
        let mark = if self.switched { '▸' } else { ' ' };
        let column = "    ".repeat(usize::from(*thread).min(MAX_COLUMNS - 1));
        let place = match one_line(self.place) {
            place if place.is_empty() => place,
            place => format!("{place}: "),
        };
        format!("{first:>5} {mark}{column}thread {thread} │ {place}{}", self.what())
    }

    fn what(&self) -> String {
        let told = |(action, times): &(String, usize)| match times {
            1 => action.clone(),
            _ => format!("{action} ×{times}"),
        };
        let mut shown: Vec<String> = self.actions.iter().map(told).collect();
        if shown.len() > MAX_ACTIONS {
            let left_out = MAX_ACTIONS - 1..shown.len() - 1;
            let steps: usize = self.actions[left_out.clone()].iter().map(|(_, times)| times).sum();
            shown.splice(left_out, [format!("… {steps} more …")]);
        }
        shown.join(", ")
    }
}

fn lines(steps: &[Step]) -> Vec<Line<'_>> {
    let names = Names::of(steps);
    let mut lines: Vec<Line<'_>> = Vec::new();
    for (first, step) in steps.iter().enumerate() {
        let action = action(step, &names);
        let switched = match lines.last_mut() {
            Some(line) if (line.thread, line.place) == (step.thread, &step.place) => {
                line.steps += 1;
                match line.actions.last_mut() {
                    Some((last, times)) if *last == action => *times += 1,
                    _ => line.actions.push((action, 1)),
                }
                continue;
            }
            Some(line) => line.thread != step.thread,
            None => false,
        };
        let (thread, place, actions) = (step.thread, step.place.as_str(), vec![(action, 1)]);
        lines.push(Line { first, steps: 1, thread, place, switched, actions });
    }
    lines
}

/// What a step does, in words.
fn action(step: &Step, names: &Names<'_>) -> String {
    let mut action = words(step.kind).to_owned();
    if !step.object.is_empty() {
        let _ = write!(action, " {}", names.name(&step.object));
    }
    if let Some(note) = &step.note {
        let _ = write!(action, " ({})", one_line(note));
    }
    action
}

/// What a thread does at a point, such that the object's name may follow.
fn words(kind: OpKind) -> &'static str {
    match kind {
        OpKind::Load => "loads",
        OpKind::Store => "stores",
        OpKind::PlainLoad => "reads",
        OpKind::PlainStore => "writes",
        OpKind::Exit => "ends the program",
        OpKind::Exchange => "exchanges",
        OpKind::CompareExchange => "compares and exchanges",
        OpKind::ReadModifyWrite => "updates",
        OpKind::Fence => "fence",
        OpKind::Pause => "pauses",
        OpKind::Lock => "locks",
        OpKind::TryLock => "tries to lock",
        OpKind::Unlock => "unlocks",
        OpKind::ConditionWait => "waits on condition",
        OpKind::ConditionNotify => "notifies condition",
        OpKind::FutexWait => "waits on the value of",
        OpKind::FutexWake => "wakes waiters of",
        OpKind::ThreadCreate => "begins a thread",
        OpKind::ThreadEnd => "ends",
        OpKind::ThreadJoin => "joins",
        OpKind::Once => "calls once",
        OpKind::StaticGuard => "initialises static",
        OpKind::Yield => "yields",
        OpKind::Sleep => "sleeps",
        OpKind::Clock => "reads the clock",
        OpKind::Wait => "waits",
        OpKind::File => "calls on file",
        OpKind::Descriptor => "calls on descriptor",
        OpKind::SharedLock => "locks for reading",
        OpKind::BarrierWait => "arrives at barrier",
        OpKind::SemaphoreWait => "takes from semaphore",
        OpKind::SemaphorePost => "posts semaphore",
        OpKind::SemaphoreLook => "looks at semaphore",
        OpKind::Signal => "sends a signal to",
        OpKind::SignalLook => "looks for signals of",
        OpKind::SignalChange => "changes signals of",
        OpKind::SignalWait => "waits for a signal to",
        OpKind::SignalArrival => "is interrupted by a signal to",
    }
}

/// Names for addresses, which differ from one process to the next: o1, o2 and so on, as they come.
struct Names<'a> {
    given: HashSet<&'a str>,
    ours: HashMap<&'a str, String>,
    last: usize,
}

impl<'a> Names<'a> {
    fn of(steps: &'a [Step]) -> Self {
        let given = steps.iter().map(|step| step.object.as_str()).collect();
        let mut names = Self { given, ours: HashMap::new(), last: 0 };
        for step in steps.iter().filter(|step| step.object.starts_with("0x")) {
            if !names.ours.contains_key(step.object.as_str()) {
                let name = names.next();
                names.ours.insert(&step.object, name);
            }
        }
        names
    }

    /// A name that no object was given.
    fn next(&mut self) -> String {
        loop {
            self.last += 1;
            let name = format!("o{}", self.last);
            if !self.given.contains(name.as_str()) {
                return name;
            }
        }
    }

    fn name(&self, object: &str) -> String {
        self.ours.get(object).cloned().unwrap_or_else(|| one_line(object))
    }
}

/// Text that keeps to its line.
fn one_line(text: &str) -> String {
    text.split(|character: char| character.is_whitespace() || character.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(thread: ThreadId, kind: OpKind, object: &str, place: &str) -> Step {
        Step { thread, kind, object: object.to_owned(), place: place.to_owned(), note: None }
    }

    fn noted(step: Step, note: &str) -> Step {
        Step { note: Some(note.to_owned()), ..step }
    }

    #[test]
    fn a_lost_update_reads_as_it_happened() {
        let steps = [
            step(0, OpKind::ThreadCreate, "", "lost_update.c:14 main"),
            step(0, OpKind::ThreadCreate, "", "lost_update.c:15 main"),
            noted(step(1, OpKind::Load, "0x7f10", "lost_update.c:6 add"), "0"),
            noted(step(2, OpKind::Load, "0x7f10", "lost_update.c:6 add"), "0"),
            noted(step(2, OpKind::Store, "0x7f10", "lost_update.c:6 add"), "1"),
            step(2, OpKind::ThreadEnd, "", ""),
            noted(step(1, OpKind::Store, "0x7f10", "lost_update.c:6 add"), "1"),
            step(1, OpKind::Lock, "log", "lost_update.c:8 add"),
            step(1, OpKind::Store, "0x7f00", "lost_update.c:8 add"),
        ];
        let expected = "\
interleaving: 9 steps, 3 switches, main is thread 0
    0  thread 0 │ lost_update.c:14 main: begins a thread
    1  thread 0 │ lost_update.c:15 main: begins a thread
    2 ▸    thread 1 │ lost_update.c:6 add: loads o1 (0)
    3 ▸        thread 2 │ lost_update.c:6 add: loads o1 (0), stores o1 (1)
    5          thread 2 │ ends
    6 ▸    thread 1 │ lost_update.c:6 add: stores o1 (1)
    7      thread 1 │ lost_update.c:8 add: locks log, stores o2
  end  failed-assertion: lost_update.c:18: counter == 2
       in thread 0
";
        let ending = "failed-assertion: lost_update.c:18: counter == 2\nin thread 0\n";
        assert_eq!(text(&steps, ending), expected);
    }

    #[test]
    fn nothing_that_happened_is_said_in_one_line() {
        assert_eq!(text(&[], ""), "interleaving: 0 steps, 0 switches, main is thread 0\n");
        let one = text(&[step(0, OpKind::Yield, "", "")], "");
        assert_eq!(one, "interleaving: 1 step, 0 switches, main is thread 0\n    0  thread 0 │ yields\n");
    }

    #[test]
    fn a_loop_on_one_line_stays_one_line() {
        let mut steps = vec![step(0, OpKind::Load, "flag", "spin.c:3 main"); 1000];
        assert!(text(&steps, "").contains("    0  thread 0 │ spin.c:3 main: loads flag ×1000\n"));
        for index in (1..1000).step_by(2) {
            steps[index] = step(0, OpKind::Pause, "", "spin.c:3 main");
        }
        steps.push(step(0, OpKind::Store, "flag", "spin.c:3 main"));
        let shown = text(&steps, "");
        let expected = "loads flag, pauses, loads flag, pauses, … 996 more …, stores flag\n";
        assert!(shown.lines().count() == 2 && shown.ends_with(expected), "{shown}");
    }

    #[test]
    fn a_long_interleaving_keeps_its_switches_and_its_end_and_counts_what_it_leaves_out() {
        let run = |thread, count: usize| {
            (0..count).map(move |line| step(thread, OpKind::Load, "x", &format!("a.c:{line} f")))
        };
        let steps: Vec<Step> = run(0, 50).chain(run(1, 3)).chain(run(0, 300)).collect();
        let shown = text(&steps, "livelock");
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[1], "    …  49 steps left out");
        assert_eq!(lines[2], "   49  thread 0 │ a.c:49 f: loads x");
        assert_eq!(lines[3], "   50 ▸    thread 1 │ a.c:0 f: loads x");
        assert_eq!(lines[4], "   51      thread 1 │ a.c:1 f: loads x", "a single line is not left out");
        assert_eq!(lines[6], "   53 ▸thread 0 │ a.c:0 f: loads x");
        assert_eq!(lines[7], "    …  199 steps left out");
        assert_eq!(lines.len(), 8 + LAST_LINES + 1);
    }

    #[test]
    fn an_interleaving_of_nothing_but_switches_has_a_bound_too() {
        let steps: Vec<Step> =
            (0..100_000).map(|index| step((index % 500) as ThreadId, OpKind::Lock, "m", "a.c:1 f")).collect();
        let shown = text(&steps, "deadlock");
        assert_eq!(shown.lines().count(), 1 + 1 + MAX_LINES + 1);
        assert!(shown.contains("    …  99600 steps left out\n"));
        assert!(shown.lines().all(|line| line.chars().count() < 120));
    }

    #[test]
    fn a_name_that_was_given_is_not_given_again() {
        let steps = [
            step(0, OpKind::Load, "0x10", "a.c:1 f"),
            step(0, OpKind::Load, "o1", "a.c:1 f"),
            step(0, OpKind::Store, "0x10", "a.c:1 f"),
            step(0, OpKind::Store, "0x20", "a.c:1 f"),
        ];
        assert!(text(&steps, "").ends_with("loads o2, loads o1, stores o2, stores o3\n"));
    }

    #[test]
    fn line_ends_and_escapes_in_names_do_no_harm() {
        let steps = [noted(step(u16::MAX, OpKind::Lock, "a\nb", "x\ty.c:1 f"), "held\r\n\u{1b}[2J")];
        assert!(text(&steps, "").ends_with("thread 65535 │ x y.c:1 f: locks a b (held [2J)\n"));
    }
}
