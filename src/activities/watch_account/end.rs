//! When a watcher ends.

use std::time::{Duration, Instant};

use seedance_archiver_policy::watch::MIN_WATCHED;

use crate::temporal::watchers;

/// How long one activity watches. The next one may run on a newer worker.
const MAX_RUN: Duration = Duration::from_secs(60 * 60);
/// How long the number of tasks has to be small before the watcher ends.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// How long before its end a watcher says so: until every worker has read it from a heartbeat.
const NOTICE: Duration = watchers::MAX_AGE.saturating_mul(5);
/// How long the number of tasks has to be zero, or not, before the heartbeats get another timeout.
const SWITCH_DELAY: Duration = Duration::from_secs(30);

/// The end of a watcher.
pub(super) struct End {
    started_at: Instant,
    /// Whether the watcher also waits for new tasks.
    is_permanent: bool,
    is_busy: bool,
    small_since: Option<Instant>,
    switched_since: Option<Instant>,
}

/// What a watcher does next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Next {
    Continue,
    /// Says that lifecycles must not rely on it: it ends soon.
    GiveNotice,
    /// Ends: few tasks are left, which poll themselves.
    End,
    /// Returns, to be started again.
    Restart,
}

impl End {
    pub(super) fn new(is_permanent: bool, is_busy: bool) -> Self {
        Self {
            started_at: Instant::now(),
            is_permanent,
            is_busy,
            small_since: None,
            switched_since: None,
        }
    }

    /// Decides what to do, by the number of watched tasks.
    pub(super) fn next(&mut self, watched: usize) -> Next {
        let since = |since: &mut Option<Instant>, applies: bool| match applies {
            true => since.get_or_insert_with(Instant::now).elapsed(),
            false => {
                *since = None;
                Duration::ZERO
            }
        };
        let is_small = since(
            &mut self.small_since,
            !self.is_permanent && watched < MIN_WATCHED,
        );
        let is_switched = since(
            &mut self.switched_since,
            self.is_permanent && (watched > 0) != self.is_busy,
        );
        if is_small >= PATIENCE + NOTICE {
            Next::End
        } else if is_small >= PATIENCE {
            Next::GiveNotice
        } else if self.started_at.elapsed() >= MAX_RUN || is_switched >= SWITCH_DELAY {
            Next::Restart
        } else {
            Next::Continue
        }
    }
}
