//! The oracle of files: all that an execution leaves in its directory are locks and their guards.

use super::Wrong;
use super::plan::Plan;
use crate::model::execution::{Aftermath, Ending, Execution};
use crate::model::verdict::{Failure, OracleName, Verdict};

/// What must hold after an execution that came to its end.
pub(super) fn check(plan: &Plan, execution: &Execution) -> Result<(), Wrong> {
    // Where removing a file was made to fail, it is there until the next operation.
    let may_stay = |name: &str| is_expected(plan, name) || plan.removal_may_fail && name.ends_with(".tmp");
    if let Some(name) = execution.files_left.iter().find(|name| !may_stay(name)) {
        return Err(broken(Verdict::Leak, format!("the file {name} was left behind"), "a file was left behind"));
    }
    if execution.ending == Ending::Completed && execution.files_left_open > 0 {
        let message = format!("{} files were left open", execution.files_left_open);
        return Err(broken(Verdict::Leak, message, "a file was left open"));
    }
    Ok(())
}

fn broken(verdict: Verdict, message: String, cause: &str) -> Wrong {
    Box::new(Failure { verdict, oracle: OracleName::Files, message, cause: cause.to_owned() })
}

/// What must hold of the files that a crash left: a lock is whole or not there, and usable. Gives the holders.
pub(super) fn check_aftermath<'a>(plan: &Plan, aftermath: &'a Aftermath) -> Result<&'a [i64], Wrong> {
    let is_lock = |name: &str| is_expected(plan, name) && !name.ends_with(".guard");
    match aftermath.files.iter().find(|(name, content)| is_lock(name) && !is_whole(content)) {
        Some((name, content)) => {
            let message = format!("a crash left the lock {name} with `{}`", String::from_utf8_lossy(content));
            Err(broken(Verdict::TornFile, message, "a crash left a lock that is not whole"))
        }
        None => aftermath.holders.as_deref().map_err(|error| {
            broken(Verdict::TornFile, format!("after a crash: {error}"), "a lease cannot be used after a crash")
        }),
    }
}

/// Whether a lock file has all that it should.
fn is_whole(content: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(content)
        .is_ok_and(|lock| ["agent", "acquired", "refreshed"].iter().all(|field| lock[field].is_number()))
}

/// The names that cpp/adapters/bundled/systems.hpp gives.
fn is_expected(plan: &Plan, name: &str) -> bool {
    let lock = name.strip_suffix(".guard").unwrap_or(name);
    let number = lock.strip_prefix("lease-").and_then(|rest| rest.strip_suffix(".json"));
    number.and_then(|number| number.parse().ok()).is_some_and(|number: u32| number < plan.objects.leases)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::offers::Offers;
    use crate::task_graph::text;

    fn left(injected: &str, names: &[&str]) -> Result<(), Wrong> {
        let graph = format!("task-graph\nobjects\nleases 2\n{injected}\ntask 0 main int\nlease-holder 1\nend");
        let plan = Plan::of(&text::parse(&graph).expect("a valid task graph"), 1, &Offers::default());
        let names = names.iter().map(|&name| name.to_owned()).collect();
        check(&plan, &Execution { files_left: names, ..Execution::completed(vec![]) })
    }

    #[test]
    fn locks_and_guards_may_stay_and_nothing_else() {
        assert_eq!(left("", &["lease-0.json", "lease-1.json.guard"]), Ok(()));
        for name in ["lease-1.json.7.0.tmp", "lease-2.json", "lease-.json", "core"] {
            let failure = left("", &["lease-0.json", name]).expect_err(name);
            assert_eq!((failure.verdict, failure.oracle), (Verdict::Leak, OracleName::Files));
        }
    }

    #[test]
    fn a_crash_leaves_whole_locks_or_none() {
        let plan = |leases| {
            let graph = format!("task-graph\nobjects\nleases {leases}\ntask 0 main int\nlease-holder 0\nend");
            Plan::of(&text::parse(&graph).expect("a valid task graph"), 1, &Offers::default())
        };
        let after = |name: &str, content: &str| {
            let files = vec![(name.to_owned(), content.as_bytes().to_vec())];
            check_aftermath(&plan(1), &Aftermath { files, holders: Ok(vec![]) }).map(<[i64]>::len)
        };
        let whole = r#"{"agent":1,"acquired":2,"refreshed":3}"#;
        assert_eq!(after("lease-0.json", whole), Ok(0));
        assert_eq!(after("lease-0.json.guard", ""), Ok(0));
        assert_eq!(after("lease-0.json.7.0.tmp", &whole[..9]), Ok(0));
        for torn in ["", &whole[..20], "[]"] {
            assert_eq!(after("lease-0.json", torn).expect_err(torn).verdict, Verdict::TornFile);
        }
    }

    #[test]
    fn a_file_that_could_not_be_removed_may_stay() {
        assert_eq!(left("inject eio", &["lease-1.json.7.0.tmp"]), Ok(()));
        assert!(left("inject eio", &["core"]).is_err());
        assert!(left("inject enospc", &["lease-1.json.7.0.tmp"]).is_err());
    }
}
