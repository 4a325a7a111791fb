//! Smaller programs than one that the controller and the enumerator disagree about.

use super::program::{MutexKind, Program};

/// Each is a little smaller or plainer: a thread, an operation or a guard less.
pub fn smaller(program: &Program) -> Vec<Program> {
    let mut all = Vec::new();
    let mut push = |change: &dyn Fn(&mut Program)| {
        let mut smaller = program.clone();
        change(&mut smaller);
        smaller.threads.retain(|steps| !steps.is_empty());
        if smaller != *program && !smaller.threads.is_empty() {
            all.push(smaller);
        }
    };
    for (thread, steps) in program.threads.iter().enumerate() {
        push(&|smaller| smaller.threads[thread].clear());
        for step in 0..steps.len() {
            push(&|smaller| {
                smaller.threads[thread].remove(step);
            });
            push(&|smaller| smaller.threads[thread][step].guard = None);
        }
    }
    push(&|smaller| smaller.semaphore = 0);
    push(&|smaller| smaller.mutexes.fill(MutexKind::Normal));
    all
}
