//! Progress on stderr: a spinner or bar in a terminal, plain lines elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const TICK_INTERVAL: Duration = Duration::from_millis(120);

/// Returns the style of a template. A template that does not parse gives the default style.
pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Starts the spinner of a bar.
pub(super) fn animate(bar: ProgressBar) -> ProgressBar {
    bar.enable_steady_tick(TICK_INTERVAL);
    bar
}

/// A line that shows what the command is waiting for, and for how long.
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
        if self.0.is_hidden() {
            eprintln!("{message}");
        }
        self.0.set_message(message.to_owned());
    }

    /// Removes the line.
    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
