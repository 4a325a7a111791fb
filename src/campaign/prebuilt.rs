//! What prebuilt code in a target means for its exploration.

use anyhow::{Result, ensure};

use crate::model::settings::Engine;
use crate::model::verdict::Verdict;
use crate::target::prebuilt::Prebuilt;

/// Whether there are `thread_local` variables that fibers would share.
#[must_use]
pub fn needs_threads(prebuilt: &[Prebuilt]) -> bool {
    prebuilt.iter().any(|found| found.thread_locals.is_some())
}

/// The engine for a target with this code, which is the one that is asked for if that is possible.
///
/// # Errors
/// It is not, and it `is_given`.
pub fn engine(asked: Engine, is_given: bool, prebuilt: &[Prebuilt]) -> Result<Engine> {
    if asked != Engine::Fibers || !needs_threads(prebuilt) {
        return Ok(asked);
    }
    ensure!(
        !is_given,
        "the engine fibers cannot execute this program: {}; use `--engine threads`, or name the sources of that code in place of it",
        shared(prebuilt)
    );
    Ok(Engine::Threads)
}

/// Which variables would be shared.
fn shared(prebuilt: &[Prebuilt]) -> String {
    let each = prebuilt.iter().filter(|found| found.thread_locals.is_some());
    let each = each.map(|found| format!("{}{}", found.name(), found.variables())).collect::<Vec<_>>();
    format!("prebuilt code has thread_local variables, which fibers would share: {}", each.join(", "))
}

/// The names of what holds threads or atomic operations that nobody sees.
fn unseen(prebuilt: &[Prebuilt]) -> Option<String> {
    let names: Vec<String> = prebuilt.iter().filter(|found| found.is_unseen()).map(Prebuilt::name).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Lines for people: which engine was used and why, and what is not seen.
#[must_use]
pub fn notices(asked: Engine, used: Engine, prebuilt: &[Prebuilt]) -> Vec<String> {
    let mut lines = Vec::new();
    if asked != used {
        lines.push(format!("note: {}; so the engine `threads` was used", shared(prebuilt)));
    }
    if let Some(names) = unseen(prebuilt) {
        lines.push(format!(
            "note: prebuilt code with threads or atomic operations of its own: {names}; atomic operations and plain \
             accesses there are no scheduling points, and races there are not seen"
        ));
    }
    lines
}

/// What is said with a finding that prebuilt code may have made up.
#[must_use]
pub fn doubt(verdict: Verdict, prebuilt: &[Prebuilt]) -> Option<String> {
    let names = unseen(prebuilt)?;
    let why = match verdict {
        Verdict::DataRace => format!(
            "nobody sees atomic operations in prebuilt code, so if one in {names} orders the two accesses, this is no race"
        ),
        Verdict::Hang => format!(
            "atomic operations in prebuilt code are no scheduling points, so if the thread waits for another one in a loop in \
             {names}, this is no hang"
        ),
        _ => return None,
    };
    Some(format!("\nnote: {why}; name its sources, and it is seen\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fibers_give_way_to_threads_unless_they_are_asked_for() {
        let plain = Prebuilt { path: "lib/libplain.so".into(), has_atomics: true, ..Prebuilt::default() };
        let names = vec!["calls".to_owned()];
        let local = Prebuilt { path: "lib/liblocal.so".into(), thread_locals: Some(names), ..Prebuilt::default() };
        let all = [plain.clone(), local];
        assert_eq!(engine(Engine::Fibers, true, &[plain]).expect("possible"), Engine::Fibers);
        assert_eq!(engine(Engine::Threads, true, &all).expect("possible"), Engine::Threads);
        assert_eq!(engine(Engine::Fibers, false, &all).expect("possible"), Engine::Threads);
        let why = engine(Engine::Fibers, true, &all).expect_err("shared").to_string();
        assert!(why.contains("liblocal.so (`calls`)") && why.contains("`--engine threads`"), "{why}");
        assert!(!why.contains("libplain.so"), "{why}");
    }

    #[test]
    fn only_races_and_hangs_are_doubted_and_only_where_something_is_not_seen() {
        let unseen = Prebuilt { path: "libplain.so".into(), has_atomics: true, ..Prebuilt::default() };
        let all = std::slice::from_ref(&unseen);
        assert!(doubt(Verdict::DataRace, all).is_some_and(|doubt| doubt.contains("libplain.so")));
        assert!(doubt(Verdict::Hang, all).is_some_and(|doubt| doubt.contains("libplain.so")));
        assert_eq!(doubt(Verdict::Deadlock, all), None);
        assert_eq!(doubt(Verdict::DataRace, &[Prebuilt { has_atomics: false, ..unseen }]), None);
    }
}
