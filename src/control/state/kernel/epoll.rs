//! `epoll`, as Linux does it: a list of what may be ready, to which events add, and which is looked through when it is asked
//! for.

use std::collections::VecDeque;
use std::ffi::c_int;

use super::{Errno, FileId, Kernel, Object};

/// Events that say how an item is watched.
const HOW: u32 = (libc::EPOLLET | libc::EPOLLONESHOT | libc::EPOLLWAKEUP | libc::EPOLLEXCLUSIVE) as u32;
/// What may stand beside `EPOLLEXCLUSIVE`.
const EXCLUSIVE: u32 = (libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLERR | libc::EPOLLHUP) as u32 | HOW;
const ALWAYS: u32 = (libc::EPOLLERR | libc::EPOLLHUP) as u32;
/// How deep instances may watch instances.
const DEEPEST: usize = 5;

/// A descriptor that is watched: the same file under another number is another item.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    number: c_int,
    file: FileId,
}

/// An instance, and the item by which it watches a file.
#[derive(Clone, Copy)]
pub struct Watcher {
    pub epoll: FileId,
    number: c_int,
}

pub struct Item {
    pub number: c_int,
    pub file: FileId,
    interest: u32,
    data: u64,
    /// It is in the list of what may be ready.
    linked: bool,
}

impl Item {
    fn key(&self) -> Key {
        Key { number: self.number, file: self.file }
    }

    /// Not one that was for one event, which it has had.
    pub fn is_enabled(&self) -> bool {
        self.interest & !HOW != 0
    }
}

#[derive(Default)]
pub struct Epoll {
    items: Vec<Item>,
    /// What may be ready.
    ready: VecDeque<Key>,
    /// Threads that wait for it.
    waiting: u32,
}

impl Epoll {
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.iter()
    }

    fn item(&mut self, key: Key) -> Option<&mut Item> {
        self.items.iter_mut().find(|item| item.key() == key)
    }

    /// The item may be ready.
    fn link(&mut self, key: Key) {
        if let Some(item) = self.item(key)
            && !std::mem::replace(&mut item.linked, true)
        {
            self.ready.push_back(key);
        }
    }

    fn remove(&mut self, doomed: impl Fn(&Item) -> bool) {
        self.items.retain(|item| !doomed(item));
        let items = &self.items;
        self.ready.retain(|key| items.iter().any(|item| item.key() == *key));
    }
}

/// An event that is ready.
pub struct Ready {
    pub events: u32,
    pub data: u64,
    pub file: FileId,
}

/// What `epoll_ctl` is to do.
#[derive(Clone, Copy)]
pub enum Control {
    Add { events: u32, data: u64 },
    Modify { events: u32, data: u64 },
    Delete,
}

impl Kernel {
    fn epoll(&mut self, file: FileId) -> Result<&mut Epoll, Errno> {
        match &mut self.of_mut(file).object {
            Object::Epoll(epoll) => Ok(epoll),
            _ => Err(libc::EINVAL),
        }
    }

    pub fn control_epoll(&mut self, epoll: FileId, number: c_int, control: Control) -> Result<(), Errno> {
        let file = self.file(number)?;
        if epoll == file || !matches!(self.object(epoll), Object::Epoll(_)) {
            return Err(libc::EINVAL);
        }
        let key = Key { number, file };
        let known = self.epoll(epoll)?.item(key).map(|item| item.interest);
        match control {
            Control::Add { events, data } => {
                if known.is_some() {
                    return Err(libc::EEXIST);
                }
                if events & libc::EPOLLEXCLUSIVE as u32 != 0
                    && (events & !EXCLUSIVE != 0 || matches!(self.object(file), Object::Epoll(_)))
                {
                    return Err(libc::EINVAL);
                }
                if self.watches(file, epoll) || self.depth(file) >= DEEPEST {
                    return Err(libc::ELOOP);
                }
                let item = Item { number, file, interest: events | ALWAYS, data, linked: false };
                self.epoll(epoll)?.items.push(item);
                self.of_mut(file).watchers.push(Watcher { epoll, number });
                self.link_if_ready(epoll, key);
            }
            Control::Modify { events, data } => {
                let before = known.ok_or(libc::ENOENT)?;
                if (before | events) & libc::EPOLLEXCLUSIVE as u32 != 0 {
                    return Err(libc::EINVAL);
                }
                if let Some(item) = self.epoll(epoll)?.item(key) {
                    (item.interest, item.data) = (events | ALWAYS, data);
                }
                self.link_if_ready(epoll, key);
            }
            Control::Delete => {
                known.ok_or(libc::ENOENT)?;
                self.epoll(epoll)?.remove(|item| item.key() == key);
                let mut watchers = self.of(file).watchers.iter();
                if let Some(index) = watchers.position(|watcher| watcher.epoll == epoll && watcher.number == number) {
                    self.of_mut(file).watchers.remove(index);
                }
            }
        }
        Ok(())
    }

    fn link_if_ready(&mut self, epoll: FileId, key: Key) {
        let events = self.ready(key.file);
        let Ok(instance) = self.epoll(epoll) else { return };
        if instance.item(key).is_some_and(|item| item.interest & events != 0) {
            instance.link(key);
            self.wake(epoll, libc::EPOLLIN as u32);
        } else if self.expiry(key.file).is_some() {
            // Whoever waits has to wait until then.
            self.woken.push(self.place(epoll));
        }
    }

    /// Whether an instance watches the other file, by way of others as well.
    fn watches(&self, epoll: FileId, file: FileId) -> bool {
        match self.object(epoll) {
            Object::Epoll(instance) => instance.items().any(|item| item.file == file || self.watches(item.file, file)),
            _ => false,
        }
    }

    fn depth(&self, file: FileId) -> usize {
        match self.object(file) {
            Object::Epoll(epoll) => 1 + epoll.items().map(|item| self.depth(item.file)).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// The file is gone, so the instance watches it no more.
    pub(super) fn unwatch(&mut self, epoll: FileId, file: FileId) {
        if let Ok(epoll) = self.epoll(epoll) {
            epoll.remove(|item| item.file == file);
        }
    }

    /// Whoever waits for an instance that watches the file looks again.
    pub(super) fn wake_watchers(&mut self, file: FileId) {
        for index in 0..self.of(file).watchers.len() {
            let epoll = self.of(file).watchers[index].epoll;
            self.woken.push(self.place(epoll));
            self.wake_watchers(epoll);
        }
    }

    /// Adds the items that watch a file for these events to what may be ready: all that are not exclusive, those that came
    /// last first, and then exclusive ones up to the first that a thread waits for.
    pub(super) fn tell_watchers(&mut self, file: FileId, events: u32) {
        let watchers = std::mem::take(&mut self.of_mut(file).watchers);
        let is_exclusive = |this: &mut Self, watcher: &Watcher| {
            let key = Key { number: watcher.number, file };
            let item = this.epoll(watcher.epoll).ok().and_then(|epoll| epoll.item(key));
            item.is_some_and(|item| item.interest & libc::EPOLLEXCLUSIVE as u32 != 0)
        };
        for watcher in watchers.iter().rev() {
            if !is_exclusive(self, watcher) {
                self.tell_watcher(file, watcher, events);
            }
        }
        for watcher in &watchers {
            if is_exclusive(self, watcher) && self.tell_watcher(file, watcher, events) {
                break;
            }
        }
        self.of_mut(file).watchers = watchers;
    }

    /// Whether that woke a thread.
    fn tell_watcher(&mut self, file: FileId, watcher: &Watcher, events: u32) -> bool {
        let key = Key { number: watcher.number, file };
        let Ok(epoll) = self.epoll(watcher.epoll) else { return false };
        let is_for_it = |item: &mut Item| item.is_enabled() && (events == 0 || item.interest & events != 0);
        if !epoll.item(key).is_some_and(is_for_it) {
            return false;
        }
        epoll.link(key);
        let waits = epoll.waiting > 0;
        self.wake(watcher.epoll, libc::EPOLLIN as u32);
        waits
    }

    /// Threads that wait for the instance: so many more or fewer.
    pub fn count_waiting(&mut self, epoll: FileId, change: i32) {
        if let Ok(epoll) = self.epoll(epoll) {
            epoll.waiting = epoll.waiting.saturating_add_signed(change);
        }
    }

    /// Takes up to so many events.
    pub fn collect(&mut self, epoll: FileId, most: usize) -> Result<Vec<Ready>, Errno> {
        let mut candidates = std::mem::take(&mut self.epoll(epoll)?.ready);
        let (mut found, mut again) = (Vec::new(), VecDeque::new());
        while found.len() < most
            && let Some(key) = candidates.pop_front()
        {
            let events = self.ready(key.file);
            let Some(item) = self.epoll(epoll)?.item(key) else { continue };
            item.linked = false;
            let events = events & item.interest;
            if events == 0 {
                continue;
            }
            found.push(Ready { events, data: item.data, file: key.file });
            if item.interest & libc::EPOLLONESHOT as u32 != 0 {
                item.interest &= HOW;
            } else if item.interest & libc::EPOLLET as u32 == 0 {
                item.linked = true;
                again.push_back(key);
            }
        }
        candidates.append(&mut again);
        self.epoll(epoll)?.ready = candidates;
        Ok(found)
    }

    /// Whether an instance has something that is ready.
    pub(super) fn has_ready(&self, epoll: &Epoll) -> bool {
        epoll.ready.iter().any(|key| {
            let item = epoll.items.iter().find(|item| item.key() == *key);
            item.is_some_and(|item| self.ready(key.file) & item.interest != 0)
        })
    }
}
