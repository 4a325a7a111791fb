//! A program under check: loaded once, and its `main` executed as often as is asked.

use std::io;
use std::path::Path;

use anyhow::{Result, ensure};

use super::{Control, Limits, Mode, Session};
use crate::control::active::Active;
use crate::control::controller::Budget;
use crate::control::image::Image;
use crate::control::{hooks, order, sanitizer};
use crate::model::execution::{Ending, Execution, Exit, Step};
use crate::model::settings::Sanitizer;
use crate::process::{self, Printed, Streams};

impl Session {
    /// Loads the shared object that `threadbare check` made of a program's sources; `arguments` are those of its `main`.
    /// From then on that is what is executed, for as long as the process lives.
    ///
    /// # Errors
    /// The object cannot be loaded; the error names the symbol that is missing.
    pub fn load_image(&mut self, path: &Path, arguments: &[String]) -> Result<()> {
        let image = Image::load(path, arguments)?;
        hooks::set_origin(image.origin());
        hooks::look_at(path);
        if sanitizer::loaded() == Sanitizer::None {
            process::tell_faults_of(path, &image.memory());
        }
        let place = match &self.control {
            Control::Controlled(active) => {
                active.ask(|controller| {
                    controller.lies_still(image.memory());
                    for place in [order::total_order(), order::woken()] {
                        controller.lies_still(place..place + size_of::<u64>());
                    }
                });
                &active.image
            }
            Control::Free(_) => &self.free_image,
        };
        ensure!(place.set(image).is_ok(), "this process has loaded a program already");
        Ok(())
    }

    /// From the next execution on, the loaded program's `main` gets these arguments.
    ///
    /// # Errors
    /// One has a zero byte in it.
    ///
    /// # Panics
    /// If no program is loaded.
    pub fn set_arguments(&mut self, arguments: &[String]) -> Result<()> {
        let image = match &self.control {
            Control::Controlled(active) => &active.image,
            Control::Free(_) => &self.free_image,
        };
        image.get().expect("a program is loaded before its arguments change").set_arguments(arguments)
    }

    /// Executes the loaded program's `main` once, with its variables as they are at the start of a process.
    /// `expected_points` is what strategies plan with.
    ///
    /// # Panics
    /// As [`Session::execute`].
    pub fn execute_image(
        &mut self,
        number: u64,
        mode: Mode<'_>,
        budget: impl Into<Budget>,
        expected_points: u64,
    ) -> &Execution {
        let limits = Limits { budget: budget.into(), expected_points, events: 0 };
        self.run_image(number, mode, limits);
        self.tell_of_races(number, |session, number, mode| session.run_image(number, mode, limits));
        &self.execution
    }

    /// From now on what the program prints is kept; what goes to standard error only if that is wanted.
    ///
    /// # Errors
    /// As [`Streams::keep`].
    pub fn keep_output(&mut self, with_errors: bool) -> io::Result<()> {
        self.streams = Some(Streams::keep(with_errors)?);
        Ok(())
    }

    /// What the last execution printed, as far as it is kept.
    pub fn printed(&mut self) -> Printed {
        self.streams.as_mut().map(Streams::since).unwrap_or_default()
    }

    pub(super) fn run_image(&mut self, number: u64, mode: Mode<'_>, limits: Limits) {
        if let Some(streams) = &mut self.streams {
            streams.begin();
        }
        if let Some(image) = self.free_image.take() {
            image.put_back();
            let mut status = 0;
            self.run(number, mode, limits, |_| status = image.start());
            self.execution.ending = Ending::Exited(Exit::Status(status));
            let _ = self.free_image.set(image);
        } else if let Control::Controlled(active) = &self.control {
            let active: &'static Active = active;
            active.renew_image();
            self.run(number, mode, limits, |_| {
                let image = active.image.get().expect("a program is loaded before it is executed");
                let status = image.start();
                active.exit_when_main_ends(active.prepare_exit(status));
            });
        }
    }

    /// As [`Session::execute_image`], and gives every step.
    pub fn log_image(&mut self, number: u64, mode: Mode<'_>, budget: impl Into<Budget>) -> (&Execution, Vec<Step>) {
        let budget: Budget = budget.into();
        let limits = Limits { budget, expected_points: budget.points, events: 0 };
        let active = match &self.control {
            Control::Controlled(active) => Some(*active),
            Control::Free(_) => None,
        };
        active.inspect(|active| active.begin_log(self.steps_file.as_deref(), None));
        self.run_image(number, mode, limits);
        let steps = active.map(Active::end_log).unwrap_or_default();
        self.tell_of_races(number, |session, number, mode| session.run_image(number, mode, limits));
        (&self.execution, steps)
    }
}
