//! A task for which a lifecycle waits.

use std::time::{Duration, SystemTime};

use seedance_archiver_proto::{status, time::from_unix_seconds, v1::VideoTask};

use crate::{
    completions::{CompletionTimes, TaskKind},
    poll::{PollSchedule, is_later_status},
    retry,
    windows::Windows,
};

/// A task without a record is looked for within this time, however long it is expected to take: it may not exist.
const MAX_FIRST_DELAY: Duration = Duration::from_secs(60);
/// How long a 404 must last before the lifecycle polls the task itself. The API returns 404 for a task that was just
/// created.
const NOT_FOUND_GRACE: Duration = Duration::from_secs(60);
/// Minimum interval between two looks at a task that has ended but lacks its URL, or that the API does not know yet.
const REPEAT_INTERVAL: Duration = Duration::from_secs(5);
/// Maximum delay after a failed query of the task, and between two looks at one that lacks its URL.
const MAX_REPEAT_INTERVAL: Duration = Duration::from_secs(60);
/// How long the service can ask to wait with the next query, at most.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(15 * 60);
/// A list that did not show a task so often, although it was asked for it by id, no longer shows it.
const MAX_MISSES: u32 = 2;

#[derive(Clone, Debug)]
pub(super) struct WatchedTask {
    /// The status that its lifecycle knows. Before its first record, a lifecycle assumes `queued`.
    pub(super) known_status: String,
    /// When the latest lifecycle started that waits for it.
    pub(super) started_at: SystemTime,
    /// As its record says, or an estimate.
    pub(super) created_at: SystemTime,
    /// Whether its position in its list can be estimated.
    pub(super) has_position: bool,
    /// Whether a request for it is on its way.
    pub(super) is_requested: bool,
    /// Whether its lifecycle polls it itself.
    pub(super) is_handed_back: bool,
    pub(super) has_ended: bool,
    kind: Option<TaskKind>,
    looked_at: Option<SystemTime>,
    /// When it was last asked for.
    asked_at: Option<SystemTime>,
    /// The list that shows it. Before its first record: the list in which it is sought next.
    list: Option<usize>,
    misses: u32,
    /// The list that should show it, by its record.
    home: Option<usize>,
    /// Queries that failed since the last record.
    failures: u32,
    /// When the `Retry-After` of its queries ends. `None`: there was none.
    query_after: Option<SystemTime>,
    /// When a record first said that it has ended.
    ended_at: Option<SystemTime>,
    not_found_since: Option<SystemTime>,
    /// When the watcher learned of it.
    noticed_at: SystemTime,
    /// Whether an earlier watcher may have seen a record.
    pub(super) may_have_been_seen: bool,
}

impl WatchedTask {
    /// Returns a task without a record. It was created when its id says, or when its lifecycle started.
    pub(super) fn new(
        id_created_at: Option<SystemTime>,
        started_at: SystemTime,
        windows: &Windows,
        noticed_at: SystemTime,
        took_over_at: Option<SystemTime>,
    ) -> Self {
        let in_id = id_created_at.filter(|created_at| {
            let age = started_at.duration_since(*created_at);
            age.is_ok_and(|age| age < windows.query_window)
        });
        Self {
            known_status: status::QUEUED.to_owned(),
            started_at,
            created_at: in_id.unwrap_or(started_at),
            has_position: true,
            is_requested: false,
            is_handed_back: false,
            has_ended: false,
            kind: None,
            looked_at: None,
            asked_at: None,
            list: Some(0),
            misses: 0,
            home: None,
            failures: 0,
            query_after: None,
            ended_at: None,
            not_found_since: None,
            noticed_at,
            may_have_been_seen: took_over_at.is_some_and(|at| started_at < at),
        }
    }

    /// Notes a status that its lifecycle knows.
    pub(super) fn learn_status(&mut self, status: &str) {
        if is_later_status(status, &self.known_status) {
            self.known_status = status.to_owned();
        }
    }

    pub(super) fn can_be_asked_for(&self, windows: &Windows, now: SystemTime) -> bool {
        !self.is_requested && !self.is_handed_back && !windows.is_closed(self.created_at, now)
    }

    /// Returns whether no `Retry-After` of its last query keeps it from being queried.
    pub(super) fn can_be_queried(&self, now: SystemTime) -> bool {
        self.query_after.is_none_or(|at| at <= now)
    }

    /// Returns the list to look into. `None`: the task has to be queried by itself.
    pub(super) fn list(&self, lists: usize, can_filter_ids: bool) -> Option<usize> {
        let can_be_found = can_filter_ids || self.has_position;
        self.list.filter(|list| *list < lists && can_be_found)
    }

    /// Returns the lag that it has probably accumulated, in polls.
    pub(super) fn worth(
        &self,
        schedule: &PollSchedule,
        times: &mut CompletionTimes,
        now: SystemTime,
    ) -> f64 {
        let since = |time: SystemTime| now.duration_since(time).unwrap_or_default();
        let repeats = self.has_ended || self.not_found_since.is_some();
        if let Some(asked_at) = self.asked_at.filter(|_| self.failures > 0) {
            let delay = retry::exponential(REPEAT_INTERVAL, MAX_REPEAT_INTERVAL, self.failures);
            return since(asked_at).div_duration_f64(delay);
        }
        if let Some(asked_at) = self.asked_at.filter(|_| repeats) {
            let lasts = self.ended_at.map(since).unwrap_or_default();
            let interval = (lasts / 10).clamp(REPEAT_INTERVAL, MAX_REPEAT_INTERVAL);
            return since(asked_at).div_duration_f64(interval);
        }
        let expectation = times.expectation(self.kind.as_ref());
        let age = since(self.created_at);
        let looked_at = self.looked_at.map(|looked_at| {
            let age = looked_at.duration_since(self.created_at);
            age.unwrap_or_default()
        });
        let worth = schedule.worth(&expectation, looked_at, age);
        match looked_at {
            Some(_) => worth,
            // It may not exist.
            None => worth.max(since(self.noticed_at).div_duration_f64(MAX_FIRST_DELAY)),
        }
    }

    /// Takes a record. `list` is the one that should show the task. Returns its kind.
    pub(super) fn look(
        &mut self,
        record: &VideoTask,
        list: Option<usize>,
        requested_at: SystemTime,
    ) -> TaskKind {
        self.created_at = from_unix_seconds(record.created_at).unwrap_or(self.created_at);
        let kind = TaskKind::of(record);
        self.kind = Some(kind.clone());
        if self.home != list {
            self.misses = 0;
        }
        self.home = list;
        // A list that stopped showing the task is not asked again.
        if self.misses < MAX_MISSES {
            self.list = list;
        }
        // Requests overlap: a response may be older than the one before.
        self.looked_at = self.looked_at.max(Some(requested_at));
        self.asked_at = self.asked_at.max(Some(requested_at));
        self.has_position = true;
        self.has_ended = status::is_terminal(&record.status);
        if self.has_ended {
            self.ended_at.get_or_insert(requested_at);
        }
        self.failures = 0;
        self.not_found_since = None;
        self.is_handed_back = false;
        kind
    }

    /// Notes that a list does not show it, although it was asked for it by id.
    pub(super) fn missed_in(&mut self, list: usize) {
        if self.list != Some(list) {
            return;
        }
        match self.looked_at {
            // Sought in the next list.
            None => self.list = Some(list + 1),
            Some(_) => {
                self.misses += 1;
                if self.misses >= MAX_MISSES {
                    self.list = None;
                }
            }
        }
    }

    /// Notes that its query failed, and the `Retry-After`. It must not keep others from being queried.
    pub(super) fn failed(&mut self, now: SystemTime, retry_after: Option<Duration>) {
        self.asked_at = Some(now);
        self.failures = self.failures.saturating_add(1);
        let query_after = retry_after.map(|delay| now + delay.min(MAX_RETRY_AFTER));
        self.query_after = self.query_after.max(query_after);
    }

    /// Notes that the API does not know it. After a while, its lifecycle polls it itself. Returns whether the lifecycle has to
    /// be told that the task existed: a task that vanished is polled for longer than one that never existed.
    pub(super) fn not_found(&mut self, requested_at: SystemTime) -> bool {
        self.asked_at = self.asked_at.max(Some(requested_at));
        let since = *self.not_found_since.get_or_insert(requested_at);
        let lasts = requested_at.duration_since(since).unwrap_or_default();
        let is_final = lasts >= NOT_FOUND_GRACE && !self.is_handed_back;
        self.is_handed_back |= is_final;
        is_final && self.was_seen()
    }

    /// Returns whether a watcher may have seen a record of it.
    pub(super) fn was_seen(&self) -> bool {
        self.looked_at.is_some() || self.may_have_been_seen
    }
}
