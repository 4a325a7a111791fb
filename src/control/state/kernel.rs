//! The part of the kernel that programs wait on, as the execution's own: descriptors, and what is behind them.
//!
//! Nothing here blocks. What cannot be done yet fails with `EAGAIN`, and whoever waits is woken by `Kernel::change`, which
//! names the places at which threads wait. All of it is touched under `sanitizer::Unwatched`.

mod connect;
pub mod epoll;
mod event;
mod message;
pub mod name;
mod numbers;
mod options;
pub mod pieces;
mod pipe;
mod ready;
pub mod socket;
mod stream;

use std::ffi::c_int;

use crate::control::order;
use crate::control::state::signals::Set;
use crate::model::execution::ThreadId;
use crate::model::limits::MAX_VIRTUAL_THREADS;
pub use connect::Connecting;
use epoll::Epoll;
pub use event::Timer;
use numbers::Numbers;
pub use numbers::{HIGHEST, Owner};
use socket::Socket;

/// An error number.
pub type Errno = c_int;

/// A file that is open: what descriptors refer to. Index into `Kernel::files`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId(usize);

/// What is behind a descriptor.
pub enum Object {
    /// Nothing: the entry can be used again.
    Free,
    Event {
        count: u64,
        semaphore: bool,
    },
    Timer(Timer),
    /// A `signalfd` that takes these.
    Signals(Set),
    PipeReader {
        bytes: std::collections::VecDeque<u8>,
        capacity: usize,
        writer: Option<FileId>,
    },
    PipeWriter {
        reader: Option<FileId>,
    },
    Socket(Box<Socket>),
    Epoll(Epoll),
}

pub struct File {
    pub object: Object,
    /// Descriptors, calls in progress, and the queue that a connection waits in; 0: free.
    references: u32,
    pub nonblocking: bool,
    /// The epoll instances that watch it, in the order in which they were told to.
    watchers: Vec<epoll::Watcher>,
}

/// A thread in a call that waits for any of several files.
struct Poller {
    thread: ThreadId,
    files: Vec<FileId>,
}

/// What the calling thread brings to each question.
#[derive(Clone, Copy, Default)]
struct Moment {
    /// Virtual nanoseconds since the execution began.
    now: u64,
    /// Signals that the calling thread could take.
    pending: Set,
}

pub struct Kernel {
    numbers: Numbers,
    // Boxed, since threads wait at their addresses. Entries are used again, the first one first.
    #[expect(clippy::vec_box, reason = "their addresses stand for them")]
    files: Vec<Box<File>>,
    pollers: Vec<Poller>,
    /// Where threads wait for several files.
    poll_places: Box<[u64]>,
    /// Places whose waiters are to be woken.
    woken: Vec<usize>,
    /// Timers that will expire.
    armed: Vec<FileId>,
    /// The port that was given to the last socket that did not name one.
    last_port: u16,
    moment: Moment,
    touched: bool,
}

impl Kernel {
    pub fn new() -> Self {
        Self {
            numbers: Numbers::new(),
            files: Vec::new(),
            pollers: Vec::new(),
            poll_places: vec![0; MAX_VIRTUAL_THREADS].into(),
            woken: Vec::with_capacity(MAX_VIRTUAL_THREADS),
            armed: Vec::new(),
            last_port: connect::FIRST_PORT,
            moment: Moment::default(),
            touched: false,
        }
    }

    /// Closes and forgets what the last execution left.
    pub fn end(&mut self) {
        if !std::mem::take(&mut self.touched) {
            return;
        }
        self.numbers.close_all();
        for file in &mut self.files {
            file.object = Object::Free;
            file.references = 0;
            file.watchers.clear();
        }
        self.pollers.clear();
        self.woken.clear();
        self.armed.clear();
        self.last_port = connect::FIRST_PORT;
    }

    /// What the questions that follow are asked at, and by whom.
    pub fn begin_question(&mut self, now: u64, pending: Set) {
        self.moment = Moment { now, pending };
        if !self.armed.is_empty() {
            self.expire();
        }
    }

    /// The next place whose waiters are to be woken.
    pub fn take_woken(&mut self) -> Option<usize> {
        self.woken.pop()
    }

    /// Whose the number is, in constant time.
    #[inline]
    pub fn owner(&self, number: c_int) -> Owner {
        self.numbers.owner(number)
    }

    /// The file behind a descriptor.
    pub fn file(&self, number: c_int) -> Result<FileId, Errno> {
        match self.owner(number) {
            Owner::Kernel(file) => Ok(file),
            Owner::Nobody | Owner::System => Err(libc::EBADF),
        }
    }

    fn of(&self, file: FileId) -> &File {
        &self.files[file.0]
    }

    fn of_mut(&mut self, file: FileId) -> &mut File {
        &mut self.files[file.0]
    }

    pub fn object(&self, file: FileId) -> &Object {
        &self.of(file).object
    }

    pub fn is_nonblocking(&self, file: FileId) -> bool {
        self.of(file).nonblocking
    }

    pub fn set_nonblocking(&mut self, file: FileId, nonblocking: bool) {
        self.of_mut(file).nonblocking = nonblocking;
    }

    /// Where threads wait for the file, and what orders memory between those that use it.
    pub fn place(&self, file: FileId) -> usize {
        std::ptr::from_ref(self.of(file)).addr()
    }

    pub fn closes_on_exec(&self, number: c_int) -> bool {
        self.numbers.closes_on_exec(number)
    }

    pub fn set_closes_on_exec(&mut self, number: c_int, closes: bool) {
        self.numbers.set_closes_on_exec(number, closes);
    }

    /// What stands for a number where its use and its end could race.
    pub fn mark(&self, number: c_int) -> *const u64 {
        self.numbers.mark(number)
    }

    /// The descriptor of what a thread waits for at that place.
    pub fn number_at(&self, place: usize) -> Option<c_int> {
        let file = self.files.iter().position(|file| std::ptr::from_ref::<File>(file).addr() == place)?;
        self.numbers.first_of(FileId(file))
    }

    /// A file without a descriptor, which its creator refers to.
    fn create(&mut self, object: Object, nonblocking: bool) -> FileId {
        self.touched = true;
        let file = File { object, references: 1, nonblocking, watchers: Vec::new() };
        match self.files.iter().position(|file| file.references == 0) {
            Some(free) => {
                *self.files[free] = file;
                FileId(free)
            }
            None => {
                self.files.push(Box::new(file));
                FileId(self.files.len() - 1)
            }
        }
    }

    /// A file and its descriptor.
    pub fn open(&mut self, object: Object, nonblocking: bool) -> Result<c_int, Errno> {
        let file = self.create(object, nonblocking);
        self.give_number(file)
    }

    /// Makes the reference that the creator of the file has a descriptor.
    fn give_number(&mut self, file: FileId) -> Result<c_int, Errno> {
        self.numbers.open(file, 0).inspect_err(|_| self.let_go(file))
    }

    /// Another descriptor, the lowest from `least` on.
    pub fn copy(&mut self, file: FileId, least: c_int) -> Result<c_int, Errno> {
        let number = self.numbers.open(file, least)?;
        self.hold(file);
        Ok(number)
    }

    /// As `copy`, under a number that is the kernel's or was made one of its.
    pub fn copy_to(&mut self, file: FileId, number: c_int) {
        self.hold(file);
        if let Some(before) = self.numbers.put(file, number) {
            self.let_go(before);
        }
    }

    pub fn close(&mut self, number: c_int) -> Result<(), Errno> {
        let file = self.numbers.close(number)?;
        self.let_go(file);
        Ok(())
    }

    /// A call that may wait begins: what it is on stays, even if others close its descriptors.
    pub fn hold(&mut self, file: FileId) {
        self.of_mut(file).references += 1;
    }

    /// One reference less.
    pub fn let_go(&mut self, file: FileId) {
        self.of_mut(file).references -= 1;
        if self.of(file).references == 0 {
            self.release(file);
        }
    }

    /// Nobody refers to the file any more.
    fn release(&mut self, file: FileId) {
        // Whoever waits for something that comes by way of it.
        self.woken.push(self.place(file));
        let watchers = std::mem::take(&mut self.of_mut(file).watchers);
        for watcher in watchers {
            self.unwatch(watcher.epoll, file);
        }
        match std::mem::replace(&mut self.of_mut(file).object, Object::Free) {
            Object::PipeReader { writer: Some(other), .. } => {
                if let Object::PipeWriter { reader } = &mut self.of_mut(other).object {
                    *reader = None;
                }
                self.change(other, 0);
            }
            Object::PipeWriter { reader: Some(other) } => {
                if let Object::PipeReader { writer, .. } = &mut self.of_mut(other).object {
                    *writer = None;
                }
                self.change(other, 0);
            }
            Object::Socket(socket) => self.release_socket(file, *socket),
            Object::Epoll(epoll) => {
                for item in epoll.items() {
                    self.of_mut(item.file).watchers.retain(|watcher| watcher.epoll != file);
                }
            }
            Object::Timer(_) => self.armed.retain(|armed| *armed != file),
            _ => {}
        }
    }

    /// A thread waits for any of those files until `end_poll`.
    pub fn begin_poll(&mut self, thread: ThreadId, files: Vec<FileId>) -> usize {
        files.iter().for_each(|file| self.hold(*file));
        self.pollers.push(Poller { thread, files });
        self.poll_place(thread)
    }

    pub fn end_poll(&mut self, thread: ThreadId) {
        if let Some(index) = self.pollers.iter().rposition(|poller| poller.thread == thread) {
            let poller = self.pollers.remove(index);
            poller.files.into_iter().for_each(|file| self.let_go(file));
        }
    }

    fn poll_place(&self, thread: ThreadId) -> usize {
        std::ptr::from_ref(&self.poll_places[usize::from(thread)]).addr()
    }

    /// The calling thread did something to the file: whoever waits for one of these events looks again; 0 stands for all.
    fn change(&mut self, file: FileId, events: u32) {
        // What is there to be read is seen by whoever finds it there.
        if events == 0 || events & libc::EPOLLIN as u32 != 0 {
            order::release(self.place(file));
        }
        self.wake(file, events);
    }

    /// As `change`, where nobody did it.
    fn wake(&mut self, file: FileId, events: u32) {
        self.woken.push(self.place(file));
        for index in 0..self.pollers.len() {
            if self.pollers[index].files.contains(&file) {
                self.woken.push(self.poll_place(self.pollers[index].thread));
            }
        }
        if !self.of(file).watchers.is_empty() {
            self.tell_watchers(file, events);
        }
    }

    /// A signal was sent: those who watch for it look.
    pub fn signal_sent(&mut self, signal: c_int) {
        if self.touched {
            for file in (0..self.files.len()).map(FileId) {
                if matches!(self.object(file), Object::Signals(set) if set.contains(signal)) {
                    self.change(file, libc::EPOLLIN as u32);
                }
            }
        }
    }
}
