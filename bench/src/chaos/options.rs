//! Command-line options.

use std::{path::PathBuf, time::Duration};

use seedance_archiver_clock::Clock;
use serde::Serialize;

use crate::server::ServerKind;

#[derive(clap::Args, Serialize)]
pub(crate) struct Options {
    /// Number of videos
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..), default_value_t = 500)]
    pub(super) videos: u32,
    /// Seed of the plan: the videos, and what breaks when. By default another one in each run, which is printed
    #[arg(long)]
    seed: Option<u64>,
    /// How long videos are created and parts break, in minutes
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..), default_value_t = 12)]
    pub(super) minutes: u32,
    /// Temporal server. By default the production server with PostgreSQL or, where that cannot be installed, the dev server
    #[arg(long, value_enum)]
    pub(super) server: Option<ServerKind>,
    /// Break nothing, to tell an error of the run from one of the archiver
    #[arg(long)]
    pub(super) no_faults: bool,
    /// Program to test
    #[arg(
        long,
        value_name = "FILE",
        default_value = "target/release/seedance-archiver"
    )]
    pub(super) archiver: PathBuf,
    /// Another version of the program, with which workers are restarted
    #[arg(long, value_name = "FILE")]
    pub(super) other_worker: Option<PathBuf>,
    /// Write the results to this file, as JSON
    #[arg(long, value_name = "FILE", default_value = "target/bench/chaos.json")]
    pub(super) out: PathBuf,
}

impl Options {
    pub(super) fn seed(&self) -> u64 {
        seed_or_new(self.seed)
    }

    pub(super) fn length(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.minutes))
    }
}

/// Returns a seed, and a new one if none was set.
pub(super) fn seed_or_new(seed: Option<u64>) -> u64 {
    seed.unwrap_or_else(|| {
        let now = Clock::default().now();
        let since_epoch = now.duration_since(std::time::UNIX_EPOCH);
        since_epoch.unwrap_or_default().as_secs() % 1_000_000
    })
}
