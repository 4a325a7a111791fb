//! Builds targets, some steps at a time, and gives each as soon as it is ready.
//!
//! As the supervisor of workers does, one thread asks each child now and then.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow};

use super::cache::Held;
use super::digests::Digests;
use super::step::Step;
use super::steps::Steps;
use super::{Built, Kind, Target, Workshop, dependencies, offers, prebuilt};
use crate::model::offers::Offers;
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
    steps: Steps,
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
        let steps = Steps::of(self.workshop, target, sanitizer)?;
        self.total += steps.objects.len() + 1;
        let objects = steps.objects.iter().map(|_| None).collect();
        for (object, step) in steps.objects.iter().enumerate() {
            self.push(number, Some(object), step.clone());
        }
        self.requests.push(Request { target: target.clone(), sanitizer, preload, steps, objects, failed: false });
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
            let offers = match request.target.kind {
                Kind::Runtime(_) => offers::of(&object),
                Kind::Program(_) => Ok(Offers::default()),
            };
            let offers = match offers {
                Ok(offers) => offers,
                Err(error) => {
                    request.failed = true;
                    ended.push((task.request, Err(error.context(request.target.name.clone()))));
                    return Ok(());
                }
            };
            let built = Built {
                object,
                offers,
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
            let step = request.steps.linking(self.workshop, &request.target, request.sanitizer, &objects);
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
