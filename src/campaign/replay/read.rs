//! Reads what is to be replayed, and tells what cannot be.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::{Conclusion, Plan, Refused, Replayed};
use crate::campaign::paths::cases_below;
use crate::case::{Case, Workload};
use crate::input::Input;
use crate::model::settings::{Engine, Sanitizer, Settings};
use crate::target::{Target, Workshop};

impl Plan {
    /// Reads every case below the paths; `fall_back` gives the engine for one that was recorded with another.
    ///
    /// # Errors
    /// A path cannot be read, or there is no case below any.
    pub fn read(
        &self,
        workshop: &Workshop,
        fall_back: impl Fn(Engine) -> Engine,
    ) -> Result<(Vec<Replayed>, Vec<Refused>)> {
        let (mut cases, mut refused) = (Vec::new(), Vec::new());
        for path in cases_below(&self.paths)? {
            match self.read_one(&path, workshop, &fall_back) {
                Ok(case) => cases.push(case),
                Err(error) => refused.push(Refused { path, why: format!("{error:#}") }),
            }
        }
        Ok((cases, refused))
    }

    fn read_one(&self, path: &Path, workshop: &Workshop, fall_back: impl Fn(Engine) -> Engine) -> Result<Replayed> {
        let named = || path.display().to_string();
        let (mut case, input) = match Input::read(path)? {
            Some(input) => {
                let encoded = input.encode();
                (input.into_case(self.bug.clone(), Sanitizer::None).0, Some(encoded))
            }
            None => (Case::read(path)?, None),
        };
        let is_check = matches!(case.workload, Workload::Check(_));
        ensure!(case.schedule.is_some() || !is_check, "{}: a check without a schedule cannot be replayed", named());
        let is_trusted = self.trusts_named && self.paths.iter().any(|named| named == path);
        let sources_changed = find_sources(&mut case, path, workshop.root())?;
        if let Workload::Check(check) = &case.workload
            && !is_trusted
            && let Some(what) = self.trust.outside(check).with_context(named)?
        {
            bail!(
                "{}: {what} reaches outside of the project, so it is not built; if you trust whoever wrote the case, replay it by \
                 name with `threadbare replay --trust {}`",
                named(),
                named()
            );
        }
        let target = target_of(&case, workshop).with_context(named)?;
        let mut settings = case.settings.clone();
        settings.engine = self.engine.unwrap_or_else(|| fall_back(settings.engine));
        settings.sanitizer = self.sanitizer.unwrap_or(settings.sanitizer);
        let (seen, conclusion, seconds) = (Vec::new(), Conclusion::AsExpected, 0.0);
        let path = path.to_owned();
        Ok(Replayed { path, case, input, settings, target, sources_changed, seen, conclusion, seconds })
    }
}

/// What is built for a case.
fn target_of(case: &Case, workshop: &Workshop) -> Result<Target> {
    match &case.workload {
        Workload::Check(check) => check.target(),
        Workload::TaskGraph(_) => {
            let Settings { runtime, bug, races, .. } = &case.settings;
            let next = "replay the case with the threadbare that recorded it, or correct its";
            ensure!(
                workshop.runtimes().any(|known| known == runtime),
                "no runtime `{runtime}`; {next} `runtime` line: there is {}",
                workshop.runtimes().collect::<Vec<_>>().join(", ")
            );
            let target = workshop.runtime(runtime, bug.as_deref()).map(|target| target.judged(*races));
            target.with_context(|| {
                format!(
                    "no bug `{}`; {next} `bug` line; `threadbare targets` lists them",
                    bug.as_deref().unwrap_or_default()
                )
            })
        }
    }
}

/// Makes a check name sources that are there, and says whether they changed since it was recorded.
fn find_sources(case: &mut Case, path: &Path, root: Option<&Path>) -> Result<bool> {
    let Workload::Check(check) = &mut case.workload else {
        return Ok(false);
    };
    let beside = path.parent().unwrap_or(Path::new(""));
    *check = check.located(beside, root).with_context(|| path.display().to_string())?;
    check.has_changed()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::check::Check;
    use crate::model::verdict::Verdict;
    use crate::target::Points;

    fn settings() -> Settings {
        Settings::sample()
    }

    #[test]
    fn a_check_is_replayed_with_the_sources_that_lie_beside_its_case() {
        let root = tempfile::tempdir().expect("a directory");
        let source = root.path().join("lost_update.c");
        fs::write(&source, "int main(void) { return 0; }\n").expect("written");
        let check = |recorded| Check {
            directory: PathBuf::new(),
            sources: vec!["lost_update.c".into()],
            flags: Vec::new(),
            arguments: Vec::new(),
            points: Points::Sync,
            injections: Vec::new(),
            test: None,
            recorded,
        };
        let of = |check: Check| Case {
            settings: settings(),
            workload: check.into(),
            schedule: None,
            verdict: Verdict::ExitStatus,
            oracle: None,
            fingerprint: String::new(),
            report: String::new(),
        };
        let path = root.path().join("a.case");
        let digest = check(None).located(root.path(), None).and_then(|check| check.digest()).expect("readable");
        let mut same = of(check(Some(digest.clone())));
        assert!(!find_sources(&mut same, &path, None).expect("found"));
        let found = Check { sources: vec![source.clone()], ..check(Some(digest)) };
        assert_eq!(same.workload, found.into());
        assert!(
            find_sources(&mut of(check(Some("0".repeat(16)))), &path, None).expect("found"),
            "the digest is another"
        );
        fs::remove_file(source).expect("removed");
        let error = format!("{:#}", find_sources(&mut of(check(None)), &path, None).expect_err("gone"));
        assert!(error.contains("a.case: no source lost_update.c"), "{error}");
    }
}
