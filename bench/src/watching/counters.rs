//! What is counted while a run is measured.

use std::{ops::Sub, time::SystemTime};

use anyhow::Context;
use seedance_archiver_clock::Clock;
use seedance_archiver_simulator::Simulator;
use serde::Serialize;

use super::worker::Worker;
use crate::{server::Server, usage::Usage};

/// Heartbeats that the SDK sent, in the metrics of a worker.
const HEARTBEATS: &str = "temporal_request_total{";
const HEARTBEAT_OPERATION: &str = "operation=\"RecordActivityTaskHeartbeat\"";

/// Counters at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counters {
    pub(super) at: SystemTime,
    pub(super) requests: Requests,
    pub(super) heartbeats: u64,
    pub(super) worker_cpu: f64,
    pub(super) server_cpu: f64,
}

/// Requests that the API received.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Requests {
    /// List requests.
    pub(super) lists: u64,
    /// Queries, those included that returned an ended task.
    pub(super) queries: u64,
    /// Queries that returned an ended task.
    pub(super) final_queries: u64,
    /// List requests that were answered with 429.
    pub(super) throttled_lists: u64,
    /// Queries that were answered with 429.
    pub(super) throttled_queries: u64,
    /// Queries of tasks that can no longer be queried.
    pub(super) outside_window: u64,
    /// Requests before the time in `Retry-After`.
    pub(super) before_retry_after: u64,
    /// Requests above the allowed rate, over a minute.
    pub(super) above_rate: u64,
}

impl Counters {
    pub(super) async fn read(
        simulator: &Simulator,
        worker: &Worker,
        server: &Server,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            at: Clock::default().now(),
            requests: Requests::read(simulator),
            worker_cpu: Usage::of(&worker.process).cpu_seconds,
            server_cpu: Usage::of(&server.process).cpu_seconds,
            heartbeats: match &worker.metrics_url {
                Some(url) => heartbeats(url).await?,
                // Loops have none.
                None => 0,
            },
        })
    }
}

impl Requests {
    fn read(simulator: &Simulator) -> Self {
        let misuse = simulator.misuse();
        let throttled = simulator.throttled();
        Self {
            lists: simulator.lists(),
            queries: simulator.queries(),
            final_queries: simulator.final_queries(),
            throttled_lists: throttled.lists,
            throttled_queries: throttled.queries,
            outside_window: misuse.outside_window,
            before_retry_after: misuse.before_retry_after,
            above_rate: misuse.above_rate,
        }
    }
}

impl Sub for Requests {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            lists: self.lists - earlier.lists,
            queries: self.queries - earlier.queries,
            final_queries: self.final_queries - earlier.final_queries,
            throttled_lists: self.throttled_lists - earlier.throttled_lists,
            throttled_queries: self.throttled_queries - earlier.throttled_queries,
            outside_window: self.outside_window - earlier.outside_window,
            before_retry_after: self.before_retry_after - earlier.before_retry_after,
            above_rate: self.above_rate - earlier.above_rate,
        }
    }
}

async fn heartbeats(url: &str) -> anyhow::Result<u64> {
    let response = reqwest::get(url).await.context("cannot read the metrics")?;
    Ok(parse_heartbeats(&response.text().await?))
}

fn parse_heartbeats(metrics: &str) -> u64 {
    let lines = metrics.lines().filter_map(|line| {
        let labels = line.strip_prefix(HEARTBEATS)?;
        let (labels, value) = labels.rsplit_once(' ')?;
        let is_heartbeat = labels.contains(HEARTBEAT_OPERATION);
        is_heartbeat.then(|| value.parse::<f64>().ok())?
    });
    lines.sum::<f64>() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heartbeats_are_those_of_all_namespaces() {
        let metrics = "# TYPE temporal_request_total counter\n\
            temporal_request_total{namespace=\"a\",operation=\"RecordActivityTaskHeartbeat\"} 4\n\
            temporal_request_total{operation=\"RecordActivityTaskHeartbeat\",namespace=\"b\"} 3\n\
            temporal_request_total{operation=\"PollWorkflowTaskQueue\"} 9\n";
        assert_eq!(parse_heartbeats(metrics), 7);
    }
}
