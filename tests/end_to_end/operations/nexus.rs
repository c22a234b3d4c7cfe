//! The Nexus service in operation: several workers, workers that die, new versions, a payload codec, many callers, and
//! servers that do not offer Nexus.

mod codec;
mod deaths;
mod many_callers;
mod replicas;
mod unavailable;
mod versions;

use super::{metrics, process::WorkerProcess};

/// Returns how many requests for `AwaitVideoTask` a worker has answered.
async fn answered(worker: &WorkerProcess) -> anyhow::Result<f64> {
    let (_, text) = worker.get("/metrics").await?;
    let series =
        "seedance_archiver_nexus_requests_total{operation=\"AwaitVideoTask\",result=\"ok\"}";
    Ok(metrics::value(&text, series).unwrap_or_default())
}
