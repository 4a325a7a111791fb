//! Builds targets, some steps at a time, and gives each as soon as it is ready.
//!
//! As the supervisor of workers does, one thread asks each child now and then.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow, bail};

use super::cache::Held;
use super::digests::Digests;
use super::flags::{self, Instrumented};
use super::step::{Action, Step};
use super::{Built, Kind, Language, Points, Target, Workshop, dependencies, prebuilt, tree};
use crate::model::settings::Sanitizer;
use crate::process;
use crate::scratch::Scratch;
use crate::terminal;

/// How often the children are asked.
const POLL: Duration = Duration::from_millis(2);

/// Builds what is requested.
pub struct Builder<'a> {
    workshop: &'a Workshop,
    scratch: Scratch,
    requests: Vec<Request>,
    waiting: VecDeque<Task>,
    running: Vec<Running>,
    digests: Digests,
    started: u64,
    done: usize,
    total: usize,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps.
    pub done: usize,
    pub total: usize,
    /// What the compiler works on now.
    pub current: Vec<String>,
}

struct Request {
    target: Target,
    sanitizer: Sanitizer,
    preload: Vec<PathBuf>,
    /// In the order in which they are linked; those that are there.
    objects: Vec<Option<Held>>,
    failed: bool,
}

/// A step of a request: that of the object of this number, or the link.
struct Task {
    request: usize,
    object: Option<usize>,
    step: Step,
    key: String,
}

struct Running {
    task: Task,
    child: Child,
    /// Where its output, its list of dependencies and its messages go.
    directory: PathBuf,
    since: SystemTime,
    /// Nobody else runs the same command meanwhile.
    _lock: File,
}

impl<'a> Builder<'a> {
    pub(super) fn new(workshop: &'a Workshop) -> Result<Self> {
        Ok(Self {
            workshop,
            scratch: workshop.cache.building()?,
            requests: Vec::new(),
            waiting: VecDeque::new(),
            running: Vec::new(),
            digests: Digests::default(),
            started: 0,
            done: 0,
            total: 0,
        })
    }

    /// Asks for a target; [`Builder::poll`] tells of it by this number, which counts from 0.
    ///
    /// # Errors
    /// A source is missing, or is neither C nor C++; the sanitizer's runtime is missing.
    pub fn request(&mut self, target: &Target, sanitizer: Sanitizer) -> Result<usize> {
        let preload = self.workshop.preload(sanitizer)?;
        let number = self.requests.len();
        let steps = compiling(self.workshop, target, sanitizer)?;
        self.total += steps.len() + 1;
        let objects = steps.iter().map(|_| None).collect();
        for (object, step) in steps.into_iter().enumerate() {
            self.push(number, Some(object), step);
        }
        self.requests.push(Request { target: target.clone(), sanitizer, preload, objects, failed: false });
        Ok(number)
    }

    fn push(&mut self, request: usize, object: Option<usize>, step: Step) {
        let key = step.key(&self.workshop.identity);
        let task = Task { request, object, step, key };
        // To link comes first: somebody can begin with what is ready.
        if task.object.is_some() { self.waiting.push_back(task) } else { self.waiting.push_front(task) }
    }

    /// Whether there is nothing left to do.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// Steps that run now.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.len()
    }

    #[must_use]
    pub fn progress(&self) -> Progress {
        let name = |running: &Running| {
            let sanitizer = self.requests[running.task.request].sanitizer;
            format!("{} for {}", running.task.step.name, sanitizer.word())
        };
        Progress { done: self.done, total: self.total, current: self.running.iter().map(name).collect() }
    }

    /// Waits a moment and gives the targets that are ready, or why they cannot be.
    ///
    /// # Errors
    /// The cache cannot be written, or the compiler does not start.
    pub fn poll(&mut self) -> Result<Vec<(usize, Result<Built>)>> {
        let mut ended = Vec::new();
        self.start(&mut ended)?;
        if !self.is_idle() && ended.is_empty() {
            std::thread::sleep(POLL);
        }
        let mut index = 0;
        while index < self.running.len() {
            match self.running[index].child.try_wait().context("cannot wait for the compiler")? {
                Some(status) => {
                    let running = self.running.swap_remove(index);
                    self.conclude(running, status, &mut ended)?;
                }
                None => index += 1,
            }
        }
        if self.is_idle() {
            self.workshop.cache.clean_up()?;
        }
        Ok(ended)
    }

    /// Starts what there is room for. What the cache has is ready at once.
    fn start(&mut self, ended: &mut Vec<(usize, Result<Built>)>) -> Result<()> {
        let mut elsewhere = VecDeque::new();
        while self.running.len() < self.workshop.jobs
            && let Some(task) = self.waiting.pop_front()
        {
            if self.requests[task.request].failed {
                continue;
            }
            if let Some(found) = self.workshop.cache.find(&task.key, &mut self.digests) {
                self.take(&task, found, ended)?;
                continue;
            }
            let Some(lock) = self.workshop.cache.lock(&task.key)? else {
                elsewhere.push_back(task);
                continue;
            };
            // Whoever had the lock may have made it since.
            if let Some(found) = self.workshop.cache.find(&task.key, &mut self.digests) {
                self.take(&task, found, ended)?;
                continue;
            }
            self.started += 1;
            let directory = self.scratch.path().join(self.started.to_string());
            fs::create_dir(&directory)
                .with_context(|| format!("cannot make {}; free some space there", directory.display()))?;
            let messages = File::create(directory.join("messages")).context("cannot keep the compiler's messages")?;
            let mut command = task.step.command(&directory.join("output"), &directory.join("dependencies"));
            // A group of its own: Ctrl-C is for us, and a compiler starts others.
            command.process_group(0).stdout(Stdio::null()).stderr(messages);
            process::end_with_us(&mut command);
            let since = SystemTime::now();
            let child = command
                .spawn()
                .with_context(|| format!("cannot start {}; name another with `--cxx`", task.step.compiler.display()))?;
            self.running.push(Running { task, child, directory, since, _lock: lock });
        }
        self.waiting.append(&mut elsewhere);
        Ok(())
    }

    fn conclude(
        &mut self,
        running: Running,
        status: ExitStatus,
        ended: &mut Vec<(usize, Result<Built>)>,
    ) -> Result<()> {
        let Running { task, directory, since, .. } = &running;
        let messages = fs::read(directory.join("messages")).unwrap_or_default();
        let messages = String::from_utf8_lossy(&messages);
        if !status.success() {
            let request = &mut self.requests[task.request];
            request.failed = true;
            let how = if status.code().is_none() { format!("{status}\n") } else { String::new() };
            ended.push((
                task.request,
                Err(anyhow!("{} does not compile\n{how}{}", request.target.name, messages.trim_end())),
            ));
            return Ok(());
        }
        if !messages.is_empty() {
            terminal::complain(&messages);
        }
        let output = directory.join("output");
        let list = fs::read_to_string(directory.join("dependencies")).unwrap_or_default();
        let files = dependencies::parse(&list, &task.step.directory);
        let read = self.digests_of(files, *since);
        let held = match read {
            Some(read) => self.workshop.cache.keep(&task.key, read, &output, &task.step.name, &mut self.digests)?,
            // What is not known to be made of what is there now is used once.
            None => {
                let key = format!("{}-{}", task.key, self.started);
                self.workshop.cache.keep(&key, Vec::new(), &output, &task.step.name, &mut self.digests)?
            }
        };
        self.take(task, held, ended)
    }

    /// What was read with its digests, unless something was written since the compiler started.
    fn digests_of(&mut self, files: Vec<PathBuf>, since: SystemTime) -> Option<Vec<(PathBuf, String)>> {
        let is_older =
            |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).is_ok_and(|time| time < since);
        let is_ours = |path: &Path| path.starts_with(self.workshop.cache.root());
        if files.is_empty() || !files.iter().all(|file| is_ours(file) || is_older(file)) {
            return None;
        }
        files.into_iter().map(|file| Some((file.clone(), self.digests.of(&file)?))).collect()
    }

    /// A step is done.
    fn take(&mut self, task: &Task, output: Held, ended: &mut Vec<(usize, Result<Built>)>) -> Result<()> {
        self.done += 1;
        let request = &mut self.requests[task.request];
        let Some(object) = task.object else {
            let (object, preload) = (output.path.clone(), request.preload.clone());
            let linked = self.workshop.cache.inputs(&task.key, &object).into_iter();
            let is_ours = |path: &Path| path.starts_with(self.workshop.cache.root());
            let built = Built {
                object,
                linked: linked.filter(|path| prebuilt::is_linked_in(path) && !is_ours(path)).collect(),
                emulates_thread_locals: self.workshop.toolchain.is_clang,
                preload,
                loader: self.workshop.loader(),
            };
            self.workshop.hold(output);
            request.objects.clear();
            ended.push((task.request, Ok(built)));
            return Ok(());
        };
        request.objects[object] = Some(output);
        let objects: Option<Vec<PathBuf>> =
            request.objects.iter().map(|object| object.as_ref().map(|held| held.path.clone())).collect();
        if let Some(objects) = objects {
            let step = linking(self.workshop, &request.target, request.sanitizer, &objects);
            self.push(task.request, None, step);
        }
        Ok(())
    }
}

impl Drop for Builder<'_> {
    fn drop(&mut self) {
        for running in &mut self.running {
            process::kill_group(running.child.id());
            let _ = running.child.wait();
        }
    }
}

/// The steps that make the objects of a target.
fn compiling(workshop: &Workshop, target: &Target, sanitizer: Sanitizer) -> Result<Vec<Step>> {
    let instrumented = match target.kind {
        Kind::Runtime => Instrumented::Runtime,
        Kind::Program(Points::Sync) => Instrumented::Synchronisation,
        Kind::Program(Points::Memory) => Instrumented::Memory,
    };
    let tree = workshop.tree();
    let mut common: Vec<OsString> =
        flags::compiling(&workshop.toolchain, sanitizer, instrumented).into_iter().map(OsString::from).collect();
    // Reports name what travels with the executable as it does in its own sources.
    common.push(prefix_map(tree));
    if flags::hides_thread_instrumentation(sanitizer, instrumented) {
        common.extend(["-include".into(), tree.join("cpp/target/features.h").into()]);
    }
    common.extend(["-include".into(), tree.join("cpp/harness/points.h").into()]);
    if target.kind == Kind::Runtime {
        common.extend(["-I".into(), tree.join("cpp").into()]);
    }
    let mut steps = Vec::new();
    if let Kind::Program(_) = target.kind {
        steps.push(own_source(workshop, "image")); // Its constructor is the first.
        if sanitizer == Sanitizer::None {
            steps.push(own_source(workshop, "heap"));
        }
    }
    let shared = target.shared.iter().map(|source| (Path::new("cpp").join(source), tree, &[][..]));
    let own = target.sources.iter().map(|source| (source.clone(), target.directory.as_path(), &target.flags[..]));
    for (source, directory, more) in shared.chain(own) {
        if !directory.join(&source).is_file() {
            bail!("{}: no such file", source.display());
        }
        let mut arguments = common.clone();
        arguments.extend(language(&source)?.into_iter().map(OsString::from));
        arguments.extend(flags_for_compiling(more).into_iter().map(OsString::from));
        arguments.extend(["-c".into(), source.clone().into()]);
        let stem = source.file_stem().unwrap_or_default().to_string_lossy();
        steps.push(step(workshop, directory.to_owned(), arguments, Action::Compile, format!("{}.o", plain(&stem))));
    }
    Ok(steps)
}

/// A source of ours in programs, from cpp/target/.
fn own_source(workshop: &Workshop, name: &str) -> Step {
    let source = format!("cpp/target/{name}.c");
    // Exceptions of the program pass.
    let arguments = ["-fPIC", "-O1", "-fexceptions", "-xc", "-c", &source].map(OsString::from).to_vec();
    step(workshop, workshop.tree().to_owned(), arguments, Action::Compile, format!("{name}.o"))
}

fn linking(workshop: &Workshop, target: &Target, sanitizer: Sanitizer, objects: &[PathBuf]) -> Step {
    let mut arguments: Vec<OsString> = ["-shared", "-pthread", "-Wl,-Bsymbolic"].map(OsString::from).to_vec();
    if let Kind::Program(points) = target.kind {
        arguments.push("-Wl,-z,norelro".into());
        let lists = [
            ("wrapped.txt", points == Points::Memory),
            ("wrapped_gcc.txt", points == Points::Memory && !workshop.toolchain.is_clang),
            ("wrapped_heap.txt", sanitizer == Sanitizer::None),
            ("wrapped_annotations.txt", true),
        ];
        let wrapped = lists.into_iter().filter(|(_, is_needed)| *is_needed);
        let options = wrapped.flat_map(|(list, _)| tree::text("target", list).lines());
        arguments.extend(options.map(|option| format!("-Wl,{option}").into()));
    }
    // clang leaves the runtime to the executable, where it is loaded before.
    if !workshop.toolchain.is_clang {
        arguments.extend(flags::of_sanitizer(sanitizer).map(OsString::from));
    }
    arguments.extend(objects.iter().map(OsString::from));
    arguments.extend(target.flags.iter().map(OsString::from));
    let name = format!("{}.so", plain(&target.name));
    step(workshop, target.directory.clone(), arguments, Action::Link, name)
}

fn step(workshop: &Workshop, directory: PathBuf, arguments: Vec<OsString>, action: Action, name: String) -> Step {
    Step { compiler: workshop.toolchain.compiler.clone(), directory, arguments, action, name }
}

fn prefix_map(tree: &Path) -> OsString {
    let mut option = OsString::from("-ffile-prefix-map=");
    option.push(tree);
    option.push("=.");
    option
}

/// A name as a file can have it.
fn plain(name: &str) -> String {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "-_.+".contains(character);
    name.chars().take(64).map(|character| if allowed(character) { character } else { '_' }).collect()
}

/// Flags without those for the linker alone: compilers warn about them where they do not link.
fn flags_for_compiling(flags: &[String]) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        match flag.as_str() {
            // The word after it belongs to it.
            "-l" | "-L" | "-Xlinker" => drop(flags.next()),
            flag if is_for_linker(flag) => {}
            flag => kept.push(flag),
        }
    }
    kept
}

/// Whether compilers pass it on to the linker.
pub(super) fn is_for_linker(flag: &str) -> bool {
    if flag.starts_with('-') {
        return ["-l", "-L", "-Wl,"].iter().any(|option| flag.starts_with(option));
    }
    [".a", ".o", ".so"].iter().any(|ending| flag.ends_with(ending)) || flag.contains(".so.")
}

/// The language of a source, by its name: the compiler would take C for C++.
fn language(source: &Path) -> Result<[&'static str; 2]> {
    match Language::of(source) {
        Some(Language::C) => Ok(["-x", "c"]),
        Some(Language::Cpp) => Ok(["-xc++", "-std=c++20"]),
        None => bail!("{}: neither C nor C++ by its name; name files that end in .c or .cpp", source.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_linker_gets_what_is_for_it_alone() {
        let words =
            "-lm -O2 -L lib -Llib -Wl,-z,now -Wall -l pthread -Xlinker -zdefs a.o b.a c.so d.so.1 -DA=b.o -Iinclude";
        let flags: Vec<String> = words.split(' ').map(str::to_owned).collect();
        assert_eq!(flags_for_compiling(&flags), ["-O2", "-Wall", "-DA=b.o", "-Iinclude"]);
    }

    #[test]
    fn names_of_targets_become_names_of_files() {
        assert_eq!(plain("lost-notify"), "lost-notify");
        assert_eq!(plain("../a b\n"), ".._a_b_");
    }
}
