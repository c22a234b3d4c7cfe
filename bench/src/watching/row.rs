//! The results of a run.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{counters::Requests, lags::Lags, system::System};

#[derive(Serialize)]
pub(super) struct Row {
    pub(super) system: System,
    pub(super) in_flight: usize,
    /// Why the run failed.
    pub(super) error: Option<String>,
    #[serde(flatten)]
    pub(super) results: Option<Results>,
}

#[derive(Serialize)]
pub(super) struct Results {
    pub(super) server: &'static str,
    pub(super) server_version: String,
    /// Median completion time of a task.
    pub(super) median_seconds: f64,
    pub(super) measured_seconds: f64,
    /// Videos that ended in this time.
    pub(super) videos: usize,
    /// Videos whose histories were read.
    pub(super) sampled: usize,
    /// Those of them whose workflow was still open a minute later. They count in no lag.
    pub(super) open: usize,
    /// Those of them whose workflow failed.
    pub(super) failed: usize,
    pub(super) requests: Requests,
    pub(super) lag_seconds: Option<Lags>,
    /// Actions of the workflow of a video.
    pub(super) actions: f64,
    /// The same by what caused them.
    pub(super) actions_by_cause: BTreeMap<String, f64>,
    /// Actions of watchers and sweeps, and heartbeats, a video.
    pub(super) shared_actions: f64,
    pub(super) heartbeats: u64,
    pub(super) history_events: f64,
    pub(super) worker: ProcessResults,
    pub(super) server_process: ProcessResults,
}

/// What a process and its descendants used.
#[derive(Serialize)]
pub(super) struct ProcessResults {
    pub(super) cpu_seconds: f64,
    pub(super) mean_mebibytes: f64,
    pub(super) peak_mebibytes: f64,
}

impl Row {
    pub(super) fn failed(system: System, in_flight: usize, error: &anyhow::Error) -> Self {
        Self {
            system,
            in_flight,
            error: Some(format!("{error:#}")),
            results: None,
        }
    }
}

impl Results {
    /// Returns a number of things a video.
    pub(super) fn a_video(&self, count: f64) -> f64 {
        count / self.videos.max(1) as f64
    }
}
