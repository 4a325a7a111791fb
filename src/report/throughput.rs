//! What `threadbare bench` measured, as a table and as JSON.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::grouped;
use crate::campaign::bench::Throughput;
use crate::model::settings::{Engine, Sanitizer};
use crate::model::word;

/// A controlled engine's throughput and that of `free`, under one sanitizer.
fn pairs(throughputs: &[Throughput]) -> impl Iterator<Item = (&Throughput, &Throughput)> {
    throughputs.chunks_exact(2).map(|pair| (&pair[0], &pair[1]))
}

fn ratio(controlled: &Throughput, free: &Throughput) -> f64 {
    controlled.per_second() / free.per_second()
}

/// One row for each sanitizer.
#[must_use]
pub fn table(throughputs: &[Throughput]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["sanitizer", "engine", "per second", "free per second", "ratio"]);
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for (controlled, free) in pairs(throughputs) {
        table.add_row([
            word(&controlled.sanitizer),
            word(&controlled.engine),
            grouped(controlled.per_second() as u64),
            grouped(free.per_second() as u64),
            format!("{:.1}", ratio(controlled, free)),
        ]);
    }
    table
}

/// `bench --json`.
#[derive(Serialize)]
pub struct Bench {
    /// By comparison ("fibers_vs_free") and sanitizer: how many times the executions per second.
    ratios: BTreeMap<String, BTreeMap<Sanitizer, f64>>,
    runs: Vec<Run>,
}

#[derive(Serialize)]
struct Run {
    sanitizer: Sanitizer,
    engine: Engine,
    executions: u64,
    seconds: f64,
    per_second: f64,
}

impl Bench {
    #[must_use]
    pub fn new(throughputs: &[Throughput]) -> Self {
        let mut ratios: BTreeMap<String, BTreeMap<Sanitizer, f64>> = BTreeMap::new();
        for (controlled, free) in pairs(throughputs) {
            let comparison = ratios.entry(format!("{}_vs_free", word(&controlled.engine))).or_default();
            comparison.insert(controlled.sanitizer, ratio(controlled, free));
        }
        let run = |throughput: &Throughput| Run {
            sanitizer: throughput.sanitizer,
            engine: throughput.engine,
            executions: throughput.executions,
            seconds: throughput.seconds,
            per_second: throughput.per_second(),
        };
        Self { ratios, runs: throughputs.iter().map(run).collect() }
    }
}
