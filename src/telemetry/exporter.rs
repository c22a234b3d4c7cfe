//! The Prometheus exporter: the metrics of the SDK and of this crate in one exposition.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use metrics::gauge;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use temporalio_common::telemetry::{
    PrometheusExporterOptions, TelemetryOptions,
    metrics::{CoreMeter, TemporalMeter},
    start_prometheus_metric_exporter, telemetry_init,
};
use temporalio_sdk::{Runtime, runtime::RuntimeOptions};
use tokio::runtime::{Handle, RuntimeMetrics};

use super::metrics::{BUCKETS, BUILD_INFO, RUNTIME_TASKS, TRANSFERS_RUNNING, describe};
use crate::http;

/// Interval of the recorder's maintenance.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The metrics of this process. Clones share them.
#[derive(Clone)]
pub struct MetricsExporter {
    recorder: PrometheusHandle,
    /// Address of the SDK's exporter, which has no interface but its own HTTP server.
    sdk_address: SocketAddr,
    http: reqwest::Client,
    meter: Option<TemporalMeter>,
    /// The runtime on which everything runs.
    tokio: RuntimeMetrics,
}

/// Why the exporter did not start.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The recorder of this crate's metrics did not start.
    #[error("cannot record metrics: {0}")]
    Recorder(#[from] BuildError),
    /// The SDK's metrics did not start.
    #[error("cannot start the SDK's metrics: {0}")]
    Sdk(String),
    /// The HTTP client that reads the SDK's metrics cannot be built.
    #[error("cannot build an HTTP client: {0}")]
    Http(String),
}

impl MetricsExporter {
    /// Starts recording the metrics of this process. Returns the exporter and the SDK runtime whose metrics it
    /// includes. Can be called once per process.
    ///
    /// # Errors
    ///
    /// Returns an error if a recorder is installed already, or if the SDK cannot listen on a loopback port.
    pub fn start() -> Result<(Self, Runtime), MetricsError> {
        let sdk_error = |error: String| MetricsError::Sdk(error);
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let options = PrometheusExporterOptions::builder()
            .socket_addr(loopback)
            .counters_total_suffix(true)
            .unit_suffix(true)
            .use_seconds_for_durations(true)
            .build();
        let sdk_exporter = start_prometheus_metric_exporter(options)
            .map_err(|error| sdk_error(error.to_string()))?;
        let telemetry = TelemetryOptions::builder()
            .metrics(sdk_exporter.meter as Arc<dyn CoreMeter>)
            .attach_service_name(false)
            .build();
        // The only way to get a meter for connections. Initializing telemetry starts no logging.
        let connection_telemetry =
            telemetry_init(telemetry.clone()).map_err(|error| sdk_error(error.to_string()))?;
        let options = RuntimeOptions::builder()
            .telemetry_options(telemetry)
            .build()
            .map_err(sdk_error)?;
        let runtime =
            Runtime::from_current_tokio(options).map_err(|error| sdk_error(error.to_string()))?;
        let exporter = Self {
            recorder: install_recorder()?,
            sdk_address: sdk_exporter.bound_addr,
            meter: connection_telemetry.get_temporal_metric_meter(),
            http: http::client().map_err(|error| MetricsError::Http(http::describe(error)))?,
            tokio: Handle::current().metrics(),
        };
        Ok((exporter, runtime))
    }

    /// Returns the meter that counts the requests of a connection to Temporal.
    pub fn meter(&self) -> Option<TemporalMeter> {
        self.meter.clone()
    }

    /// Returns all metrics in Prometheus' text format.
    ///
    /// # Errors
    ///
    /// Returns an error if the SDK's exporter does not respond.
    pub async fn render(&self) -> Result<String, String> {
        self.recorder.run_upkeep();
        count_tasks(&self.tokio);
        let url = format!("http://{}/metrics", self.sdk_address);
        let sdk_metrics = async { self.http.get(url).send().await?.text().await };
        let sdk_metrics = sdk_metrics
            .await
            .map_err(|error| format!("cannot read the SDK's metrics: {}", http::describe(error)))?;
        Ok(sdk_metrics + &self.recorder.render())
    }
}

fn install_recorder() -> Result<PrometheusHandle, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for (name, bounds) in BUCKETS {
        builder = builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), bounds)?;
    }
    let recorder = builder.install_recorder()?;
    tokio::spawn(keep_up(recorder.clone()));
    describe();
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1);
    gauge!(TRANSFERS_RUNNING).set(0);
    Ok(recorder)
}

/// Sets the number of tasks to that of a runtime.
fn count_tasks(runtime: &RuntimeMetrics) {
    gauge!(RUNTIME_TASKS).set(runtime.num_alive_tasks() as f64);
}

/// Merges histogram samples into their buckets. Without upkeep, each sample takes memory until the next scrape.
async fn keep_up(recorder: PrometheusHandle) {
    let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        ticks.tick().await;
        recorder.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn a_task_of_the_runtime_counts_until_it_completes() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let page = || {
            let runtime = Handle::current().metrics();
            metrics::with_local_recorder(&recorder, || count_tasks(&runtime));
            recorder.handle().render()
        };
        let waiting = tokio::spawn(pending::<()>());
        assert!(page().contains(&format!("{RUNTIME_TASKS} 1\n")));
        waiting.abort();
        assert!(waiting.await.is_err());
        assert!(page().contains(&format!("{RUNTIME_TASKS} 0\n")));
    }
}
