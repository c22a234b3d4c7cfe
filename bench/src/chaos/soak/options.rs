//! Command-line options.

use std::{path::PathBuf, time::Duration};

use crate::server::ServerKind;

/// A rate that two cores carry with room for the work after faults.
const VIDEOS_PER_MINUTE: u32 = 60;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long videos are created and parts break, in minutes
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_440), default_value_t = 30)]
    pub(super) minutes: u32,
    /// Seed of the plan: the videos, and what breaks when. By default another one in each run, which is printed
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// Temporal server
    #[arg(long, value_enum, default_value = "dev")]
    pub(super) server: ServerKind,
    /// Program to test
    #[arg(
        long,
        value_name = "FILE",
        default_value = "target/release/seedance-archiver"
    )]
    pub(super) archiver: PathBuf,
    /// Write the samples to this file, as CSV, and plot them in a file beside it, as SVG
    #[arg(long, value_name = "FILE", default_value = "target/bench/soak.csv")]
    pub(super) out: PathBuf,
}

impl Options {
    pub(super) fn length(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.minutes))
    }

    pub(super) fn videos(&self) -> u32 {
        self.minutes * VIDEOS_PER_MINUTE
    }

    pub(super) fn svg(&self) -> PathBuf {
        self.out.with_extension("svg")
    }
}
