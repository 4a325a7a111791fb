//! The library without control: task graphs, inputs, cases, oracles, the reference, and what the project's files say.

mod cargo_fuzz;
mod case_files;
mod clusterfuzzlite;
mod house;
mod inputs;
mod oracle_soundness;
mod packaging;
mod reference_agreement;
mod reference_scheduler;
mod sources;
mod task_graph_progress;
mod task_graph_text;
