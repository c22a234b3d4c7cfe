//! Lifecycles that have to poll their tasks themselves.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::temporal::watchers;

/// How long after a heartbeat that names a task its lifecycle is nudged: it must not rely on the watcher again.
const DELAY: Duration = watchers::MAX_AGE.saturating_mul(4);

/// The nudges that are due, or will be.
#[derive(Default)]
pub(super) struct Nudges(VecDeque<(Instant, String)>);

impl Nudges {
    pub(super) fn add(&mut self, task_id: &str) {
        self.0
            .push_back((Instant::now() + DELAY, task_id.to_owned()));
    }

    /// Returns a task whose lifecycle is nudged now.
    pub(super) fn next(&mut self) -> Option<String> {
        let (due_at, _) = self.0.front()?;
        match *due_at <= Instant::now() {
            true => self.0.pop_front().map(|(_, id)| id),
            false => None,
        }
    }
}
