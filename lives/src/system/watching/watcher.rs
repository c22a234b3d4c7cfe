//! What the watcher knows.

use seedance_archiver_policy::{
    completions::CompletionTimes,
    pages::Lists,
    watch::{Watch, WatchedTasks},
};
use seedance_archiver_seedance::MAX_IDS;

use super::health::Health;
use crate::{
    time::{MINUTE, at},
    world::World,
};

/// How old the last look at all lifecycles may be.
pub(super) const SYNC_INTERVAL: u64 = MINUTE;
/// How long few tasks are watched before the watcher gives notice.
pub(super) const PATIENCE: u64 = 5 * MINUTE;

/// The watcher of the account.
pub(crate) struct Watcher {
    pub(super) times: CompletionTimes,
    pub(super) tasks: WatchedTasks,
    /// Whether its workflow runs.
    pub(super) is_running: bool,
    /// Whether the activity runs on a worker.
    pub(super) is_alive: bool,
    pub(super) died_at: u64,
    /// When all lifecycles were last found.
    pub(super) synced_at: Option<u64>,
    pub(super) lists: Health,
    pub(super) queries: Health,
    pub(super) failing_since: Option<u64>,
    pub(super) max_ids: usize,
    pub(super) small_since: Option<u64>,
    pub(super) is_reliable: bool,
}

impl Watcher {
    pub(crate) fn new(world: &World, times: CompletionTimes) -> Self {
        Self {
            tasks: watched_tasks(world, times.clone(), 0),
            times,
            is_running: false,
            is_alive: false,
            died_at: 0,
            synced_at: None,
            lists: Health::default(),
            queries: Health::default(),
            failing_since: None,
            max_ids: MAX_IDS,
            small_since: None,
            is_reliable: false,
        }
    }

    /// Begins on a worker, with nothing but what the last heartbeat says.
    pub(super) fn begin(&mut self, world: &World, now: u64) {
        let times = self.times.clone();
        *self = Self {
            tasks: watched_tasks(world, times.clone(), now),
            is_running: true,
            is_alive: true,
            ..Self::new(world, times)
        };
    }

    /// Says in its heartbeat whether lifecycles may rely on it.
    pub(super) fn heartbeat(&mut self, now: u64) {
        const MAX_SILENCE: u64 = 30;
        let is_silent = self
            .failing_since
            .is_some_and(|since| now - since > MAX_SILENCE);
        let is_current = self.synced_at.is_some_and(|at| now - at < SYNC_INTERVAL);
        let gives_notice = self
            .small_since
            .is_some_and(|since| now - since >= PATIENCE);
        self.is_reliable = !is_silent && is_current && !gives_notice;
    }
}

fn watched_tasks(world: &World, times: CompletionTimes, now: u64) -> WatchedTasks {
    let watch = Watch {
        lists: Lists {
            service_tiers: vec![String::new()],
            models: Vec::new(),
        },
        schedule: world.schedule(),
        windows: world.windows(),
        shows_statuses: true,
        // Its lifecycles may have been seen by the one before.
        took_over_at: Some(at(now)),
    };
    WatchedTasks::new(watch, times)
}
