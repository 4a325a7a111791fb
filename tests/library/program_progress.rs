//! Proves by trial that no schedule gets a generated program stuck on a correct runtime.

use threadbare::program::from_seed;
use threadbare::program::generate::Seeded;
use threadbare::reference::model::Model;
use threadbare::reference::trial::ends;

fn try_out(seeds: std::ops::Range<u64>, schedules: u64, size: u32) {
    for seed in seeds {
        let program = from_seed(seed, size);
        for number in 0..schedules {
            let mut schedule = Seeded::new(seed ^ (number << 40) ^ 0x5eed);
            assert!(ends(&program, &mut schedule), "seed {seed}, size {size}, schedule {number}: stuck\n{program}");
        }
    }
}

#[test]
fn small_programs_never_get_stuck() {
    try_out(0..20_000, 5, 6);
    try_out(0..3_000, 5, 2);
}

#[test]
fn middling_programs_never_get_stuck() {
    try_out(0..4_000, 5, 15);
    try_out(0..300, 4, 60);
}

#[test]
fn a_program_of_thousands_of_tasks_does_not_get_stuck() {
    for seed in 0..3 {
        let program = from_seed(seed, 3_000);
        assert!(program.tasks.len() > 100, "size grows with the knob");
        let mut model = Model::new(&program);
        assert!(model.run(), "seed {seed}: stuck");
    }
}

#[test]
fn the_trial_notices_a_program_that_can_get_stuck() {
    let text = "program\n objects\n mutexes 2\n task 0 main int\n when-all 1 2\n task 1 worker int\n lock 0\n lock 1\n \
        unlock 1\n unlock 0\n task 2 worker int\n lock 1\n lock 0\n unlock 0\n unlock 1\n end";
    let program = threadbare::program::text::parse(text).expect("a valid program");
    let mut schedule = Seeded::new(1);
    let stuck = (0..1000).filter(|_| !ends(&program, &mut schedule)).count();
    assert!(stuck > 50, "two locks in opposite orders got stuck in {stuck} of 1000 schedules");
}
