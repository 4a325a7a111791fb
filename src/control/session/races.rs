//! The races that threadbare's own detector saw in an execution.

use super::{Control, Mode, Session};
use crate::control::active::Active;
use crate::control::order::{self, Told};
use crate::control::race_report::{self, Location};
use crate::control::races::Race;
use crate::control::sanitizer;
use crate::model::execution::Execution;

impl Session {
    /// Prints what is known of the races of the last execution that are no known ones, and counts them among its reports. For
    /// the calls of both accesses it is made once more, since nobody kept those of the earlier one.
    /// `run` makes an execution of what this one was of.
    pub(super) fn tell_of_races(&mut self, number: u64, run: impl FnOnce(&mut Self, u64, Mode<'_>)) {
        let Control::Controlled(active) = &self.control else { return };
        if !self.judges_races {
            return;
        }
        let active: &'static Active = active;
        let is_new = |race: &Race| !sanitizer::is_known(race_report::signature(race));
        let races: Vec<Race> = order::races().into_iter().filter(is_new).collect();
        if races.is_empty() {
            return;
        }
        let watched = races.iter().flat_map(|race| [race.earlier.step, race.later.step]).collect();
        let told = if self.spent { Vec::new() } else { self.watch(number, watched, &races, run) };
        for race in races {
            let is_it = |told: &&Told| (told.race.earlier, told.race.later) == (race.earlier, race.later);
            let told = match told.iter().find(is_it) {
                Some(told) => told,
                None => &Told::without_calls(race.clone()),
            };
            race_report::print(told, &location(active, &race));
            sanitizer::count(race_report::signature(&race));
        }
        self.execution.reports += sanitizer::take_reports();
    }

    /// Makes the last execution once more, and keeps the calls of these accesses in it.
    fn watch(
        &mut self,
        number: u64,
        accesses: Vec<u32>,
        races: &[Race],
        run: impl FnOnce(&mut Self, u64, Mode<'_>),
    ) -> Vec<Told> {
        let schedule = self.schedule();
        let execution = std::mem::replace(&mut self.execution, Execution::completed(Vec::new()));
        let (is_spent, unjudged) = (self.spent, self.unjudged);
        self.watched = accesses;
        run(self, number, Mode::Replay(&schedule));
        let told = order::told(races);
        self.execution = execution;
        (self.spent, self.unjudged) = (is_spent || self.spent, unjudged);
        self.schedule = Some(schedule);
        told
    }
}

fn location(active: &Active, race: &Race) -> Location {
    let threads = 0..active.ask(|controller| controller.thread_count());
    let is_on_stack = |id: &_| active.engine.thread(*id).has_on_stack(race.bytes.start);
    threads.into_iter().find(is_on_stack).map_or(Location::Elsewhere, |id| Location::Stack(id.into()))
}
