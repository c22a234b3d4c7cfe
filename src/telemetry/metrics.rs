//! Numbers for Prometheus: the SDK's and ours in one exposition, in seconds and bytes, counters with `_total`.
//!
//! Ours are written through the facade `metrics`: in a Rust worker of somebody else's they go to the recorder
//! that is installed there, or nowhere. No label holds an id or a URL.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use seedance_archiver_seedance::RATE_LIMIT_WAIT;
use temporalio_common::telemetry::{
    PrometheusExporterOptions, TelemetryOptions,
    metrics::{CoreMeter, TemporalMeter},
    start_prometheus_metric_exporter, telemetry_init,
};
use temporalio_sdk::{Runtime, runtime::RuntimeOptions};

use crate::http;

const BUILD_INFO: &str = "seedance_archiver_build_info";
/// How lifecycles ended.
pub(crate) const LIFECYCLES_ENDED: &str = "seedance_archiver_lifecycles_ended_total";
/// Questions that were asked.
pub(crate) const POLLS: &str = "seedance_archiver_polls_total";
/// From a task's last change to our learning that it has ended.
pub(crate) const DETECTION_LAG: &str = "seedance_archiver_detection_lag_seconds";
/// From a task's last change to its receipt.
pub(crate) const ARCHIVE_LAG: &str = "seedance_archiver_archive_lag_seconds";
/// What was left until the archive deadline when the receipt was written.
pub(crate) const ARCHIVE_TIME_LEFT: &str = "seedance_archiver_archive_time_left_seconds";
/// Bytes that were archived.
pub(crate) const ARCHIVED_BYTES: &str = "seedance_archiver_archived_bytes_total";
/// Speed of transfers.
pub(crate) const TRANSFER_SPEED: &str = "seedance_archiver_transfer_bytes_per_second";
/// Transfers under way.
pub(crate) const TRANSFERS_RUNNING: &str = "seedance_archiver_transfers_running";
/// Attempts that failed.
pub(crate) const RETRIES: &str = "seedance_archiver_retries_total";
/// Lifecycles that run.
pub(crate) const OPEN_LIFECYCLES: &str = "seedance_archiver_open_lifecycles";
/// The first archive deadline among them.
pub(crate) const OLDEST_DEADLINE: &str = "seedance_archiver_oldest_open_deadline_timestamp_seconds";
/// Looks at open lifecycles that failed.
pub(crate) const VISIBILITY_ERRORS: &str = "seedance_archiver_visibility_errors_total";

/// Time between two sums of what was measured.
const UPKEEP: Duration = Duration::from_secs(5);

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;
const MB: f64 = 1e6;

/// Bounds of the histograms' buckets.
const BUCKETS: [(&str, &[f64]); 5] = [
    (
        DETECTION_LAG,
        &[
            1.0,
            2.0,
            5.0,
            10.0,
            30.0,
            MINUTE,
            300.0,
            HOUR,
            6.0 * HOUR,
            DAY,
        ],
    ),
    (
        ARCHIVE_LAG,
        &[
            1.0,
            5.0,
            10.0,
            30.0,
            MINUTE,
            300.0,
            1_800.0,
            HOUR,
            6.0 * HOUR,
            DAY,
            7.0 * DAY,
        ],
    ),
    (
        ARCHIVE_TIME_LEFT,
        &[
            0.0,
            MINUTE,
            600.0,
            HOUR,
            6.0 * HOUR,
            12.0 * HOUR,
            23.0 * HOUR,
            3.0 * DAY,
            7.0 * DAY,
            13.0 * DAY,
            14.0 * DAY,
        ],
    ),
    (
        TRANSFER_SPEED,
        &[
            0.1 * MB,
            0.5 * MB,
            MB,
            5.0 * MB,
            10.0 * MB,
            25.0 * MB,
            50.0 * MB,
            100.0 * MB,
            250.0 * MB,
            500.0 * MB,
        ],
    ),
    (
        RATE_LIMIT_WAIT,
        &[0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, MINUTE],
    ),
];

/// All metrics of this process.
#[derive(Clone)]
pub struct Exposition {
    ours: PrometheusHandle,
    /// The SDK answers on a socket of its own only.
    of_sdk: SocketAddr,
    http: reqwest::Client,
    meter: Option<TemporalMeter>,
}

/// Why there are no metrics.
#[derive(Debug, thiserror::Error)]
pub enum NoMetrics {
    /// Of ours.
    #[error("cannot record metrics: {0}")]
    Recorder(#[from] BuildError),
    /// Of the SDK.
    #[error("cannot start the SDK's metrics: {0}")]
    Sdk(String),
    /// There is no client that asks the SDK.
    #[error("cannot make the HTTP client: {0}")]
    Http(String),
}

impl Exposition {
    /// Records metrics of this process from now on, and starts the runtime of the SDK whose metrics are shown
    /// with them. Once a process.
    pub fn start() -> Result<(Self, Runtime), NoMetrics> {
        let sdk = |error: String| NoMetrics::Sdk(error);
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let exporter = PrometheusExporterOptions::builder()
            .socket_addr(loopback)
            .counters_total_suffix(true)
            .unit_suffix(true)
            .use_seconds_for_durations(true)
            .build();
        let exporter =
            start_prometheus_metric_exporter(exporter).map_err(|error| sdk(error.to_string()))?;
        let telemetry = TelemetryOptions::builder()
            .metrics(exporter.meter as Arc<dyn CoreMeter>)
            .attach_service_name(false)
            .build();
        // The SDK hands out the meter of connections by this alone. It logs nothing.
        let of_connections =
            telemetry_init(telemetry.clone()).map_err(|error| sdk(error.to_string()))?;
        let options = RuntimeOptions::builder().telemetry_options(telemetry);
        let runtime = Runtime::from_current_tokio(options.build().map_err(sdk)?)
            .map_err(|error| sdk(error.to_string()))?;
        let exposition = Self {
            ours: record()?,
            of_sdk: exporter.bound_addr,
            meter: of_connections.get_temporal_metric_meter(),
            http: http::client().map_err(|error| NoMetrics::Http(http::describe(error)))?,
        };
        Ok((exposition, runtime))
    }

    /// What a connection to Temporal counts its requests with.
    pub fn meter(&self) -> Option<TemporalMeter> {
        self.meter.clone()
    }

    /// As Prometheus reads it.
    pub async fn text(&self) -> Result<String, String> {
        self.ours.run_upkeep();
        let url = format!("http://{}/metrics", self.of_sdk);
        let of_sdk = async { self.http.get(url).send().await?.text().await };
        let of_sdk = of_sdk.await.map_err(|error| {
            format!(
                "the SDK's metrics cannot be read: {}",
                http::describe(error)
            )
        })?;
        Ok(of_sdk + &self.ours.render())
    }
}

fn record() -> Result<PrometheusHandle, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for (name, bounds) in BUCKETS {
        builder = builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), bounds)?;
    }
    let handle = builder.install_recorder()?;
    tokio::spawn(keep_up(handle.clone()));
    describe();
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1);
    gauge!(TRANSFERS_RUNNING).set(0);
    Ok(handle)
}

/// Sums up what was measured, also where nobody reads it: until then each measurement takes memory.
async fn keep_up(handle: PrometheusHandle) {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        ticks.tick().await;
        handle.run_upkeep();
    }
}

fn describe() {
    describe_gauge!(BUILD_INFO, "The version of this worker.");
    describe_counter!(LIFECYCLES_ENDED, "Lifecycles that ended, by outcome.");
    describe_counter!(
        POLLS,
        "Questions that were asked about tasks, by what came of them."
    );
    let seconds = Unit::Seconds;
    describe_histogram!(
        DETECTION_LAG,
        seconds,
        "From the last change of a task's record to our learning that the task has ended."
    );
    describe_histogram!(
        ARCHIVE_LAG,
        seconds,
        "From the last change of a task's record to its receipt."
    );
    describe_histogram!(
        ARCHIVE_TIME_LEFT,
        seconds,
        "What was left until the archive deadline when the receipt was written."
    );
    describe_counter!(ARCHIVED_BYTES, Unit::Bytes, "Bytes that were archived.");
    describe_histogram!(TRANSFER_SPEED, "Speed of attempts that archived something.");
    describe_gauge!(TRANSFERS_RUNNING, "Transfers under way in this worker.");
    describe_counter!(
        RETRIES,
        "Attempts at activities that failed, by the type of the failure."
    );
    describe_histogram!(
        RATE_LIMIT_WAIT,
        seconds,
        "Waits for a turn within an account's budget."
    );
    describe_gauge!(
        OPEN_LIFECYCLES,
        "Lifecycles that run, by the task's status: the same in every worker."
    );
    describe_gauge!(
        OLDEST_DEADLINE,
        seconds,
        "The first archive deadline of a lifecycle that runs, or +Inf: the same in every worker."
    );
    describe_counter!(
        VISIBILITY_ERRORS,
        "Looks at the lifecycles that run which failed."
    );
}
