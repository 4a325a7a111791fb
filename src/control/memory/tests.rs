//! The machine against axioms: litmus tests and random programs.

mod axioms;
mod buffers;
mod explore;
mod program;
mod random;

use axioms::{MODELS, Model};
use explore::Explorer;
use program::parse;

use super::{Level, Memory};

const LITMUS: &str = include_str!("tests/litmus.txt");

#[test]
fn generate() {
    let mut memory = Memory::new();
    for line in LITMUS.lines() {
        if line.starts_with('#') || line.trim().is_empty() {
            println!("{line}");
            continue;
        }
        let mut parts = line.split(';');
        let name = parts.next().unwrap().trim();
        let text = parts.next().unwrap().trim();
        let program = parse(text);
        let by = axioms::executions(&program, &MODELS);
        let counts: Vec<usize> = by.iter().map(|g| g.len()).collect();
        let machine: Vec<_> = [Level::Sc, Level::Tso, Level::Cpp20]
            .into_iter()
            .map(|level| Explorer::new(&program, level, 0).all(&mut memory, true, false))
            .collect();
        let buffered = buffers::executions(&program);
        println!("{name:22}; {text:70}; {:3} {:3} {:3}", counts[0], counts[1], counts[2]);
        for (n, level) in [Level::Sc, Level::Tso, Level::Cpp20].into_iter().enumerate() {
            if machine[n] != by[n] {
                println!(
                    "   !!! {level:?} machine {} missing {:?} wrong {:?}",
                    machine[n].len(),
                    by[n].difference(&machine[n]).next(),
                    machine[n].difference(&by[n]).next()
                );
            }
        }
        if buffered != by[1] {
            println!("   !!! buffers {}", buffered.len());
        }
        if counts[3] != counts[2] || counts[4] != counts[2] {
            println!("   ??? text {} rc11 {}", counts[3], counts[4]);
        }
    }
}

#[test]
fn random_programs() {
    let count: usize = std::env::var("THREADBARE_MEMORY_PROGRAMS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let mut memory = Memory::new();
    let mut random = random::Random(1);
    let (mut graphs, mut differ) = ([0; 5], [0; 2]);
    let mut bad = 0;
    let mut slowest = std::time::Duration::ZERO;
    let mut times = [std::time::Duration::ZERO; 2];
    for number in 0..count {
        let program = random::program(&mut random);
        let t = std::time::Instant::now();
        let by = axioms::executions(&program, &MODELS);
        times[0] += t.elapsed();
        slowest = slowest.max(t.elapsed());
        for n in 0..5 {
            graphs[n] += by[n].len();
        }
        differ[0] += usize::from(by[3] != by[2]);
        differ[1] += usize::from(by[4] != by[2]);
        assert!(by[2].is_subset(&by[3]), "not in text {program:?}");
        assert!(by[2].is_subset(&by[4]), "not in rc11 {program:?}");
        assert_eq!(buffers::executions(&program), by[1]);
        for (n, level) in [Level::Sc, Level::Tso, Level::Cpp20].into_iter().enumerate() {
            let t = std::time::Instant::now();
            let machine = Explorer::new(&program, level, number % 256).all(&mut memory, true, number % 2 == 1);
            times[1] += t.elapsed();
            if machine != by[n] {
                bad += 1;
                println!(
                    "!!! {number} {level:?} {program:?} machine {} axioms {} missing {:?} wrong {:?}",
                    machine.len(),
                    by[n].len(),
                    by[n].difference(&machine).next(),
                    machine.difference(&by[n]).next()
                );
            }
        }
        if bad > 3 {
            break;
        }
    }
    println!("{graphs:?} text differs {} rc11 differs {} slowest {slowest:?} {times:?}", differ[0], differ[1]);
    assert_eq!(bad, 0);
}
