//! What a process reports of itself: logs, metrics and traces.
//!
//! - [`logs`]: log events on stderr, as text or JSON.
//! - [`metrics`]: the names, descriptions and buckets of the metrics; `record` updates them.
//! - `labels`: bounds label values that come from outside.
//! - [`exporter`]: serves the metrics to Prometheus.
//! - `rare`: thins out log events that repeat for hours.
//! - `traces`: exports trace spans by OTLP.

pub mod exporter;
mod labels;
mod log_format;
pub mod logs;
pub mod metrics;
pub(crate) mod rare;
pub(crate) mod record;
pub(crate) mod traces;

pub(crate) use log_format::LOG_FORMAT;
pub use log_format::LogFormat;
pub use logs::init;
