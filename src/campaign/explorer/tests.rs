//! Drives the explorer with workers that are scripts, so that nothing is compiled and every ending can be had.

use std::collections::BTreeMap;

use anyhow::bail;
use tempfile::TempDir;

use super::*;
use crate::campaign::findings::Confirmation;
use crate::campaign::plan::Cut;
use crate::campaign::supervisor::fake::{Worker, failed};
use crate::case::Workload;
use crate::model::settings::Sanitizer;
use crate::model::verdict::Verdict;

/// Says which executions the worker was to make, and of which kind its job is.
const READ_JOB: &str = r#"
number() { sed "s/.*\"$1\":\([0-9]*\).*/\1/" $dir/job.json; }
if grep -q '"explore"' $dir/job.json; then kind=explore; echo "$(number first)+$(number count)" >> $here/slices
else kind=replay; fi
"#;

fn worker(commands: &str) -> Worker {
    Worker::new(&format!("{READ_JOB}\n{commands}"))
}

/// A campaign of 20 executions of a program.
fn campaign(findings: &TempDir) -> Campaign {
    Campaign { findings: findings.path().to_owned(), ..sample::of_program() }
}

fn explored(campaign: &Campaign, search: Box<dyn Search>, worker: &Worker) -> Result<Summary> {
    let mut targets = Targets::ready(BTreeMap::from([(Sanitizer::None, worker.target())]));
    campaign.explore(search, &mut targets, |_| {}).map(|(summary, _)| summary)
}

fn ran(campaign: &Campaign, worker: &Worker) -> Result<Summary> {
    explored(campaign, search::of(campaign)?, worker)
}

#[test]
fn what_a_worker_does_not_get_to_is_handed_out_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let worker = worker("sed s/7777/8/ $here/some.json > $dir/outcome.json");
    worker.keep("some", &Outcome { executions: 7777, ..Outcome::default() });
    let campaign = Campaign { executions: Some(24), ..campaign(&directory) };
    let summary = ran(&campaign, &worker).expect("it ends");
    assert_eq!(summary.executions, 24);
    assert_eq!(worker.read("slices"), "0+24\n8+16\n16+8\n");
    assert!(summary.failure.is_none() && !summary.interrupted);
}

#[test]
fn a_finding_is_kept_and_confirmed_in_a_worker_of_its_own() {
    let directory = tempfile::tempdir().expect("a directory");
    let worker = worker("cp $here/$kind.json $dir/outcome.json");
    worker.keep("explore", &failed(19, Verdict::Deadlock));
    worker.keep("replay", &failed(0, Verdict::Deadlock));
    let summary = ran(&campaign(&directory), &worker).expect("it ends");
    let [finding] = &summary.findings[..] else { panic!("{} findings", summary.findings.len()) };
    assert_eq!((finding.origin.execution, &finding.confirmation), (19, &Confirmation::Confirmed));
    assert_eq!((summary.executions, summary.cells[0].findings), (20, 1));
    assert!(finding.path.is_file());
}

#[test]
fn a_finding_that_does_not_show_again_says_what_it_did_instead() {
    let directory = tempfile::tempdir().expect("a directory");
    let worker = worker("cp $here/$kind.json $dir/outcome.json");
    worker.keep("explore", &failed(19, Verdict::Deadlock));
    worker.keep("replay", &Outcome { executions: 1, ..Outcome::default() });
    let summary = ran(&campaign(&directory), &worker).expect("it ends");
    assert_eq!(summary.findings[0].confirmation, Confirmation::Unconfirmed("was clean".to_owned()));
}

#[test]
fn a_worker_that_dies_is_a_finding_and_the_next_one_goes_on_after_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let worker = worker(
        "if [ $kind = explore ] && [ $(number first) = 0 ]; then kill -ABRT $$; fi\ncp $here/some.json $dir/outcome.json",
    );
    worker.keep("some", &Outcome { executions: 19, ..Outcome::default() });
    let summary = ran(&campaign(&directory), &worker).expect("it ends");
    assert_eq!(worker.read("slices"), "0+20\n1+19\n");
    assert_eq!(summary.findings[0].failure.verdict, Verdict::Abort);
    assert_eq!(summary.executions, 20);
}

#[test]
fn the_first_finding_ends_a_campaign_that_is_to_stop_at_it_once_it_is_confirmed() {
    let directory = tempfile::tempdir().expect("a directory");
    let worker = worker("cp $here/$kind.json $dir/outcome.json");
    worker.keep("explore", &failed(2, Verdict::Deadlock));
    worker.keep("replay", &failed(0, Verdict::Deadlock));
    let campaign = Campaign { stop_at_first: true, executions: None, ..campaign(&directory) };
    let summary = ran(&campaign, &worker).expect("it ends");
    assert_eq!((summary.executions, summary.findings.len()), (3, 1));
    assert_eq!(summary.findings[0].confirmation, Confirmation::Confirmed);
}

#[test]
fn what_is_not_emulated_ends_the_campaign_with_what_it_has() {
    let directory = tempfile::tempdir().expect("a directory");
    let worker = worker("cp $here/$kind.json $dir/outcome.json");
    let refused = Some("the program calls `fork`".to_owned());
    worker.keep("explore", &Outcome { executions: 3, refused, ..Outcome::default() });
    let summary = ran(&campaign(&directory), &worker).expect("it ends");
    assert_eq!(summary.executions, 3);
    assert!(summary.failure.is_some_and(|error| error.to_string().contains("`fork`")));
}

#[test]
fn a_program_whose_schedules_were_all_tried_is_explored_no_more() {
    let directory = tempfile::tempdir().expect("a directory");
    let worker = worker("cp $here/$kind.json $dir/outcome.json");
    worker.keep("explore", &Outcome { executions: 5, search_ended: true, ..Outcome::default() });
    let summary = ran(&Campaign { executions: None, ..campaign(&directory) }, &worker).expect("it ends");
    assert!(summary.cells[0].search_ended);
    assert_eq!(summary.executions, 5);
}

#[test]
fn no_slice_begins_when_the_time_is_up() {
    let directory = tempfile::tempdir().expect("a directory");
    let worker = worker("sleep 0.05; cp $here/$kind.json $dir/outcome.json");
    worker.keep("explore", &Outcome { executions: 1, ..Outcome::default() });
    let budget = Duration::from_millis(200);
    let campaign = Campaign { executions: None, budget: Some(budget), ..campaign(&directory) };
    let summary = ran(&campaign, &worker).expect("it ends");
    assert!((1..5).contains(&summary.executions), "{} executions", summary.executions);
}

/// A search that has one slice and cannot go on after it.
struct Broken;

impl Search for Broken {
    fn cut(&self) -> Cut {
        Cut::Program { slice: 10 }
    }

    fn work(&mut self, share: &Share, _findings: &Findings) -> Work {
        let program = search::of(&sample::of_program()).expect("a search").work(share, _findings);
        assert_eq!(share.first, 0, "no other slice begins");
        program
    }

    fn ended(&mut self, _share: &Share, _ended: &mut Ended) -> Result<()> {
        bail!("there is no room")
    }

    fn failed(&self, _found: &mut Found, _cell: &Cell) -> (Workload, u64) {
        unreachable!("nothing fails")
    }

    fn task_graphs(&self, _cells: &[Cell]) -> u64 {
        0
    }
}

#[test]
fn a_search_that_cannot_go_on_ends_the_campaign_with_what_was_counted() {
    let directory = tempfile::tempdir().expect("a directory");
    let worker = worker("cp $here/$kind.json $dir/outcome.json");
    worker.keep("explore", &Outcome { executions: 10, ..Outcome::default() });
    let summary = explored(&campaign(&directory), Box::new(Broken), &worker).expect("it ends");
    assert_eq!(summary.executions, 10);
    assert!(summary.failure.is_some_and(|error| error.to_string() == "there is no room"));
}
