//! Logs: text on a terminal, JSON elsewhere or where the environment says so, always on stderr.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{LOG_FORMAT, LogFormat};

/// Starts logging, and tells how. `RUST_LOG` says what is logged, `default` where it is not set.
pub fn init(default: &str) -> LogFormat {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // An error means that logging was started already, by whoever embeds this.
    let format = format();
    let _ = match format {
        LogFormat::Text => logs.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => logs
            .json()
            .flatten_event(true)
            // Events say themselves what they are about.
            .with_current_span(false)
            .with_span_list(false)
            .try_init(),
    };
    format
}

/// What cannot be read is told by the configuration.
fn format() -> LogFormat {
    let given = std::env::var(LOG_FORMAT).ok();
    let given = given.and_then(|word| word.parse().ok());
    given.unwrap_or(match std::io::stderr().is_terminal() {
        true => LogFormat::Text,
        false => LogFormat::Json,
    })
}
