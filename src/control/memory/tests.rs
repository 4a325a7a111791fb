//! The machine against axioms: litmus tests and random programs.

mod axioms;
mod buffers;
mod explore;
mod places;
mod program;
mod random;
mod relation;

use axioms::{Execution, MODELS, Model};
use explore::Explorer;
use program::{Graphs, Program, parse};
use random::Random;

use super::{Level, Memory};

const LEVELS: [(Level, Model); 3] = [(Level::Sc, Model::Sc), (Level::Tso, Model::Tso), (Level::Cpp20, Model::Cpp20)];

/// One that is missing, or wrong.
fn difference(found: &Graphs, allowed: &Graphs) -> Option<String> {
    let missing = allowed.difference(found).next().map(|graph| format!("missing: {graph:?}"));
    missing.or_else(|| found.difference(allowed).next().map(|graph| format!("wrong: {graph:?}")))
}

/// The executions that axioms allow, by level, after those of the machine were compared with them.
fn compare(program: &Program, memory: &mut Memory, variant: usize) -> Vec<Graphs> {
    let allowed = axioms::executions(program, &MODELS);
    for ((level, _), allowed) in LEVELS.iter().zip(&allowed) {
        // On two ways: which of those to the same state comes first differs.
        for reverse in [false, true] {
            let found = Explorer::new(program, *level, variant).all(memory, reverse);
            if let Some(difference) = difference(&found, allowed) {
                panic!("{level:?}: {difference} of {program:?}");
            }
        }
    }
    if let Some(difference) = difference(&buffers::executions(program), &allowed[1]) {
        panic!("store buffers: {difference} of {program:?}");
    }
    let [sc, tso, cpp20, text, rc11] = &allowed[..] else { panic!("five models") };
    assert!(sc.is_subset(tso) && sc.is_subset(cpp20), "interleavings are always allowed: {program:?}");
    assert!(cpp20.is_subset(text) && cpp20.is_subset(rc11), "both C++20 and RC11 allow what is made: {program:?}");
    allowed
}

#[test]
fn litmus_tests_have_the_executions_that_are_allowed() {
    let mut memory = Memory::new();
    let mut names = std::collections::BTreeSet::new();
    for line in include_str!("tests/litmus.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let fields: Vec<&str> = line.split(';').map(str::trim).collect();
        let [name, text, counts] = fields[..] else { panic!("three fields: {line}") };
        assert!(names.insert(name), "{name} is there twice");
        let counts: Vec<usize> = counts.split_whitespace().map(|count| count.parse().expect("a count")).collect();
        let allowed = compare(&parse(text), &mut memory, names.len());
        let found: Vec<usize> = allowed[..3].iter().map(Graphs::len).collect();
        assert_eq!(found, counts, "{name}: {text}");
    }
    assert!(names.len() >= 151, "the tests are here");
}

/// How many random programs are compared.
fn programs() -> usize {
    std::env::var("THREADBARE_MEMORY_PROGRAMS").map_or(300, |count| count.parse().expect("a number"))
}

#[test]
fn random_programs_have_the_executions_that_are_allowed() {
    let mut memory = Memory::new();
    let mut random = Random(1);
    let mut counts = [0; MODELS.len()];
    for variant in 0..programs() {
        let program = random::program(&mut random);
        let allowed = compare(&program, &mut memory, variant);
        for (count, allowed) in counts.iter_mut().zip(allowed) {
            *count += allowed.len();
        }
    }
    println!("{} programs; executions by {MODELS:?}: {counts:?}", programs());
    assert!(counts[0] < counts[1] && counts[1] < counts[2], "levels differ: {counts:?}");
}

/// The graph of sequentially consistent operations and the stores that are kept overflow: then less is allowed, but
/// nothing that is wrong. And the clocks are happens-before.
#[test]
fn long_programs_have_only_executions_that_are_allowed() {
    let mut memory = Memory::new();
    let mut random = Random(2);
    let mut weak = 0;
    for number in 0..programs().div_ceil(3) {
        let places = 1 + random.below(3);
        let program = random::long_program(&mut random, 57, places);
        for (level, model) in LEVELS {
            let walk = Explorer::new(&program, level, number).walk(&mut memory, &mut random);
            let execution = Execution::new(&program, &walk.graph).expect("values are those that were read");
            assert!(execution.is_of(model), "{level:?}: {:?} of {program:?}", walk.graph);
            weak += usize::from(!execution.is_of(Model::Sc));
            for (one, (thread, epoch, _)) in walk.steps.iter().enumerate() {
                for (other, (who, _, clock)) in walk.steps.iter().enumerate().filter(|(_, step)| step.0 != *thread) {
                    let before = execution.happens_before(one, other);
                    assert_eq!(clock[*thread] > *epoch, before, "{one} and {other} of {who}, {level:?}: {program:?}");
                }
            }
        }
    }
    assert!(weak > programs() / 6, "executions are not only interleavings: {weak}");
}
