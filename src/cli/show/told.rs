//! The formats of `threadbare show` that execute the case once more, to tell each of its steps.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Flags, Format};
use crate::campaign::account::Account;
use crate::campaign::explain::{self, Reasons};
use crate::campaign::interrupt;
use crate::campaign::laboratory::Laboratory;
use crate::campaign::minimise::minimise;
use crate::campaign::replay::Seen;
use crate::case::{Case, Workload};
use crate::cli::opened::Opened;
use crate::cli::world::World;
use crate::input::Input;
use crate::model::settings::Engine;
use crate::model::verdict::Verdict;
use crate::protocol::steps::MAX_STEPS;
use crate::report::page::{self, Sources, Told};
use crate::report::progress::ProgressLine;
use crate::report::trace_events;
use crate::terminal;

pub(super) fn shown(flags: &Flags, world: &World) -> Result<String> {
    ensure!(
        Input::read(&flags.case)?.is_none(),
        "{}: an input of a fuzz target has no schedule; `threadbare fuzz` makes a case of what it finds",
        flags.case.display()
    );
    interrupt::listen()?;
    let line = ProgressLine::new();
    let workshop = world.workshop()?;
    let Opened { case, mut laboratory } = flags.trusted.open(&flags.case, world, &workshop, &line)?;
    ensure!(
        case.settings.engine != Engine::Free && case.schedule.is_some(),
        "{}: recorded without control, so there are no steps to show; `threadbare show` tells what the case holds",
        flags.case.display()
    );
    let ended = laboratory.replay(&case)?;
    let seen = Seen::of(&ended);
    let account = Account::of(&mut laboratory, &ended, &case.report);
    let reasons = match flags.budget.0.filter(|_| seen.shows(&case)) {
        Some(budget) => reasons(&mut laboratory, &case, budget, &line)?,
        None => None,
    };
    drop(line);
    let mut notices = Vec::new();
    if !seen.shows(&case) {
        notices.push(format!("Replayed, this case {seen}: what follows is that execution, not the one of the report."));
    }
    if account.steps.len() == MAX_STEPS {
        notices.push(format!("Only the first {MAX_STEPS} steps are shown."));
    }
    notices.iter().for_each(|notice| terminal::complain(format_args!("note: {notice}")));
    let name = flags.case.display().to_string();
    let mut roots = vec![PathBuf::from("."), workshop.tree().to_owned()];
    roots.extend(workshop.root().map(PathBuf::from));
    if let Workload::Check(check) = &case.workload {
        // They were compiled, so they were trusted.
        roots.extend(check.sources.iter().filter_map(|source| Some(check.directory.join(source).parent()?.to_owned())));
    }
    let told = Told {
        case: &case,
        name: &name,
        account: reasons.as_ref().map_or(&account, |reasons| &reasons.account),
        reasons: reasons.as_ref(),
        notice: notices.join(" "),
        sources: Sources::below(roots),
    };
    Ok(match flags.format {
        Format::Perfetto => format!("{}\n", trace_events::json(&told)),
        _ => page::html(told),
    })
}

/// Why a case fails that does what it did; unknown if each look would have to be ended from outside.
fn reasons(laboratory: &mut Laboratory, case: &Case, budget: Duration, line: &ProgressLine) -> Result<Option<Reasons>> {
    if matches!(case.verdict, Verdict::Clean | Verdict::Hang) {
        return Ok(None);
    }
    let deadline = Instant::now() + budget;
    // As it is: what is shown is the case that was named.
    let same = minimise(laboratory, case, Some(Duration::ZERO), |_| {})?;
    explain::reasons(laboratory, &same, Some(deadline), |sampled| line.sampling(sampled)).map(Some)
}
