//! The steps of one execution for people: who did what where, in the order in which it happened.

pub mod read;

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use crate::model::execution::ThreadId;
use crate::model::op::OpKind;

/// Lines at the end that are shown whatever is in them; what went wrong is mostly there.
const LAST_LINES: usize = 50;
/// Lines shown at most, unless more are asked for: those that are marked, the last of those about a switch, and the last of
/// all.
pub const MAX_LINES: usize = 200;
/// Lines of a round, at most, and rounds, at least, of a loop that is shown once.
const LONGEST_ROUND: usize = 8;
const FEWEST_ROUNDS: usize = 3;
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
    /// Why the reader should look here.
    pub mark: Option<String>,
}

/// The steps as text, of at most so many lines, and after them how they ended. Steps of one thread at one place that follow
/// each other take one line, and rounds of a loop are shown once. `▸` marks where another thread goes on. What only one
/// thread ever accesses is left out, since its order with others does not matter.
#[must_use]
pub fn text(steps: &[Step], ending: &str, most: usize) -> String {
    let told = without_private(steps);
    let lines = folded(lines(steps, &told));
    let switches = lines.iter().filter(|line| line.switched).count();
    let mut text = format!(
        "interleaving: {}, {}, main is thread 0\n",
        counted(steps.len(), "step", "steps"),
        counted(switches, "switch", "switches")
    );
    if told.len() < steps.len() {
        let _ = writeln!(
            text,
            "    …  {} of what only one thread accesses",
            counted(steps.len() - told.len(), "step", "steps")
        );
    }
    let mut shown = 0;
    for index in kept(&lines, most) {
        leave_out(&mut text, &lines[shown..index]);
        let _ = writeln!(text, "{}", lines[index].text());
        shown = index + 1;
    }
    for (index, line) in ending.trim_end().lines().enumerate() {
        let _ = writeln!(text, "{}  {line}", if index == 0 { "  end" } else { "     " });
    }
    text
}

/// The steps without accesses to what no other thread ever touches.
fn without_private(steps: &[Step]) -> Vec<usize> {
    let mut users: HashMap<&str, Option<ThreadId>> = HashMap::new();
    for step in steps {
        let user = users.entry(&step.object).or_insert(Some(step.thread));
        *user = user.filter(|user| *user == step.thread);
    }
    let is_alone = steps.iter().all(|step| step.thread == steps[0].thread);
    let is_private = |step: &Step| {
        step.kind.accesses() && !step.object.is_empty() && step.mark.is_none() && users[step.object.as_str()].is_some()
    };
    (0..steps.len()).filter(|index| is_alone || !is_private(&steps[*index])).collect()
}

/// For each step, whether it is left out of the text since no other thread ever accesses what it is on.
#[must_use]
pub fn are_private(steps: &[Step]) -> Vec<bool> {
    let mut private = vec![true; steps.len()];
    without_private(steps).into_iter().for_each(|told| private[told] = false);
    private
}

/// What the object of each step is called, in the text too; empty for nothing.
#[must_use]
pub fn objects(steps: &[Step]) -> Vec<String> {
    let told = without_private(steps);
    let private = are_private(steps);
    let all: Vec<usize> = told.into_iter().chain((0..steps.len()).filter(|index| private[*index])).collect();
    let names = Names::of(steps, &all);
    steps.iter().map(|step| if step.object.is_empty() { String::new() } else { names.name(&step.object) }).collect()
}

/// Shows rounds of a loop once, with their number.
fn folded(mut lines: Vec<Line<'_>>) -> Vec<Line<'_>> {
    let mut folded = Vec::with_capacity(lines.len());
    let mut start = 0;
    while start < lines.len() {
        let rounds = |length: usize| {
            let round = &lines[start..start + length];
            let again = |rounds: &usize| {
                let other = lines.get(start + rounds * length..start + (rounds + 1) * length);
                other.is_some_and(|other| other.iter().zip(round).all(|(other, line)| line.is_again(other)))
            };
            (1..).take_while(again).last().unwrap_or_default() + 1
        };
        let longest = LONGEST_ROUND.min(lines.len() - start);
        match (1..=longest).map(|length| (length, rounds(length))).find(|(_, rounds)| *rounds >= FEWEST_ROUNDS) {
            Some((length, rounds)) => {
                let steps = lines[start + length..start + rounds * length].iter().map(|line| line.steps).sum();
                for line in &mut lines[start..start + length] {
                    folded.push(line.take());
                }
                if let Some(last) = folded.last_mut() {
                    last.again = Some((length, rounds, steps));
                }
                start += rounds * length;
            }
            None => {
                folded.push(lines[start].take());
                start += 1;
            }
        }
    }
    folded
}

/// Says that lines are missing. A single one would take no less space.
fn leave_out(text: &mut String, lines: &[Line]) {
    let _ = match lines {
        [] => Ok(()),
        [line] => writeln!(text, "{}", line.text()),
        _ => {
            let of_line = |line: &Line<'_>| line.steps + line.again.map_or(0, |(.., steps)| steps);
            let steps = lines.iter().map(of_line).sum();
            writeln!(text, "    …  {} left out", counted(steps, "step", "steps"))
        }
    };
}

/// The lines that are shown: those that are marked, the last, and of those before them the two about each switch.
fn kept(lines: &[Line<'_>], most: usize) -> Vec<usize> {
    let about_switch = |index: usize| lines[index].switched || lines.get(index + 1).is_some_and(|next| next.switched);
    let is_shown = |index: &usize| {
        index + LAST_LINES.min(most) >= lines.len() || about_switch(*index) || lines[*index].mark.is_some()
    };
    let kept: Vec<usize> = (0..lines.len()).filter(is_shown).collect();
    let mut too_many = kept.len().saturating_sub(most);
    let is_left = |index: &usize| {
        let leaves = too_many > 0 && lines[*index].mark.is_none();
        too_many -= usize::from(leaves);
        !leaves
    };
    kept.into_iter().filter(is_left).collect()
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
    mark: Option<&'a str>,
    /// It ends a round of a loop, of so many lines, that was made so often, with so many steps in the other rounds.
    again: Option<(usize, usize, usize)>,
}

impl<'a> Line<'a> {
    /// Leaves an empty one in its place.
    fn take(&mut self) -> Self {
        let actions = std::mem::take(&mut self.actions);
        Self { actions, ..*self }
    }

    /// Whether another one is the same of another round.
    fn is_again(&self, other: &Self) -> bool {
        let is_quiet = |line: &Self| line.mark.is_none();
        is_quiet(self)
            && is_quiet(other)
            && !other.switched
            && (self.thread, self.place, &self.actions) == (other.thread, other.place, &other.actions)
    }

    fn text(&self) -> String {
        let Self { first, thread, .. } = self;
        let mark = if self.switched { '▸' } else { ' ' };
        let column = "    ".repeat(usize::from(*thread).min(MAX_COLUMNS - 1));
        let place = match one_line(self.place) {
            place if place.is_empty() => place,
            place => format!("{place}: "),
        };
        let mut text = format!("{first:>5} {mark}{column}thread {thread} │ {place}{}", self.what());
        if let Some(why) = self.mark {
            let _ = write!(text, "  ◀ {}", one_line(why));
        }
        if let Some((length, rounds, _)) = self.again {
            let what = if length == 1 { "this line".to_owned() } else { format!("these {length} lines") };
            let _ = write!(text, "\n      {column}         … {what} {rounds} times");
        }
        text
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

/// Of the steps with these numbers.
fn lines<'a>(steps: &'a [Step], told: &[usize]) -> Vec<Line<'a>> {
    let names = Names::of(steps, told);
    let mut lines: Vec<Line<'_>> = Vec::new();
    for (first, step) in told.iter().map(|index| (*index, &steps[*index])) {
        let action = action(step, &names);
        let switched = match lines.last_mut() {
            Some(line) if (line.thread, line.place) == (step.thread, &step.place) => {
                line.steps += 1;
                line.mark = line.mark.or(step.mark.as_deref());
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
        lines.push(Line { first, steps: 1, thread, place, switched, actions, mark: step.mark.as_deref(), again: None });
    }
    lines
}

/// What a step does, in words, with an address for what has no name.
#[must_use]
pub fn action_of(step: &Step) -> String {
    let object = if step.object.starts_with("0x") { "memory".to_owned() } else { step.object.clone() };
    action(&Step { object, ..step.clone() }, &Names::none())
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
#[must_use]
pub fn words(kind: OpKind) -> &'static str {
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
    fn of(steps: &'a [Step], told: &[usize]) -> Self {
        let told = || told.iter().map(|index| &steps[*index]);
        let given = told().map(|step| step.object.as_str()).collect();
        let mut names = Self { given, ours: HashMap::new(), last: 0 };
        for step in told().filter(|step| step.object.starts_with("0x")) {
            if !names.ours.contains_key(step.object.as_str()) {
                let name = names.next();
                names.ours.insert(&step.object, name);
            }
        }
        names
    }

    fn none() -> Self {
        Self { given: HashSet::new(), ours: HashMap::new(), last: 0 }
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
mod tests;
