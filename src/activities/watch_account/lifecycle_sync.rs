//! When to look for lifecycles: often for new ones, and at times for all.

use std::time::{Duration, Instant, SystemTime};

/// Interval between two looks at the lifecycles that started since the last one.
const NEW_INTERVAL: Duration = Duration::from_secs(2);
/// The same while nothing is watched.
const IDLE_INTERVAL: Duration = Duration::from_secs(5);
/// Interval between two looks at all lifecycles.
const ALL_INTERVAL: Duration = Duration::from_secs(60);
/// How long the last look may be ago. After that, lifecycles may have started that the watcher does not know.
const MAX_AGE: Duration = Duration::from_secs(60);
/// How long after its start a lifecycle may become visible.
const VISIBILITY_LAG: Duration = Duration::from_secs(30);

/// The looks at the visibility store.
#[derive(Default)]
pub(super) struct LifecycleSync {
    is_running: bool,
    last: Option<Instant>,
    last_of_all: Option<Instant>,
    last_success: Option<Instant>,
    /// When the newest known lifecycle started, by the server's clock.
    newest: Option<SystemTime>,
}

/// A look at the lifecycles that started after a time, or at all.
pub(super) struct Look {
    pub(super) started_after: Option<SystemTime>,
}

impl LifecycleSync {
    /// Returns whether all lifecycles are known.
    pub(super) fn is_current(&self) -> bool {
        let is_recent = |at: Instant| at.elapsed() < MAX_AGE;
        self.last_of_all.is_some() && self.last_success.is_some_and(is_recent)
    }

    /// Returns the look that is due. It runs until [`LifecycleSync::done`].
    pub(super) fn next(&mut self, is_idle: bool) -> Option<Look> {
        let is_due =
            |last: Option<Instant>, interval| last.is_none_or(|at| at.elapsed() >= interval);
        let interval = if is_idle { IDLE_INTERVAL } else { NEW_INTERVAL };
        if self.is_running || !is_due(self.last, interval) {
            return None;
        }
        self.is_running = true;
        self.last = Some(Instant::now());
        let newest = self
            .newest
            .filter(|_| !is_due(self.last_of_all, ALL_INTERVAL));
        Some(Look {
            started_after: newest.and_then(|newest| newest.checked_sub(VISIBILITY_LAG)),
        })
    }

    /// Notes that a look has ended. `newest`: when the newest lifecycle that it found started.
    pub(super) fn done(&mut self, is_of_all: bool, newest: Option<SystemTime>) {
        self.is_running = false;
        self.last_success = Some(Instant::now());
        self.newest = self.newest.max(newest);
        if is_of_all {
            self.last_of_all = Some(Instant::now());
        }
    }

    /// Notes that a look has failed.
    pub(super) fn failed(&mut self) {
        self.is_running = false;
    }
}
