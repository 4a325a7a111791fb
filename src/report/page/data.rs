//! What a page shows, in columns, so that ten thousand steps stay small.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::sources::{Part, Sources};
use super::tasks::Tasks;
use crate::campaign::account::{Account, Call};
use crate::campaign::explain::Reasons;
use crate::case::{Case, Workload};
use crate::evidence::interleaving::{self, Step};
use crate::model::execution::ThreadId;
use crate::model::settings::MemoryModel;
use crate::model::word;
use crate::report::reasons::{smallest_change, told};

/// What is told of a case.
pub struct Told<'a> {
    pub case: &'a Case,
    /// What the case is called.
    pub name: &'a str,
    pub account: &'a Account,
    /// Unknown where it did not fail as recorded, or nobody asked.
    pub reasons: Option<&'a Reasons>,
    /// What the reader must know first.
    pub notice: String,
    pub sources: Sources,
}

impl Told<'_> {
    /// The steps with all that is marked.
    pub fn steps(&self) -> Vec<Step> {
        self.reasons.map_or_else(|| self.account.steps.clone(), Reasons::marked)
    }
}

#[derive(Serialize)]
pub(super) struct Data {
    name: String,
    verdict: String,
    failure: String,
    notice: String,
    facts: Vec<(&'static str, String)>,
    report: String,
    threads: usize,
    kinds: Names,
    objects: Names,
    notes: Names,
    functions: Names,
    files: Vec<File>,
    stacks: Vec<Stack>,
    steps: Columns,
    /// A 1 for each step that only its thread could notice.
    private: String,
    /// Step, why, and which kind of mark.
    marks: Vec<(usize, String, &'static str)>,
    /// Thread, first step, the first step after it, and what it waits in.
    waits: Vec<(ThreadId, usize, usize, String)>,
    /// What it is, what it says, and a step that it is about.
    reasons: Vec<(&'static str, String, Option<usize>)>,
    /// Step, failed and sampled.
    chances: Vec<(usize, u64, u64)>,
    graph: Option<Tasks>,
}

/// For each step, indices of what it has.
#[derive(Default, Serialize)]
struct Columns {
    thread: Vec<ThreadId>,
    kind: Vec<usize>,
    object: Vec<usize>,
    note: Vec<usize>,
    stack: Vec<usize>,
}

/// Calls as function, file and line, of which one is the innermost of the program's own.
#[derive(Serialize)]
struct Stack {
    calls: Vec<(usize, usize, u32)>,
    own: usize,
}

#[derive(Serialize)]
struct File {
    name: String,
    parts: Vec<Part>,
}

/// Texts by their index.
#[derive(Default, Serialize)]
#[serde(transparent)]
struct Names {
    list: Vec<String>,
    #[serde(skip)]
    known: HashMap<String, usize>,
}

impl Names {
    /// With nothing at 0.
    fn from_nothing() -> Self {
        let mut names = Self::default();
        names.index(String::new());
        names
    }

    fn index(&mut self, text: String) -> usize {
        *self.known.entry(text).or_insert_with_key(|text| {
            self.list.push(text.clone());
            self.list.len() - 1
        })
    }
}

impl Data {
    pub fn of(mut told: Told<'_>) -> Self {
        let steps = told.steps();
        let Told { case, account, reasons, .. } = told;
        let (mut kinds, mut objects, mut notes) = (Names::default(), Names::from_nothing(), Names::from_nothing());
        let mut columns = Columns::default();
        for (step, object) in steps.iter().zip(interleaving::objects(&steps)) {
            columns.thread.push(step.thread);
            columns.kind.push(kinds.index(interleaving::words(step.kind).to_owned()));
            columns.object.push(objects.index(object));
            columns.note.push(notes.index(step.note.clone().unwrap_or_default()));
        }
        columns.stack.clone_from(&account.stack_of);
        let mut functions = Names::default();
        let (stacks, files) = stacks(&account.stacks, &mut functions, &mut told.sources);
        let waits = account.waits(steps.len());
        let last = columns.thread.iter().chain(waits.iter().map(|(thread, ..)| thread)).max();
        Self {
            name: told.name.to_owned(),
            verdict: word(&case.verdict),
            failure: case.report.lines().next().unwrap_or_default().to_owned(),
            notice: told.notice,
            facts: facts(case),
            report: case.report.clone(),
            threads: last.map_or(0, |last| usize::from(*last) + 1),
            kinds,
            objects,
            notes,
            functions,
            files,
            stacks,
            private: interleaving::are_private(&steps).iter().map(|private| if *private { '1' } else { '0' }).collect(),
            marks: marks(&steps, reasons),
            waits,
            reasons: reasons.map_or_else(Vec::new, texts),
            chances: chances(account, reasons),
            graph: match &case.workload {
                Workload::TaskGraph(graph) => Some(Tasks::of(graph, &account.asides)),
                Workload::Check(_) => None,
            },
            steps: columns,
        }
    }
}

fn facts(case: &Case) -> Vec<(&'static str, String)> {
    let settings = &case.settings;
    let schedule = case.schedule.as_ref();
    let facts = [
        ("oracle", case.oracle.as_ref().map(word)),
        ("fingerprint", Some(case.fingerprint.clone())),
        ("runtime", Some(settings.runtime.clone())),
        ("bug", settings.bug.clone()),
        ("sanitizer", Some(word(&settings.sanitizer))),
        ("engine", Some(word(&settings.engine))),
        ("strategy", Some(format!("{}, seed {}", word(&settings.strategy), settings.seed))),
        ("memory model", (settings.memory != MemoryModel::Sc).then(|| word(&settings.memory))),
        ("schedule", schedule.map(|schedule| format!("{} scheduling points", schedule.points()))),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The stacks and their files, with the lines of these that were executed.
fn stacks(stacks: &[Vec<Call>], functions: &mut Names, sources: &mut Sources) -> (Vec<Stack>, Vec<File>) {
    let mut names = Names::default();
    let mut lines: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
    // The program's own files come first.
    let own = |calls: &[Call]| calls.iter().position(Call::is_own).unwrap_or_default();
    for call in stacks.iter().filter_map(|calls| calls.get(own(calls))) {
        names.index(call.file.clone());
    }
    let stacks = stacks.iter().map(|calls| Stack {
        calls: calls
            .iter()
            .map(|call| {
                let file = names.index(call.file.clone());
                lines.entry(file).or_default().insert(call.line);
                (functions.index(call.function.clone()), file, call.line)
            })
            .collect(),
        own: own(calls),
    });
    let stacks = stacks.collect();
    let file = |(index, name): (usize, String)| {
        let parts = lines.get(&index).map_or_else(Vec::new, |lines| sources.take(&name, lines));
        File { name, parts }
    };
    (stacks, names.list.into_iter().enumerate().map(file).collect())
}

fn marks(steps: &[Step], reasons: Option<&Reasons>) -> Vec<(usize, String, &'static str)> {
    let critical = reasons.and_then(|reasons| reasons.critical.filter(|_| reasons.around.is_some()));
    let mark = |(index, step): (usize, &Step)| {
        let why = step.mark.clone()?;
        let kind = match why.contains("of the race") {
            _ if critical == Some(index) => "critical",
            true => "race",
            false => "order",
        };
        Some((index, why, kind))
    };
    steps.iter().enumerate().filter_map(mark).collect()
}

fn texts(reasons: &Reasons) -> Vec<(&'static str, String, Option<usize>)> {
    let Reasons { account, around, critical, pair, always, .. } = reasons;
    let step = |index: usize| told(&account.steps[index]);
    let mut texts = Vec::new();
    match (around, critical) {
        _ if *always => {
            texts.push(("Critical point", "none: it fails even where no thread is preempted".to_owned(), None));
        }
        (Some((before, after)), Some(index)) => {
            texts.push(("Critical point", step(*index), Some(*index)));
            let (failed, sampled) = (after.failed, after.sampled);
            let rest =
                format!("{failed} of {sampled} continuations fail, before it {} of {}", before.failed, before.sampled);
            texts.push(("After it", rest, None));
        }
        _ => texts.push((
            "Critical point",
            "no single one: the chance of failure rises over several steps".to_owned(),
            None,
        )),
    }
    if let Some((first, second)) = pair {
        texts.push(("Order that decides", step(*first), Some(*first)));
        texts.push(("comes before", step(*second), Some(*second)));
    }
    texts.push(("Smallest change that passes", smallest_change(reasons), None));
    texts
}

fn chances(account: &Account, reasons: Option<&Reasons>) -> Vec<(usize, u64, u64)> {
    let at = |points: u64| account.points.partition_point(|point| *point < points);
    let chances = reasons.map_or(&[][..], |reasons| &reasons.chances);
    chances.iter().map(|chance| (at(chance.points), chance.failed, chance.sampled)).collect()
}
