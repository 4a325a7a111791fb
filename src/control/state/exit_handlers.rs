//! What the target registered to run at exit.

use std::cell::RefCell;
use std::ffi::c_void;

use crate::control::sanitizer::Unwatched;

/// A function that runs at exit.
#[derive(Clone, Copy)]
pub struct ExitHandler {
    pub function: unsafe extern "C-unwind" fn(*mut c_void),
    pub argument: *mut c_void,
}

/// Functions that run at exit, the last one registered first.
#[derive(Default)]
pub struct ExitHandlers(RefCell<Vec<ExitHandler>>);

impl ExitHandlers {
    pub fn add(&self, handler: ExitHandler) {
        let _unwatched = Unwatched::begin();
        self.0.borrow_mut().push(handler);
    }

    /// Runs them, and those that they register.
    pub fn run(&self) {
        while let Some(handler) = self.take() {
            // SAFETY: registered for this argument, and called once.
            unsafe { (handler.function)(handler.argument) };
        }
    }

    fn take(&self) -> Option<ExitHandler> {
        self.0.borrow_mut().pop()
    }

    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}
