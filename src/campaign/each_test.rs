//! The tests of a program, each of which is explored as a target of its own: the same object with other arguments.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use object::{Object, ObjectSymbol};

use super::explorer::Campaign;
use super::job::{Job, Program, Work};
use super::search::Searched;
use super::supervisor::Supervisor;
use crate::check::Check;
use crate::check::framework::{Framework, Listed, Test};
use crate::model::settings::{MemoryModel, Races, Settings};
use crate::target::{self, Built, Workshop};

/// Asks a program for its tests, with its own arguments besides; `wanted` is its framework, if somebody said so. `campaign`
/// is how the program as a whole would be explored.
///
/// # Errors
/// It does not compile, has no framework that is known, or lists nothing.
pub fn list(
    campaign: &Campaign,
    wanted: Option<Framework>,
    workshop: &Workshop,
    observe: impl FnMut(&target::Progress) -> bool,
) -> Result<(Framework, Listed)> {
    let Searched::Program { check, .. } = &campaign.searched else { bail!("a runtime has no tests") };
    let target = check.target()?;
    // All of them, so that the tests share time in which nothing is built.
    let builds = campaign.sanitizers.iter().map(|sanitizer| (target.clone(), *sanitizer));
    let builds = workshop.build_all(builds, observe)?;
    let built = builds.of(&target, campaign.sanitizers[0])?;
    let framework = match wanted {
        Some(framework) => framework,
        None => framework_of(built)?.with_context(|| {
            let known = Framework::ALL.map(Framework::word).join(", ");
            format!("{}: no framework of tests was found in it; name one of {known} with `--each-test`", target.name)
        })?,
    };
    let printed = printed(campaign, check, framework, built)?;
    let listed = framework.listed(&printed);
    ensure!(
        !listed.tests.is_empty(),
        "{}: asked for its tests as a program of {framework} is, it named none that is enabled; its `main` must pass its \
         arguments on, and the framework may be another one: name it with `--each-test`",
        target.name
    );
    Ok((framework, listed))
}

/// The check of one test.
#[must_use]
pub fn of(check: &Check, framework: Framework, name: &str) -> Check {
    let mut arguments = check.arguments.clone();
    arguments.extend(framework.run_arguments(name));
    let test = Some(Test { framework, name: name.to_owned() });
    Check { arguments, test, ..check.clone() }
}

/// The framework whose functions a program has.
fn framework_of(built: &Built) -> Result<Option<Framework>> {
    let bytes = fs::read(&built.object).with_context(|| format!("cannot read {}", built.object.display()))?;
    let file = object::File::parse(&*bytes).with_context(|| format!("cannot read {}", built.object.display()))?;
    let symbols = file.symbols().chain(file.dynamic_symbols());
    Ok(Framework::of_symbols(symbols.filter_map(|symbol| symbol.name().ok())))
}

/// What the program prints if it is asked for a list.
fn printed(campaign: &Campaign, check: &Check, framework: Framework, built: &Built) -> Result<String> {
    let mut arguments = check.arguments.clone();
    arguments.extend(framework.list_arguments().iter().map(|word| (*word).to_owned()));
    let program = Program { arguments, injections: Vec::new(), framework: None };
    let settings = Settings {
        runtime: campaign.searched.name().to_owned(),
        threads: 1,
        sanitizer: campaign.sanitizers[0],
        engine: campaign.engine,
        strategy: campaign.searched.strategy(),
        seed: campaign.seed,
        memory: MemoryModel::Sc,
        races: Races::Off,
        bug: None,
    };
    let mut supervisor = Supervisor::new(1)?;
    let job = Job { settings, target: built.clone(), work: Work::List(program) };
    let ended = supervisor.run_alone((), job, None)?.context("interrupted before the program named its tests")?;
    if let Some(why) = ended.outcome.refused {
        bail!("the program cannot be asked for its tests: {why}");
    }
    if let Some(failure) = ended.found.as_ref().and_then(|found| found.failures.first()) {
        bail!("asked for its tests, the program ended before it named them: {}", failure.message);
    }
    Ok(ended.outcome.printed)
}
