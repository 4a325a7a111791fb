//! The tables on the terminal.

use comfy_table::{CellAlignment, Table, presets};

use super::grouped;
use super::progress::per_second;
use crate::campaign::bugs::{Measured, Searches};
use crate::campaign::plan::Cell;
use crate::campaign::strategies;
use crate::model::word;

/// A campaign by sanitizer and, of a runtime, by thread count.
#[must_use]
pub fn of_cells(cells: &[Cell], is_of_program: bool) -> Table {
    let of_runtime = ["threads", "incomparable", "diverged"];
    let columns =
        ["sanitizer", "threads", "executions", "per second", "findings", "incomparable", "diverged", "points"];
    let is_shown = |column: &str| !is_of_program || !of_runtime.contains(&column);
    let shown: Vec<&str> = columns.into_iter().filter(|column| is_shown(column)).collect();
    let mut table = plain(&shown, 1);
    for cell in cells {
        let values = [
            word(&cell.sanitizer),
            cell.threads.to_string(),
            grouped(cell.executions),
            grouped(per_second(cell.executions, cell.seconds) as u64),
            grouped(cell.findings),
            grouped(cell.incomparable.values().sum()),
            grouped(cell.diverged),
            grouped(cell.points),
        ];
        let row = columns.iter().zip(values).filter(|(column, _)| is_shown(column));
        table.add_row(row.map(|(_, value)| value));
    }
    table
}

/// Examples, and the executions that each strategy took: the median, and how many searches found it if not all did.
#[must_use]
pub fn of_strategies(measured: &[strategies::Measured]) -> Table {
    let mut columns = vec!["example".to_owned(), "sanitizer".to_owned()];
    columns.extend(strategies::COMPARED.map(|strategy| strategy.to_string()));
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table = plain(&columns, 2);
    for strategies::Measured { example, searches } in measured {
        let name = example.source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut row = vec![name, word(&example.sanitizer)];
        row.extend(searches.iter().map(|searches| {
            let found = searches.found.len() as u64;
            let median = searches.median().map_or_else(|| "-".to_owned(), grouped);
            if found == searches.trials { median } else { format!("{median} ({found} of {})", searches.trials) }
        }));
        table.add_row(row);
    }
    table
}

/// The bugs and what it took to find them.
#[must_use]
pub fn of_bugs(measured: &[Measured]) -> Table {
    let mut columns = vec!["bug", "sanitizer", "threads", "memory", "found", "median", "mean", "oracle"];
    let free = measured.iter().any(|bug| bug.free.is_some());
    if free {
        columns.extend(["free found", "free median"]);
    }
    let mut table = plain(&columns, 2);
    for Measured { entry, controlled, free } in measured {
        let mut row = vec![
            entry.name.to_owned(),
            word(&entry.sanitizer),
            entry.threads.to_string(),
            word(&entry.memory),
            found(controlled),
            rounded(controlled.median()),
            rounded(controlled.mean()),
            controlled.oracle().map_or_else(|| "-".to_owned(), |oracle| word(&oracle)),
        ];
        if let Some(free) = free {
            row.extend([found(free), rounded(free.median())]);
        }
        table.add_row(row);
    }
    table
}

fn found(searches: &Searches) -> String {
    format!("{} of {}", searches.found(), searches.trials)
}

fn rounded(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.0}"))
}

/// A table without lines, whose columns from `numbers` on are aligned to the right.
pub(super) fn plain(columns: &[&str], numbers: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(columns.to_vec());
    for column in table.column_iter_mut().skip(numbers) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
