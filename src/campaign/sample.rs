//! The summary of a CI run, for the tests of reports: a regression case that passed, one that did not, one that was left
//! out for its sanitizer, and a data race in the second of three cells.

use std::path::{Path, PathBuf};

use crate::campaign::ci::{Explored, Summary};
use crate::campaign::explorer;
use crate::campaign::explorer::sample::{of_program, of_runtime};
use crate::campaign::findings::{Confirmation, Finding, Origin};
use crate::campaign::plan::{Cut, Plan};
use crate::campaign::replay::{Conclusion, Replayed, Seen};
use crate::case::Case;
use crate::model::settings::{Engine, Sanitizer, Settings};
use crate::model::verdict::{Failure, Incomparable, OracleName, Verdict};
use crate::target::bundled;
use crate::task_graph::TaskGraph;

pub fn summary() -> Summary {
    let mut plan =
        Plan::new(&[Sanitizer::None, Sanitizer::Thread], &[1, 2], Cut::Anywhere(Engine::Fibers), None, None, 1);
    plan.cells.pop();
    for cell in &mut plan.cells {
        cell.executions = 10;
    }
    plan.cells[0].incomparable.insert(Incomparable::HistoryTooLong, 3);
    plan.cells[2].findings = 4;
    Summary {
        command: "ci",
        regressions: vec![
            replayed("corpus/right.case", Seen::Failed(vec![failure()]), Conclusion::AsExpected),
            replayed("corpus/gone.case", Seen::Clean, Conclusion::Unexpected),
        ],
        left_out: vec![replayed("corpus/other.case", Seen::Clean, Conclusion::AsExpected)],
        refused: Vec::new(),
        targets: vec![Explored {
            name: "bundled".to_owned(),
            campaign: of_runtime(),
            outcome: Ok(explorer::Summary {
                cells: plan.cells,
                executions: 30,
                task_graphs: 2,
                compared: 0,
                seconds: 1.5,
                engine: Engine::Fibers,
                prebuilt: Vec::new(),
                not_offered: Vec::new(),
                findings: vec![finding()],
                corpus: None,
                interrupted: false,
                begun_again: 0,
                failure: None,
            }),
        }],
        engine: Engine::Fibers,
        seed: 7,
    }
}

/// What came of the runtime.
pub fn fuzz_of(summary: &mut Summary) -> &mut explorer::Summary {
    summary.targets[0].outcome.as_mut().expect("it was explored")
}

/// The same of a project: its runtime, a program with a lost update, and a program that does not compile.
pub fn project() -> Summary {
    let mut summary = summary();
    summary.targets[0].name = "mine".to_owned();
    let mut plan = Plan::new(&[Sanitizer::None], &[1], Cut::Program { slice: 20 }, None, None, 1);
    (plan.cells[0].executions, plan.cells[0].findings) = (20, 1);
    let mut found = finding();
    found.path = "findings/counter.case".into();
    found.settings.runtime = crate::check::RUNTIME.to_owned();
    found.origin = Origin { execution: 4, ..Origin::default() };
    found.failure.message = "failed assertion at src/counter.c:9".to_owned();
    let found = explorer::Summary {
        cells: plan.cells,
        executions: 20,
        task_graphs: 0,
        compared: 0,
        seconds: 0.5,
        engine: Engine::Fibers,
        prebuilt: Vec::new(),
        not_offered: Vec::new(),
        findings: vec![found],
        corpus: None,
        interrupted: false,
        begun_again: 0,
        failure: None,
    };
    let program = |name: &str, outcome| Explored { name: name.to_owned(), campaign: of_program(), outcome };
    summary.targets.push(program("counter", Ok(found)));
    summary.targets.push(program("broken", Err("broken does not compile".to_owned())));
    summary
}

pub fn failure() -> Failure {
    Failure {
        verdict: Verdict::DataRace,
        oracle: OracleName::Sanitizer,
        message: "ThreadSanitizer: data race in app::Ring<int>::push".to_owned(),
        cause: String::new(),
    }
}

fn finding() -> Finding {
    let report = "WARNING: ThreadSanitizer: data race (pid=1)\n  Write of size 8 at 0x1 by thread T1:\n    \
                  #0 app::Ring<int>::push(int) /checkout/cpp/ring.hpp:12:5 (a+0x3)\n";
    Finding {
        path: PathBuf::from("findings/data-race-0123456789abcdef.case"),
        fingerprint: "0123456789abcdef".to_owned(),
        failure: failure(),
        settings: settings(Sanitizer::None),
        origin: Origin { cell: 1, execution: 4, ..Origin::default() },
        count: 5,
        confirmation: Confirmation::Confirmed,
        report: report.to_owned(),
        explanation: String::new(),
        minimised: None,
        decided: Vec::new(),
    }
}

fn replayed(path: &str, seen: Seen, conclusion: Conclusion) -> Replayed {
    let case = Case {
        settings: settings(Sanitizer::Thread),
        workload: TaskGraph::default().into(),
        schedule: None,
        verdict: Verdict::DataRace,
        oracle: None,
        fingerprint: "fedcba9876543210".to_owned(),
        report: String::new(),
    };
    Replayed {
        path: PathBuf::from(path),
        settings: case.settings.clone(),
        case,
        input: None,
        target: bundled::target(Path::new("tree"), None).expect("it has no bug"),
        sources_changed: false,
        seen: vec![seen],
        conclusion,
        seconds: 0.25,
    }
}

fn settings(sanitizer: Sanitizer) -> Settings {
    Settings { sanitizer, seed: 7, ..Settings::sample() }
}
