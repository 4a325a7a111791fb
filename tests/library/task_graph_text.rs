//! Task graphs as text: what is generated reads back the same, and what is wrong is refused with its line.

use arbitrary::Unstructured;
use std::collections::BTreeMap;
use threadbare::model::schedule::Injection;
use threadbare::task_graph::generate::{Decisions, Seeded};
use threadbare::task_graph::validate::validate;
use threadbare::task_graph::{Injections, Operation, TaskGraph, from_bytes, from_seed, text};

fn mistake(text: &str) -> String {
    text::parse(text).expect_err("a mistake").to_string()
}

#[test]
fn every_generated_task_graph_is_valid_and_reads_back_the_same() {
    for (seeds, size) in [(0..5_000, 6), (0..200, 40), (0..3, 3_000)] {
        for seed in seeds {
            let graph = from_seed(seed, size);
            assert_eq!(validate(&graph), Ok(()), "seed {seed}");
            assert_eq!(text::parse(&graph.to_string()).as_ref(), Ok(&graph), "seed {seed}");
        }
    }
}

#[test]
fn generation_makes_every_operation_and_depends_on_nothing_but_the_seed() {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..2_000 {
        let graph = from_seed(seed, 6);
        assert_eq!(graph, from_seed(seed, 6));
        for operation in graph.tasks.iter().flat_map(|task| &task.operations) {
            *seen.entry(operation.word()).or_default() += 1;
        }
    }
    assert_eq!(seen.len(), 46, "{:?}", seen.keys());
    for (operation, count) in seen {
        assert!(count >= 30, "`{operation}` is made {count} times in 2000 task graphs");
    }
}

#[test]
fn any_bytes_make_a_valid_task_graph_and_none_the_smallest() {
    let mut random = Seeded::new(3);
    for length in 0..300 {
        let bytes: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
        let graph = from_bytes(&mut Unstructured::new(&bytes), 6);
        assert_eq!(validate(&graph), Ok(()));
    }
    let none = from_bytes(&mut Unstructured::new(&[]), 6);
    assert_eq!(none.tasks.len(), 1);
    assert!(none.tasks[0].operations.len() <= 2, "{none}");
}

#[test]
fn small_task_graphs_are_small_and_show_what_is_wanted_often() {
    let task_graphs: Vec<TaskGraph> = (0..2_000).map(|seed| from_seed(seed, 6)).collect();
    let share = |has: &dyn Fn(&TaskGraph) -> bool| task_graphs.iter().filter(|graph| has(graph)).count() * 100 / 2_000;
    let tasks: usize = task_graphs.iter().map(|graph| graph.tasks.len()).sum();
    assert!((5..=8).contains(&(tasks / task_graphs.len())), "{tasks} tasks in all");
    let crossing = |graph: &TaskGraph| {
        graph.tasks.iter().any(|task| {
            task.operations.iter().any(|operation| {
                !matches!(operation, Operation::Start(_))
                    && operation.begins().iter().any(|&child| graph.tasks[child as usize].affinity != task.affinity)
            })
        })
    };
    assert!(share(&crossing) >= 60, "an await crosses affinities in {} %", share(&crossing));
    let joins = |graph: &TaskGraph| {
        graph.tasks.iter().any(|task| task.operations.iter().any(|operation| matches!(operation, Operation::Join(_))))
    };
    assert!(share(&joins) >= 30, "a join is in {} %", share(&joins));
    let contended = |graph: &TaskGraph| {
        (0..graph.objects.mutexes).any(|mutex| {
            let locks = graph.tasks.iter().filter(|task| task.operations.contains(&Operation::Lock(mutex)));
            locks.count() >= 2
        })
    };
    assert!(share(&contended) >= 40, "two tasks lock one mutex in {} %", share(&contended));
}

#[test]
fn comments_empty_lines_and_indentation_do_not_matter() {
    let terse = "task-graph\ntask 0 main int\ncompute -5\nend";
    let airy = "\n# made by hand\ntask-graph\n  objects\n\n    task 0 main int # the root\n  compute   -5\n end\n\n";
    assert_eq!(text::parse(terse), text::parse(airy));
}

#[test]
fn what_is_to_go_wrong_reads_back_the_same() {
    let lines =
        "inject eio enospc short-write crash spurious-wake-up weak-failure short-read eintr reset\nfail-allocation 3\n";
    let graph = text::parse(&format!("task-graph\nobjects\n{lines}task 0 main int\nend")).expect("a task graph");
    let all = Injections::of(&Injection::ALL).with_failing_allocation(Some(3));
    assert_eq!(graph.injections, all);
    for injections in [
        all,
        Injections::of(&[Injection::Crash]),
        Injections::default().with_failing_allocation(Some(u64::MAX)),
        Injections::default(),
    ] {
        let graph = TaskGraph { injections, ..graph.clone() };
        assert_eq!(text::parse(&graph.to_string()), Ok(graph));
    }
}

#[test]
fn a_mistake_names_its_line_what_is_wrong_and_what_would_be_right() {
    let head = "task-graph\nobjects\nmutexes 1\nchannels 1\ntask 0 main int\n";
    for (rest, line, what) in [
        ("frobnicate 1\nend", 6, "is no operation; the operations are compute, await"),
        ("compute\nend", 6, "the line ends where a constant is missing"),
        ("compute 5 6\nend", 6, "`6` is one word too many"),
        ("compute 99999999999999999999\nend", 6, "is no number that fits"),
        ("compute +5\nend", 6, "`+5` is no number that fits"),
        ("hop sideways\nend", 6, "is not an affinity: `main` or `worker`"),
        ("await 1\nend", 6, "there is no task 1, the task graph has 1; add it"),
        ("await 0\nend", 6, "does not come after the task that begins it"),
        ("yield\ntask 1 worker int\nend", 7, "no operation begins it"),
        ("await 1\nawait 1\ntask 1 worker int\nend", 7, "is already begun elsewhere"),
        ("join 1\ntask 1 worker int\nend", 6, "holds no handle of task 1"),
        ("start 1\njoin 1\ncancel 1\ntask 1 worker int\nend", 8, "holds no handle of task 1"),
        ("when-all\nend", 6, "it names no task"),
        ("lock 1\nend", 6, "there is no mutex 1, the task graph has 1"),
        ("lock 0\nlock 0\nend", 7, "already holds mutex 0"),
        ("lock 0\nend", 5, "ends with mutex 0 locked; add `unlock 0`"),
        ("unlock 0\nend", 6, "does not hold mutex 0"),
        ("send 0 -9223372036854775808\nend", 6, "stands for a closed channel"),
        ("throw 4294967295\nend", 6, "is that of cancellation"),
        ("sleep 4000000000\nend", 6, "at most 10000000"),
        ("task 2 main int\nend", 6, "task 2 where task 1 comes next"),
        ("yield", 7, "finish it with `end`"),
        ("end\nyield", 7, "text after the task graph's `end`"),
    ] {
        let told = mistake(&format!("{head}{rest}"));
        assert!(told.starts_with(&format!("line {line}: ")) && told.contains(what), "`{rest}` gave `{told}`");
    }
    assert!(mistake("task-graph\ntask 0 worker int\nend").contains("give it the affinity `main`"));
    assert!(
        mistake("task-graph\nobjects\ninject\ntask 0 main int\nend").contains("there should be an injection: `eio`")
    );
    assert!(mistake("task-graph\nobjects\ninject eio water\nend").contains("`water` is not an injection: `eio`"));
    assert!(mistake("task-graph\nobjects\nfail-allocation 0\nend").contains("counted from 1"));
    assert!(mistake("task-graphs").contains("write `task-graph`"));
    assert!(mistake("task-graph\nobjects\nchannels 0\ntask 0 main int\nend").contains("it must be 1 to 4096"));
    assert!(
        mistake("task-graph\nobjects\nlatches 1\ntask 0 main int\nlatch-arrive 0\nlatch-arrive 0\nend")
            .contains("declare it")
    );
    assert!(mistake("task-graph\nobjects\nbarriers 1\ntask 0 main int\nbarrier-wait 0\nend").contains("arrive first"));
}

#[test]
fn hostile_text_is_refused_within_bounds() {
    let many = |word: &str, count: usize| word.repeat(count);
    for hostile in [
        "task-graph\nobjects\nmutexes 4294967295\ntask 0 main int\nend".to_owned(),
        format!("task-graph\nobjects\nsemaphores{}\ntask 0 main int\nend", many(" 1", 5_000)),
        "task-graph\nobjects\nsemaphores 4294967295\ntask 0 main int\nend".to_owned(),
        format!("task-graph\ntask 0 main int\nwhen-all{}\nend", many(" 1", 100_000)),
        format!("task-graph\ntask 0 main int\n{}end", many("yield\n", 70_000)),
        format!("task-graph\n{}", many("x", 1_000_000)),
        "\u{0}\u{feff}task-graph".to_owned(),
    ] {
        let told = mistake(&hostile);
        assert!(told.len() < 1_000, "an error of {} bytes", told.len());
    }
}

#[test]
fn damaged_text_never_panics() {
    let mut random = Seeded::new(11);
    for seed in 0..2_000 {
        let mut bytes = from_seed(seed, 4).to_string().into_bytes();
        for _ in 0..random.between(1, 4) {
            let at = random.below(bytes.len() as u32) as usize;
            match random.below(3) {
                0 => bytes[at] = b" 0123456789\nabz#-"[random.below(17) as usize],
                1 => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(1)),
            }
        }
        if let Ok(graph) = text::parse(&String::from_utf8_lossy(&bytes)) {
            assert_eq!(validate(&graph), Ok(()));
        }
    }
}

#[test]
fn calls_on_systems_are_read_back_and_their_mistakes_are_named() {
    let objects =
        "task-graph\nobjects\nprocessors checked unchecked\nengines 1\nregistries 1\nleases 1\ntask 0 main int\n";
    let calls = "resume 0 plain\nresume 1 nested\nresume 0 throwing\nresume 1 handing-over\nbegin-branch 0\nnest-branch\nput-context -7\n\
        get-context\nend-branch\nend-branch\nstart-arc 0 1 2\nprogress-arc 0 1 2\ncomplete-arc 0 1 2\ncancel-arc 0 1 2\n\
        arc-status 0 1 2\nactive-arcs 0\nprocess-arcs 0\nacquire-lease 0 3\nrefresh-lease 0 3\nrelease-lease 0 3\n\
        lease-holder 0\ncleanup-stale 0 1000\n";
    let graph = text::parse(&format!("{objects}{calls}end")).expect("a valid task graph");
    assert_eq!(text::parse(&graph.to_string()), Ok(graph));
    let wrong = |call: &str| mistake(&format!("{objects}{call}\nend"));
    assert!(wrong("get-context").contains("in no branch"));
    assert!(wrong("begin-branch 0").contains("add `end-branch`"));
    assert!(wrong("begin-branch 0\nyield\nend-branch").contains("end the branch first"));
    assert!(wrong("start-arc 1 1 2").contains("no registry 1"));
    assert!(wrong("start-arc 0 1 65536").contains("number agents below"));
    assert!(wrong("resume 0 twice").contains("a body"));
}
