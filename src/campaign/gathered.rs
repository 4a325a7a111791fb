//! The findings that lie in directories, one for each bug.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::decisive;
use super::paths::files_below;
use crate::case::{Case, Workload};
use crate::evidence::interleaving::read::{self, Told};
use crate::model::verdict::Verdict;
use crate::oracle::sanitizer::Line;

/// What was read.
#[derive(Default)]
pub struct Gathered {
    /// By target and fingerprint.
    pub bugs: Vec<Bug>,
    /// Cases that did not fail.
    pub clean: usize,
    /// Files that are no cases, and why.
    pub unread: Vec<(PathBuf, String)>,
}

/// Cases of one target with one fingerprint.
pub struct Bug {
    /// The one that takes the fewest scheduling points.
    pub case: Case,
    pub path: PathBuf,
    /// All of them.
    pub paths: Vec<PathBuf>,
}

impl Gathered {
    /// Reads every case below the paths.
    ///
    /// # Errors
    /// A path cannot be read, or there is no case below any.
    pub fn below(paths: &[PathBuf]) -> Result<Self> {
        let is_case = |path: &Path| path.extension().is_some_and(|extension| extension == "case");
        let named = || paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        let files = files_below(paths, is_case)?;
        ensure!(!files.is_empty(), "nothing to report: no *.case in {}; name a directory of findings", named());
        let mut gathered = Self::default();
        let mut bugs: BTreeMap<(String, String), Bug> = BTreeMap::new();
        for path in files {
            match Case::read(&path).with_context(|| format!("{} is left out", path.display())) {
                Ok(case) if case.verdict == Verdict::Clean => gathered.clean += 1,
                Ok(case) => add(&mut bugs, path, case),
                Err(error) => gathered.unread.push((path, format!("{error:#}"))),
            }
        }
        gathered.bugs = bugs.into_values().collect();
        Ok(gathered)
    }
}

fn target_of(case: &Case) -> String {
    match &case.workload {
        Workload::Check(check) => {
            check.sources.iter().map(|source| source.display().to_string()).collect::<Vec<_>>().join(" ")
        }
        Workload::TaskGraph(_) => {
            format!("{} {}", case.settings.runtime, case.settings.bug.as_deref().unwrap_or_default())
        }
    }
}

fn add(bugs: &mut BTreeMap<(String, String), Bug>, path: PathBuf, case: Case) {
    let target = target_of(&case);
    let size = |case: &Case| case.schedule.as_ref().map_or(u64::MAX, |schedule| schedule.points());
    match bugs.get_mut(&(target.clone(), case.fingerprint.clone())) {
        Some(bug) => {
            bug.paths.push(path.clone());
            if size(&case) < size(&bug.case) {
                (bug.case, bug.path) = (case, path);
            }
        }
        None => {
            let bug = Bug { paths: vec![path.clone()], path, case };
            bugs.insert((target, bug.case.fingerprint.clone()), bug);
        }
    }
}

impl Gathered {
    /// Bugs of one target that may be the same, by where their cases are decided: the place, and indices of them.
    #[must_use]
    pub fn related(&self) -> Vec<(String, Vec<usize>)> {
        let mut of_target: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, bug) in self.bugs.iter().enumerate() {
            of_target.entry(target_of(&bug.case)).or_default().push(index);
        }
        let mut related = Vec::new();
        for indices in of_target.values() {
            let places: Vec<_> = indices.iter().map(|index| decisive::read(&self.bugs[*index].case.report)).collect();
            let shared = decisive::shared(&places).into_iter();
            related.extend(shared.map(|(place, members)| (place, members.iter().map(|at| indices[*at]).collect())));
        }
        related
    }
}

impl Bug {
    /// The failure in a line.
    #[must_use]
    pub fn failure(&self) -> &str {
        let mut lines = self.case.report.lines().skip_while(|line| line.starts_with("unconfirmed: "));
        lines.next().unwrap_or_default()
    }

    /// Where it shows: what the report names, else the marked step, else the last one that has a place.
    #[must_use]
    pub fn line(&self) -> Option<Line> {
        let told = || {
            let told = self.interleaving();
            let marked = told.iter().find(|told| told.mark.is_some() && told.place.is_some());
            let (file, number) = marked.or_else(|| told.iter().rfind(|told| told.place.is_some()))?.place.clone()?;
            Some(Line { file, number })
        };
        Line::named_in(self.failure()).or_else(|| Line::named_in(&self.case.report)).or_else(told)
    }

    /// The interleaving in its report, if there is one.
    #[must_use]
    pub fn interleaving(&self) -> Vec<Told> {
        read::told(&self.case.report)
    }
}

#[cfg(test)]
pub mod sample {
    use super::*;
    use crate::check::Check;
    use crate::model::settings::Settings;

    const REPORT: &str = "data-race: ThreadSanitizer: data race in `take` <b>\n\ninterleaving: 3 steps, 2 switches, main is thread 0\n\
                          \x20   0  thread 0 │ src/a.c:7 main: writes count (0 → 1)\n\
                          \x20   1 ▸    thread 1 │ src/a.c:9 take: reads count (1)  ◀ one access of the race\n\
                          \x20   2 ▸thread 0 │ src/a.c:8 main: joins\n  end  data-race: it\n";

    pub fn case(fingerprint: &str) -> Case {
        let check = Check::sample("src/a.c");
        Case {
            settings: Settings { runtime: crate::check::RUNTIME.to_owned(), threads: 1, ..Settings::sample() },
            workload: check.into(),
            schedule: None,
            verdict: Verdict::DataRace,
            oracle: None,
            fingerprint: fingerprint.to_owned(),
            report: REPORT.to_owned(),
        }
    }

    /// A bug that was found twice, and a file that is no case.
    pub fn gathered() -> Gathered {
        let mut bugs = BTreeMap::new();
        ["findings/a.case", "findings/b.case"]
            .iter()
            .for_each(|path| add(&mut bugs, path.into(), case("0123456789abcdef")));
        let unread = vec![("findings/c.case".into(), "findings/c.case: cut off".to_owned())];
        Gathered { bugs: bugs.into_values().collect(), clean: 0, unread }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_of_one_target_with_one_fingerprint_are_one_bug_at_the_line_that_is_marked() {
        let gathered = sample::gathered();
        assert_eq!(gathered.bugs.len(), 1);
        let bug = &gathered.bugs[0];
        assert_eq!((bug.paths.len(), bug.interleaving().len()), (2, 3));
        assert_eq!(bug.line(), Some(Line { file: "src/a.c".to_owned(), number: 9 }));
        let mut bugs = BTreeMap::new();
        add(&mut bugs, "a.case".into(), sample::case("1"));
        add(&mut bugs, "b.case".into(), sample::case("2"));
        assert_eq!(bugs.len(), 2);
    }
}
