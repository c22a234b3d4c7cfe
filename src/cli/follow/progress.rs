//! The progress line of one video: a spinner or bar in a terminal, a line for each change elsewhere.

use console::{Term, truncate_str};
use indicatif::{MultiProgress, ProgressBar};
use seedance_archiver_proto::{outcome, visible};

use crate::{
    cli::{
        progress::{animate, style},
        task_result::LifecycleResult,
    },
    temporal::lifecycles::Step,
};

const WAITING: &str = "{spinner} {prefix}  {wide_msg}";
const TRANSFERRING: &str =
    "{spinner} {prefix}  archiving {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}";

pub(super) struct ProgressLine {
    /// The task id, or the submission id while there is none.
    name: String,
    bar: ProgressBar,
    /// Where the final result is printed. `None` if it stays in the bar.
    scrollback: Option<MultiProgress>,
    is_transferring: bool,
    /// The last line that is printed without a terminal.
    last_printed: String,
}

impl ProgressLine {
    /// Adds a line. If `scrolls`, it is printed above the bars when its lifecycle ends.
    pub(super) fn new(bars: &MultiProgress, name: &str, scrolls: bool) -> Self {
        let bar = bars.add(ProgressBar::no_length());
        bar.set_prefix(name.to_owned());
        bar.set_style(style(WAITING));
        let mut line = Self {
            name: name.to_owned(),
            bar: animate(bar),
            scrollback: scrolls.then(|| bars.clone()),
            is_transferring: false,
            last_printed: String::new(),
        };
        line.set_message("starting", "starting");
        line
    }

    /// Sets the name at the start of the line.
    pub(super) fn set_name(&mut self, name: &str) {
        if self.name != name {
            self.name = name.to_owned();
            self.bar.set_prefix(name.to_owned());
        }
    }

    /// Shows the current step of the lifecycle.
    pub(super) fn show(&mut self, step: &Step) {
        match step {
            Step::Waiting(message) => {
                // The rest of the message counts up. Without a terminal, print only its first part.
                let change = message.split("; ").next().unwrap_or_default();
                self.set_message(message, change);
            }
            // The size is unknown until the transfer starts.
            Step::Archiving { total: 0, .. } => self.set_message("archiving", "archiving"),
            Step::Archiving { done, total } => self.set_transfer(*done, *total),
        }
    }

    fn set_transfer(&mut self, done: u64, total: u64) {
        if !self.is_transferring {
            self.is_transferring = true;
            self.bar.set_style(style(TRANSFERRING));
            self.bar.set_length(total);
            self.bar.set_position(done);
            // The rate leaves out the wait and the bytes transferred before.
            self.bar.reset_eta();
        }
        self.bar.set_position(done);
        self.print_without_terminal("archiving");
    }

    /// Shows the final result.
    pub(super) fn finish(&mut self, result: &LifecycleResult) {
        let (mark, message) = match result {
            Ok((result, _)) if result.outcome == outcome::ARCHIVED => ("✓", result.outcome.clone()),
            Ok((result, _)) => ("–", format!("{}: {}", result.outcome, result.message)),
            Err(error) => ("✗", error.to_string()),
        };
        let message = visible::escape(&message).into_owned();
        self.set_message(&message, &message);
        if let Some(bars) = &self.scrollback {
            self.bar.finish_and_clear();
            // An error means that the terminal is gone.
            let _ = bars.println(format!("{mark} {}  {message}", self.name));
            return;
        }
        self.bar
            .set_style(style(&WAITING.replace("{spinner}", mark)));
        self.bar.finish();
    }

    /// Removes the line.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Shows `message` in the bar. Without a terminal, prints `change` if it differs from the last one.
    fn set_message(&mut self, message: &str, change: &str) {
        let (message, change) = (&visible::escape(message), &visible::escape(change));
        if self.is_transferring {
            self.is_transferring = false;
            self.bar.set_style(style(WAITING));
        }
        self.bar.set_message(self.fit(message));
        self.print_without_terminal(change);
    }

    /// Truncates a message to the rest of its line.
    fn fit(&self, message: &str) -> String {
        let (_, columns) = Term::stderr().size();
        let beginning = "✓ ".chars().count() + self.name.len() + "  ".len();
        let width = usize::from(columns).saturating_sub(beginning);
        truncate_str(message, width, "…").into_owned()
    }

    fn print_without_terminal(&mut self, message: &str) {
        if self.last_printed != message {
            self.last_printed = message.to_owned();
            if self.bar.is_hidden() {
                errln!("{}  {message}", self.name);
            }
        }
    }
}
