//! The watcher of an account, as `status` shows it.

use anyhow::anyhow;
use seedance_archiver_proto::names;
use serde::Serialize;
use temporalio_client::Client;

use super::text::{count, time_with_age};
use crate::temporal::watchers::{self, WatcherState};

/// What is known of a running watcher. Times are Unix seconds, 0 if unknown.
#[derive(Debug, Serialize)]
pub(super) struct WatcherStatus {
    /// Workflow id.
    workflow_id: String,
    /// Whether its activity runs on a worker.
    is_alive: bool,
    /// Whether lifecycles rely on it to poll their tasks.
    is_reliable: bool,
    /// Identity of the worker that runs the activity, or ran it last.
    worker: String,
    /// Number of the running or the next attempt, from 1. 0: there is none.
    attempt: i32,
    /// Message of the last failed attempt.
    last_message: String,
    /// Number of tasks that it polls.
    watched: i64,
    /// Number of records that it delivered to lifecycles.
    delivered: i64,
    /// Number of lifecycles that it started.
    started: i64,
    /// Number of list requests.
    lists: i64,
    /// Number of queries of single tasks.
    queries: i64,
    /// When the API last answered it.
    answered_at: i64,
    /// When the API last answered a list request.
    listed_at: i64,
    /// The last errors of the API.
    last_error: String,
    /// Ids of tasks that the API does not know. Their lifecycles poll them.
    not_found: Vec<String>,
}

impl WatcherStatus {
    /// Describes the watcher of an account. `None` if it is not running.
    pub(super) async fn of(client: &Client, account: &str) -> anyhow::Result<Option<Self>> {
        let state = watchers::describe_on_any_queue(client, account).await;
        let state = state.map_err(|error| {
            let workflow_id = names::watcher_workflow_id(account);
            anyhow!("cannot describe the workflow `{workflow_id}`: {error}")
        })?;
        Ok(state.is_running.then(|| Self::new(account, state)))
    }

    fn new(account: &str, state: WatcherState) -> Self {
        let progress = state.progress;
        Self {
            workflow_id: names::watcher_workflow_id(account),
            is_alive: state.is_alive,
            is_reliable: state.is_alive && progress.is_reliable,
            worker: state.worker,
            attempt: state.attempt,
            last_message: state.last_message,
            watched: progress.watched,
            delivered: progress.delivered,
            started: progress.started,
            lists: progress.lists,
            queries: progress.queries,
            answered_at: progress.answered_at,
            listed_at: progress.listed_at,
            last_error: progress.last_error,
            not_found: progress.not_found,
        }
    }

    /// Returns its properties with their names. Unknown ones are empty. `task_id`: the task that is shown, if one is.
    pub(super) fn facts(&self, task_id: Option<&str>) -> Vec<(&'static str, String)> {
        let is_running = match (self.is_alive, self.attempt) {
            (true, _) => format!("running on {}", self.worker),
            (false, 0) => "between two activities".to_owned(),
            (false, attempt) => format!("waiting for a worker, attempt {attempt}"),
        };
        let started = match self.started {
            0 => String::new(),
            started => started.to_string(),
        };
        vec![
            ("watcher", format!("`{}`, {is_running}", self.workflow_id)),
            ("polled by", self.polled_by(task_id).to_owned()),
            ("tasks watched", number(self.watched, "task")),
            ("delivered", number(self.delivered, "record")),
            ("lifecycles started", started),
            ("requests", self.requests()),
            ("last response", time_with_age(self.answered_at)),
            ("last list", time_with_age(self.listed_at)),
            ("API error", self.last_error.clone()),
            ("attempt failed", self.last_message.clone()),
        ]
    }

    /// Returns who polls the tasks.
    fn polled_by(&self, task_id: Option<&str>) -> &'static str {
        let is_not_found = task_id.is_some_and(|id| self.not_found.iter().any(|it| it == id));
        match (self.is_reliable, is_not_found) {
            (true, false) => "the watcher; the lifecycles' own polls are a backstop",
            (true, true) => "the lifecycle; the API did not return the task to the watcher",
            (false, _) => "the lifecycles; the watcher is starting, ending or without an answer",
        }
    }

    fn requests(&self) -> String {
        let queries = match self.queries {
            1 => "1 query".to_owned(),
            queries => format!("{queries} queries"),
        };
        format!("{}, {queries}", number(self.lists, "list"))
    }
}

fn number(number: i64, noun: &str) -> String {
    count(usize::try_from(number).unwrap_or_default(), noun)
}

#[cfg(test)]
mod tests {
    use seedance_archiver_proto::v1::WatcherProgress;

    use super::*;

    fn state() -> WatcherState {
        WatcherState {
            is_running: true,
            is_alive: true,
            task_queue: String::new(),
            worker: "12@host".into(),
            attempt: 1,
            last_message: String::new(),
            progress: WatcherProgress {
                watched: 1_200,
                delivered: 1,
                lists: 3,
                queries: 1,
                not_found: vec!["cgt-2".into()],
                is_reliable: true,
                ..WatcherProgress::default()
            },
        }
    }

    fn fact(state: WatcherState, task_id: Option<&str>, name: &str) -> String {
        let facts = WatcherStatus::new("eu", state).facts(task_id);
        let fact = facts.into_iter().find(|(it, _)| *it == name);
        fact.unwrap().1
    }

    #[test]
    fn a_watcher_is_described_by_its_heartbeat() {
        let fact = |name| fact(state(), None, name);
        assert_eq!(fact("watcher"), "`account-watcher/eu`, running on 12@host");
        assert_eq!(fact("tasks watched"), "1,200 tasks");
        assert_eq!(fact("delivered"), "1 record");
        assert_eq!(fact("requests"), "3 lists, 1 query");
        assert_eq!(fact("lifecycles started"), "");
    }

    #[test]
    fn it_is_shown_who_polls_a_task() {
        let polled_by = |state, id| fact(state, Some(id), "polled by");
        assert!(polled_by(state(), "cgt-1").starts_with("the watcher; "));
        assert!(polled_by(state(), "cgt-2").starts_with("the lifecycle; "));
        let dead = WatcherState {
            is_alive: false,
            attempt: 3,
            ..state()
        };
        assert_eq!(
            fact(dead.clone(), None, "watcher"),
            "`account-watcher/eu`, waiting for a worker, attempt 3"
        );
        assert!(polled_by(dead, "cgt-1").starts_with("the lifecycles; "));
    }
}
