//! What a worker of a coverage-guided campaign does: libFuzzer evolves inputs in it, and every execution is judged.
//!
//! libFuzzer decides which inputs are mutated, by the counters of [`crate::feedback`], and writes those that did
//! something new to a directory of the worker's own. When to stop is decided here, before an execution: by then
//! libFuzzer has seen to the last one.

use std::collections::HashSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use anyhow::{Context, Result, ensure};

use super::fingerprint::fingerprint;
use super::job::{self, Evolution, Files, Job, Outcome, Work};
use super::supervisor::process::worker_command;
use super::worker::Runner;
use crate::control::libfuzzer::{self, Target};
use crate::digest::{BASIS, fnv1a};
use crate::feedback::{Features, Reached};
use crate::input::{Input, Mutator};
use crate::model::limits::MAX_INPUT_BYTES;
use crate::model::settings::{Sanitizer, Settings};
use crate::model::splitmix::splitmix64;
use crate::process;
use crate::protocol::InputSlot;
use crate::target::Built;
use crate::task_graph::encode::{Writer, encode};

/// Executions between two looks for leaks, whose inputs are kept until then.
const LEAK_CHECK_EVERY: usize = 2_000;
/// Fresh inputs, where there are none to begin with.
const FRESH_INPUTS: u64 = 8;

/// Does the job in `files`; does not return unless it cannot.
///
/// # Errors
/// The files cannot be used, or libFuzzer cannot.
pub(super) fn run(files: &Files, job: &Job, evolution: &Evolution) -> Result<()> {
    let settings = &job.settings;
    let (seeds, kept) = (files.seeds(), files.kept());
    fs::create_dir_all(&seeds).with_context(|| no_room(&seeds))?;
    fs::create_dir_all(&kept).with_context(|| no_room(&kept))?;
    let mutator = Mutator::new(settings.threads, evolution.shape);
    let mut names = names_in(&seeds)?;
    let begins_fresh = names.is_empty();
    for number in 0..if begins_fresh { FRESH_INPUTS } else { 0 } {
        let name = seeds.join(number.to_string());
        let input = mutator.fresh(splitmix64(evolution.seed ^ number));
        fs::write(&name, input.encode()).with_context(|| no_room(&name))?;
        names.push(name.to_string_lossy().into_owned());
    }
    ensure!(
        !names.iter().any(|name| name.contains(',')),
        "libFuzzer reads no file with a comma in its path, and {} has one; set TMPDIR to another directory",
        seeds.display()
    );
    let list = files.quick().join("seeds.txt");
    fs::write(&list, names.join(",")).with_context(|| no_room(&list))?;
    let mut runner = Runner::open(files, job)?;
    runner.set_feedback(&evolution.feedback);
    runner.tally.known.clone_from(&evolution.known);
    runner.unchecked = evolution.first;
    let slot = InputSlot::create(&files.input())?;
    let reached = Reached::create(&files.reached(), Features::read(&files.reached_before()))?;
    let (files, settings) = (files.clone(), settings.clone());
    let arguments = [
        format!("-seed={}", (splitmix64(evolution.seed) as u32).max(1)),
        format!("-seed_inputs=@{}", list.display()),
        format!("-artifact_prefix={}/", files.directory().display()),
        format!("-max_len={MAX_INPUT_BYTES}"),
        kept.display().to_string(),
    ];
    let evolver = Evolver {
        runner,
        mutator,
        seeds: names.len() as u64,
        begins_fresh,
        slot,
        reached,
        files,
        settings,
        target: job.target.clone(),
        evolution: evolution.clone(),
        task_graphs: HashSet::new(),
        unchecked: Vec::new(),
    };
    let fixed = OPTIONS.map(str::to_owned).into_iter();
    libfuzzer::drive(Box::new(evolver), &fixed.chain(arguments).collect::<Vec<_>>())
}

/// Deaths are the supervisor's business, ends and leaks are ours, and nothing may depend on the time. Each mutation
/// begins with an input that was kept, since several in a row lead to task graphs in which less happens at once; for
/// the same reason task graphs are not joined. The entropic schedule took a tenth of the time and found nothing sooner.
const OPTIONS: [&str; 21] = [
    "-entropic=0",
    "-mutate_depth=1",
    "-cross_over=0",
    "-verbosity=0",
    "-handle_abrt=0",
    "-handle_bus=0",
    "-handle_fpe=0",
    "-handle_ill=0",
    "-handle_int=0",
    "-handle_segv=0",
    "-handle_term=0",
    "-handle_usr1=0",
    "-handle_usr2=0",
    "-handle_xfsz=0",
    "-detect_leaks=0",
    "-rss_limit_mb=0",
    "-malloc_limit_mb=0",
    "-timeout=0",
    "-len_control=0",
    "-reload=0",
    "-print_final_stats=0",
];

fn no_room(place: &Path) -> String {
    format!("cannot write {}; free some space, or set TMPDIR", place.display())
}

fn names_in(directory: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(directory).context("cannot read the inputs of a worker")?;
    let mut names: Vec<String> = entries.flatten().map(|entry| entry.path().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

struct Evolver {
    runner: Runner,
    mutator: Mutator,
    /// Executions that are of the inputs to begin with; and whether those were made here, so that nobody keeps them.
    seeds: u64,
    begins_fresh: bool,
    slot: InputSlot,
    reached: Reached,
    files: Files,
    settings: Settings,
    target: Built,
    evolution: Evolution,
    /// Digests of the task graphs executed.
    task_graphs: HashSet<u64>,
    /// What was executed here since the last look for leaks, with its numbers, where the sanitizer looks for them.
    unchecked: Vec<(u64, Vec<u8>)>,
}

impl Target for Evolver {
    fn execute(&mut self, bytes: &[u8]) -> bool {
        let Ok(mut input) = Input::decode(bytes) else { return false };
        if self.is_over() {
            self.leave();
        }
        input.threads = self.settings.threads;
        let mut graph = Writer::default();
        encode(&input.graph, &mut graph);
        self.task_graphs.insert(fnv1a(BASIS, &graph.0));
        self.runner.tally.outcome.task_graphs = self.task_graphs.len() as u64;
        self.slot.put(bytes, self.runner.tally.outcome.task_graphs);
        let number = self.evolution.first + self.runner.tally.outcome.executions;
        let repeated = self.repetitions();
        let flow = if input.graph.injections.may_end_process() {
            self.execute_alone(&input, number)
        } else {
            if self.settings.sanitizer == Sanitizer::Address {
                self.unchecked.push((number, bytes.to_vec()));
            }
            let Input { graph, seed, choices, .. } = input;
            self.runner.execute_input(graph, seed, &choices, number)
        };
        if flow.is_break() || (self.unchecked.len() >= LEAK_CHECK_EVERY && self.leaks()) {
            self.leave();
        }
        if self.repetitions() != repeated {
            return false;
        }
        let is_seed = self.runner.tally.outcome.executions <= self.seeds;
        if is_seed && self.begins_fresh {
            return true;
        }
        // Without what it begins with, libFuzzer does not.
        self.reached.look() || is_seed
    }

    fn mutate(&mut self, input: &[u8], most: usize, seed: u32) -> Vec<u8> {
        self.mutator.mutate(input, seed, most)
    }
}

impl Evolver {
    fn is_over(&self) -> bool {
        let elapsed = || self.runner.started.elapsed().as_millis();
        self.runner.tally.outcome.executions >= self.evolution.count
            || self.evolution.limit_ms.is_some_and(|limit| elapsed() >= limit.into())
    }

    /// Executions that failed as others did before, which libFuzzer shall not keep.
    fn repetitions(&self) -> u64 {
        self.runner.tally.outcome.repeated.values().sum()
    }

    /// Leaves the outcome and ends the process.
    fn leave(&mut self) -> ! {
        // What threads hold that stopped midway is not lost.
        if self.runner.tally.outcome.failed.is_none() && !self.runner.session.is_spent() {
            self.leaks();
        }
        let code = match self.runner.leave(&self.files) {
            Ok(()) => 0,
            Err(error) => {
                eprintln!("error: {error:#}");
                crate::model::exit::COULD_NOT.into()
            }
        };
        process::end_now(code)
    }

    /// Whether memory was lost since the last look.
    fn leaks(&mut self) -> bool {
        let end = self.evolution.first + self.runner.tally.outcome.executions;
        if self.runner.tally.outcome.leaked.is_some() {
            return true;
        }
        let lost = self.runner.leaks(end);
        if lost {
            self.runner.tally.outcome.suspects = std::mem::take(&mut self.unchecked);
        }
        self.unchecked.clear();
        lost
    }

    /// Executes an input in another worker, which writes the same trace, and takes over how it ends.
    fn execute_alone(&mut self, input: &Input, number: u64) -> ControlFlow<()> {
        let outcome = self.let_another(input, number).unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            process::end_now(crate::model::exit::COULD_NOT.into())
        });
        let mine = &mut self.runner.tally.outcome;
        mine.executions += outcome.executions;
        mine.points += outcome.points;
        for (reason, count) in outcome.incomparable {
            *mine.incomparable.entry(reason).or_default() += count;
        }
        let known = |failure| self.evolution.known.fingerprints.contains(&fingerprint(failure));
        match outcome.failed {
            Some(failed) if failed.reports == 0 && failed.failures.len() == 1 && known(&failed.failures[0]) => {
                *mine.repeated.entry(fingerprint(&failed.failures[0])).or_default() += 1;
            }
            None if outcome.leaked.is_none() => {}
            failed => {
                mine.failed = failed;
                mine.leaked = outcome.leaked;
                return ControlFlow::Break(());
            }
        }
        self.runner.tally.keep();
        ControlFlow::Continue(())
    }

    fn let_another(&self, input: &Input, number: u64) -> Result<Outcome> {
        let alone = Files::new(self.files.alone(), Some(self.files.quick().join("alone")));
        let make = |directory: &Path| {
            let _ = fs::remove_dir_all(directory);
            fs::create_dir(directory).with_context(|| no_room(directory))
        };
        make(alone.directory())?;
        if alone.quick() != alone.directory() {
            make(alone.quick())?;
        }
        fs::hard_link(self.files.trace(), alone.trace()).context("cannot share a trace with another worker")?;
        let work = Work::Input { input: input.encode(), number };
        job::write(&alone.job(), &Job { settings: self.settings.clone(), target: self.target.clone(), work })?;
        let mut command = worker_command(&self.target);
        command.arg(alone.directory()).arg(alone.quick()).stdin(Stdio::null()).stdout(Stdio::null());
        let status = command.status().context("cannot start a worker")?;
        if !status.success() {
            die_like(status);
        }
        job::read(&alone.outcome())
    }
}

/// What another worker died of is what this one dies of; the supervisor sees no difference.
fn die_like(status: ExitStatus) -> ! {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(signal) => process::die_of(signal),
        None => process::end_now(status.code().unwrap_or_default()),
    }
}
