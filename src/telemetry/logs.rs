//! Logging to stderr.

use tracing_subscriber::EnvFilter;

use super::log_format::LogFormat;
use crate::stdio::{self, LogWriter};

/// Initializes logging to stderr and returns the format. The filter is `RUST_LOG`, or `default_filter` if that
/// is not set or invalid. The format is `SEEDANCE_LOG_FORMAT`; if that is not set or invalid, it is text on a
/// terminal and JSON elsewhere.
pub fn init(default_filter: &str) -> LogFormat {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default_filter));
    let logs = tracing_subscriber::fmt().with_env_filter(filter);
    let format = LogFormat::from_environment();
    // Fails if the program that embeds this crate initialized logging already.
    let _ = match format {
        LogFormat::Text => logs
            .with_ansi(stdio::stderr_is_terminal())
            .with_writer(|| LogWriter::Text)
            .try_init(),
        LogFormat::Json => logs
            .with_writer(|| LogWriter::Json)
            .json()
            .flatten_event(true)
            // Events carry the fields that identify their workflow and activity.
            .with_current_span(false)
            .with_span_list(false)
            .try_init(),
    };
    format
}
