//! What a watcher does, as its heartbeat and the metrics show it.

use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;
use seedance_archiver_policy::completions::CompletionTimes;
use seedance_archiver_proto::{external, time::unix_seconds, v1::WatcherProgress};

use crate::{seedance, telemetry::record};

/// Interval between two heartbeats. The SDK sends fewer, as the heartbeat timeout allows.
pub(super) const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(2);
/// Without an answer for so long, lifecycles must not rely on the watcher.
const MAX_SILENCE: Duration = Duration::from_secs(30);
/// Maximum number of tasks in a heartbeat that their lifecycles poll themselves. With more of them, no lifecycle relies on
/// the watcher.
const MAX_NOT_FOUND: usize = 200;

/// A kind of request to the API: the label `request` of metrics.
#[derive(Clone, Copy, Debug, PartialEq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub(super) enum RequestKind {
    List,
    Query,
}

/// The progress of a watcher.
pub(super) struct Progress {
    account: String,
    state: Mutex<State>,
}

struct State {
    progress: WatcherProgress,
    list_error: String,
    query_error: String,
    failing_since: Option<Instant>,
    is_ending: bool,
}

impl Progress {
    /// Continues the progress of an earlier attempt.
    pub(super) fn resume(account: &str, progress: WatcherProgress) -> Self {
        Self {
            account: account.to_owned(),
            state: Mutex::new(State {
                progress: WatcherProgress {
                    not_found: Vec::new(),
                    is_reliable: false,
                    ..progress
                },
                list_error: String::new(),
                query_error: String::new(),
                failing_since: None,
                // Until the first lifecycles are known.
                is_ending: true,
            }),
        }
    }

    /// Returns the details of a heartbeat.
    pub(super) fn details(&self) -> WatcherProgress {
        let mut state = self.state.lock();
        let is_silent = state
            .failing_since
            .is_some_and(|since| since.elapsed() > MAX_SILENCE);
        state.progress.is_reliable =
            !is_silent && !state.is_ending && state.progress.not_found.len() <= MAX_NOT_FOUND;
        let mut details = state.progress.clone();
        details.not_found.truncate(MAX_NOT_FOUND);
        record::watcher(&self.account, &details);
        details
    }

    /// Counts an answer of the API.
    pub(super) fn answered(&self, kind: RequestKind, now: SystemTime) {
        self.count_request(kind, "answered");
        let mut state = self.state.lock();
        state.failing_since = None;
        state.error_of(kind).clear();
        state.show_errors();
        state.progress.answered_at = unix_seconds(now);
        if kind == RequestKind::List {
            state.progress.listed_at = unix_seconds(now);
        }
    }

    /// Counts a request that failed.
    pub(super) fn failed(&self, kind: RequestKind, error: &seedance::Error) {
        self.count_request(kind, "failed");
        let mut state = self.state.lock();
        state.failing_since.get_or_insert_with(Instant::now);
        *state.error_of(kind) = external::message(&error.to_string());
        state.show_errors();
    }

    fn count_request(&self, kind: RequestKind, result: &'static str) {
        record::watcher_request(&self.account, kind.into(), result);
        let progress = &mut self.state.lock().progress;
        match kind {
            RequestKind::List => progress.lists += 1,
            RequestKind::Query => progress.queries += 1,
        }
    }

    /// Counts a record that was delivered to a lifecycle.
    pub(super) fn delivered(&self) {
        self.state.lock().progress.delivered += 1;
    }

    /// Counts a lifecycle that was started.
    pub(super) fn started(&self) {
        self.state.lock().progress.started += 1;
    }

    /// Sets the tasks that are watched now, and those of them that their lifecycles poll themselves.
    pub(super) fn set_watched(&self, watched: usize, not_found: Vec<String>) {
        let progress = &mut self.state.lock().progress;
        progress.watched = i64::try_from(watched).unwrap_or(i64::MAX);
        progress.not_found = not_found;
    }

    pub(super) fn set_completion_times(&self, times: &CompletionTimes) {
        self.state.lock().progress.completion_times = Some(times.state());
    }

    /// Sets whether the watcher is about to end, so that lifecycles must not rely on it.
    pub(super) fn set_ending(&self, is_ending: bool) {
        self.state.lock().is_ending = is_ending;
    }
}

impl State {
    fn error_of(&mut self, kind: RequestKind) -> &mut String {
        match kind {
            RequestKind::List => &mut self.list_error,
            RequestKind::Query => &mut self.query_error,
        }
    }

    /// Shows the errors that no answer to the same kind of request followed.
    fn show_errors(&mut self) {
        let errors = [("list", &self.list_error), ("query", &self.query_error)];
        let errors = errors.into_iter().filter(|(_, error)| !error.is_empty());
        let errors: Vec<_> = errors
            .map(|(kind, error)| format!("{kind}: {error}"))
            .collect();
        self.progress.last_error = errors.join("; ");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        // Another worker may continue: its gauge counts from now on.
        record::watcher(&self.account, &WatcherProgress::default());
    }
}
