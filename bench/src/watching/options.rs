//! Command-line options.

use std::{path::PathBuf, time::Duration};

use serde::Serialize;

use super::system::System;
use crate::server::ServerKind;

/// Videos that are created a second with the default median, at most.
const MAX_VIDEOS_PER_SECOND: f64 = 11.0;
/// Standard deviation of the logarithm of the completion times.
pub(super) const SIGMA: f64 = 0.35;

#[derive(clap::Args, Serialize)]
pub(crate) struct Options {
    /// Numbers of tasks in flight
    #[arg(long, value_delimiter = ',', value_parser = positive::<usize>, default_value = "10,100,1000")]
    pub(super) in_flight: Vec<usize>,
    /// Systems to measure, or `all`: `ours`, `ours-without-list`, `ours-auto-archive`, and loops such as
    /// `python-timer-10` and `go-retry-30`
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "ours,python-timer-10,go-retry-10"
    )]
    systems: Vec<Systems>,
    /// Temporal server
    #[arg(long, value_enum, default_value = "dev")]
    pub(super) server: ServerKind,
    /// Median completion time of a task, in seconds. It is longer with so many in flight that more than 11 videos a second
    /// would be created, unless this is set
    #[arg(long, value_parser = positive::<u32>)]
    median: Option<u32>,
    /// How long to measure, in seconds
    #[arg(long, value_parser = positive::<u32>, default_value_t = 120)]
    seconds: u32,
    /// How long to run with all tasks in flight before measuring, in seconds. By default twice the median, so that the
    /// tasks that end later have been watched since their creation
    #[arg(long)]
    warm_up: Option<u32>,
    /// Number of videos whose histories are read, at most
    #[arg(long, default_value_t = 300)]
    pub(super) sample: usize,
    /// Kill the worker that watches the account, and show how lag recovers
    #[arg(long)]
    pub(super) kill_watcher: bool,
    /// Seed of the completion times
    #[arg(long, default_value_t = 20)]
    pub(super) seed: u64,
    /// Program to measure
    #[arg(
        long,
        value_name = "FILE",
        default_value = "target/release/seedance-archiver"
    )]
    pub(super) archiver: PathBuf,
    /// Write the results to this file, as JSON
    #[arg(
        long,
        value_name = "FILE",
        default_value = "target/bench/watching.json"
    )]
    pub(super) out: PathBuf,
}

/// A value of `--systems`.
#[derive(Clone, Serialize)]
#[serde(untagged)]
enum Systems {
    One(System),
    All(String),
}

impl std::str::FromStr for Systems {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All(text.to_owned())),
            text => text.parse().map(Self::One),
        }
    }
}

impl Options {
    pub(super) fn systems(&self) -> Vec<System> {
        let systems = self.systems.iter().flat_map(|systems| match systems {
            Systems::One(system) => vec![*system],
            Systems::All(_) => System::all(),
        });
        systems.collect()
    }

    /// Returns the median completion time, in seconds.
    pub(super) fn median(&self, in_flight: usize) -> f64 {
        let mean_of_one = (SIGMA * SIGMA / 2.0).exp();
        let shortest = in_flight as f64 / MAX_VIDEOS_PER_SECOND / mean_of_one;
        self.median.map_or(shortest.max(90.0), f64::from)
    }

    pub(super) fn warm_up(&self, in_flight: usize) -> Duration {
        let default = || Duration::from_secs_f64(2.0 * self.median(in_flight));
        let warm_up = self.warm_up.map(|it| Duration::from_secs(it.into()));
        warm_up.unwrap_or_else(default)
    }

    pub(super) fn measured_time(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }
}

fn positive<T: std::str::FromStr + Default + PartialOrd>(text: &str) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| *number > T::default());
    number.ok_or_else(|| "must be a positive integer".to_owned())
}
