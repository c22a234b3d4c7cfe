//! One bar for all lifecycles of a batch.

use std::{collections::BTreeMap, time::Instant};

use indicatif::{HumanCount, ProgressBar};
use seedance_archiver_proto::visible;

use crate::cli::{
    progress::{LINE_INTERVAL, animate, style},
    task_result::LifecycleResult,
};

pub(super) struct Progress {
    bar: ProgressBar,
    started: usize,
    outcomes: BTreeMap<String, usize>,
    /// Why the last round of checks is incomplete.
    check_error: Option<String>,
    last_line_at: Instant,
}

impl Progress {
    /// Shows the bar of a batch of `total` lifecycles.
    pub(super) fn new(total: usize) -> Self {
        let template = "{spinner} {bar:24} {human_pos}/{human_len}  {wide_msg}";
        let bar = ProgressBar::new(total as u64).with_style(style(template));
        Self {
            bar: animate(bar),
            started: 0,
            outcomes: BTreeMap::new(),
            check_error: None,
            last_line_at: Instant::now(),
        }
    }

    /// Counts a lifecycle that was started.
    pub(super) fn add_started(&mut self) {
        self.started += 1;
        self.show();
    }

    /// Counts an ended lifecycle.
    pub(super) fn add_result(&mut self, result: &LifecycleResult) {
        let outcome = match result {
            Ok((result, _)) => result.outcome.clone(),
            Err(_) => "failed".to_owned(),
        };
        *self.outcomes.entry(outcome).or_default() += 1;
        self.bar.inc(1);
    }

    /// Shows the error of a round of checks. `None` if every check succeeded.
    pub(super) fn set_check_error(&mut self, error: Option<String>) {
        self.check_error = error;
        self.show();
    }

    /// Removes the bar.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&mut self) {
        let message = self.message();
        self.bar.set_message(message.clone());
        if self.bar.is_hidden() && self.last_line_at.elapsed() > LINE_INTERVAL {
            self.last_line_at = Instant::now();
            errln!("{message}");
        }
    }

    fn message(&self) -> String {
        let ended: usize = self.outcomes.values().sum();
        let running = self.started.saturating_sub(ended);
        let count = |count: usize| HumanCount(count as u64);
        let mut counts = vec![
            format!("{} started", count(self.started)),
            format!("{} running", count(running)),
        ];
        let outcomes = self.outcomes.iter();
        counts.extend(outcomes.map(|(outcome, ended)| format!("{} {outcome}", count(*ended))));
        let counts = counts.join(", ");
        match &self.check_error {
            Some(error) => format!(
                "{counts}; cannot check lifecycles, retrying: {}",
                visible::escape(error)
            ),
            None => counts,
        }
    }
}
