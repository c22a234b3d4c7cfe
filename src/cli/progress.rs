//! Progress on stderr: a spinner or bar in a terminal, plain lines elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use seedance_archiver_proto::visible;

/// Interval between two redraws of a spinner or bar.
const TICK_INTERVAL: Duration = Duration::from_millis(120);

/// Time between two lines if stderr is not a terminal.
pub(super) const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// Parses a template. Falls back to the default spinner if the template is invalid.
pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// Redraws a bar at `TICK_INTERVAL`.
pub(super) fn animate(bar: ProgressBar) -> ProgressBar {
    bar.enable_steady_tick(TICK_INTERVAL);
    bar
}

/// A spinner with a message and the elapsed time.
pub(super) struct Spinner(ProgressBar);

impl Spinner {
    /// Starts a spinner with a message.
    pub(super) fn start(message: &str) -> Self {
        let bar = ProgressBar::no_length().with_style(style("{spinner} {msg} ({elapsed})"));
        let spinner = Self(animate(bar));
        spinner.set_message(message);
        spinner
    }

    /// Replaces the message. Without a terminal, prints it.
    pub(super) fn set_message(&self, message: &str) {
        let message = visible::escape(message).into_owned();
        if self.0.is_hidden() {
            errln!("{message}");
        }
        self.0.set_message(message);
    }

    /// Removes the spinner.
    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
