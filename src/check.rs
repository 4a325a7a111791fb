//! A C or C++ program under check: its sources, and how they are built and run.
#![forbid(unsafe_code)]

pub mod build;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where the points of a program under check are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Points {
    /// Atomic operations and whatever blocks.
    Sync,
    /// Every access of memory too.
    Memory,
}

/// Sources of a C or C++ program with a `main`, and how they are built and run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub sources: Vec<PathBuf>,
    /// Of the compiler.
    pub flags: Vec<String>,
    /// Of `main`.
    pub arguments: Vec<String>,
    pub points: Points,
}
