//! `eventfd`, `timerfd` and `signalfd`.

use super::{Errno, FileId, Kernel, Object};
use crate::control::state::signals::Set;

/// A timer, in virtual nanoseconds since the execution began.
pub struct Timer {
    pub clock: libc::clockid_t,
    /// When it expires next.
    pub expiry: Option<u64>,
    /// Between two expiries; 0 for a timer that expires once.
    pub interval: u64,
    /// How often it expired since it was read or set.
    pub ticks: u64,
}

/// The count of an `eventfd` stays below it.
const FULL: u64 = u64::MAX;

impl Kernel {
    /// Adds to the count of an `eventfd`.
    pub fn add_to_event(&mut self, file: FileId, value: u64) -> Result<(), Errno> {
        let Object::Event { count, .. } = &mut self.of_mut(file).object else { return Err(libc::EINVAL) };
        if value == FULL {
            return Err(libc::EINVAL);
        }
        if FULL - *count <= value {
            return Err(libc::EAGAIN);
        }
        *count += value;
        self.change(file, libc::EPOLLIN as u32);
        Ok(())
    }

    /// Takes the count of an `eventfd`, or the ticks of a timer.
    pub fn take_number(&mut self, file: FileId) -> Result<u64, Errno> {
        match &mut self.of_mut(file).object {
            Object::Event { count: 0, .. } => Err(libc::EAGAIN),
            Object::Event { count, semaphore } => {
                let taken = if *semaphore { 1 } else { *count };
                *count -= taken;
                self.change(file, libc::EPOLLOUT as u32);
                Ok(taken)
            }
            Object::Timer(timer) => match std::mem::take(&mut timer.ticks) {
                0 => Err(libc::EAGAIN),
                ticks => Ok(ticks),
            },
            _ => Err(libc::EINVAL),
        }
    }

    pub fn timer(&mut self, file: FileId) -> Result<&mut Timer, Errno> {
        match &mut self.of_mut(file).object {
            Object::Timer(timer) => Ok(timer),
            _ => Err(libc::EINVAL),
        }
    }

    /// Sets a timer, or disarms it.
    pub fn set_timer(&mut self, file: FileId, expiry: Option<u64>, interval: u64) -> Result<(), Errno> {
        let timer = self.timer(file)?;
        (timer.expiry, timer.interval, timer.ticks) = (expiry, interval, 0);
        self.armed.retain(|armed| *armed != file);
        if expiry.is_some() {
            self.armed.push(file);
            self.expire();
            // Who waits for it waits until then from now on.
            self.woken.push(self.place(file));
            self.wake_watchers(file);
        }
        Ok(())
    }

    /// Lets the timers expire whose time has come.
    pub(super) fn expire(&mut self) {
        let now = self.moment.now;
        let mut index = 0;
        while let Some(&file) = self.armed.get(index) {
            let Ok(timer) = self.timer(file) else { break };
            let Some(expiry) = timer.expiry.filter(|&expiry| expiry <= now) else {
                index += 1;
                continue;
            };
            match timer.interval {
                0 => {
                    timer.expiry = None;
                    timer.ticks += 1;
                    self.armed.remove(index);
                }
                interval => {
                    let ticks = 1 + (now - expiry) / interval;
                    timer.ticks += ticks;
                    timer.expiry = Some(expiry.saturating_add(ticks.saturating_mul(interval)));
                    index += 1;
                }
            }
            self.wake(file, libc::EPOLLIN as u32);
        }
    }

    /// Which signals a `signalfd` takes.
    pub fn set_signals(&mut self, file: FileId, taken: Set) -> Result<(), Errno> {
        let Object::Signals(set) = &mut self.of_mut(file).object else { return Err(libc::EINVAL) };
        *set = taken;
        self.change(file, 0);
        Ok(())
    }

    /// When the file may become ready by itself.
    pub fn expiry(&self, file: FileId) -> Option<u64> {
        match self.object(file) {
            Object::Timer(timer) => timer.expiry,
            Object::Epoll(epoll) => {
                epoll.items().filter(|item| item.is_enabled()).filter_map(|item| self.expiry(item.file)).min()
            }
            _ => None,
        }
    }
}
