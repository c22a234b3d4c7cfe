//! Follows more lifecycles than a terminal has lines. Lifecycles are started in chunks, checked in
//! rounds, and shown as one bar.

mod progress;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use seedance_archiver_proto::v1::{VideoTaskLifecycleRequest, VideoTaskLifecycleResult};
use temporalio_client::Client;

use super::task_result::{LifecycleResult, TaskResult};
use crate::temporal::lifecycles::{self, Lifecycle, LifecycleError};
use progress::Progress;

/// Maximum number of concurrent calls to Temporal.
const CALL_CONCURRENCY: usize = 16;
/// Number of lifecycles that are started, and then checked, before the next ones are started.
const CHUNK_SIZE: usize = 500;
/// Minimum pause between two rounds of checks. A pause is at least as long as the round before it.
const MIN_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A task id with its lifecycle, or the reason why none was started.
type Started = (String, Result<Lifecycle, LifecycleError>);

/// Starts a lifecycle for each request, or joins the running one. Calls `on_start` after each.
pub(super) async fn start(
    client: &Client,
    task_queue: &str,
    requests: Vec<VideoTaskLifecycleRequest>,
    mut on_start: impl FnMut(&str, &Result<Lifecycle, LifecycleError>),
) -> Vec<Started> {
    let starts = requests.into_iter().map(|request| async {
        let task_id = request.task_id.clone();
        let lifecycle = lifecycles::start(client, task_queue, request).await;
        (task_id, lifecycle)
    });
    let mut starts = stream::iter(starts).buffered(CALL_CONCURRENCY);
    let mut started = Vec::new();
    while let Some((task_id, lifecycle)) = starts.next().await {
        on_start(&task_id, &lifecycle);
        started.push((task_id, lifecycle));
    }
    started
}

/// Starts a lifecycle for each request and waits until all ended.
pub(super) async fn follow_all(
    client: &Client,
    task_queue: &str,
    requests: Vec<VideoTaskLifecycleRequest>,
) -> Vec<TaskResult> {
    let mut batch = Batch::new(requests.len());
    let mut requests = requests.into_iter();
    loop {
        let chunk: Vec<_> = requests.by_ref().take(CHUNK_SIZE).collect();
        let all_started = chunk.is_empty();
        let started = start(client, task_queue, chunk, |_, _| {
            batch.progress.add_started();
        })
        .await;
        batch.add(started);
        let round = Instant::now();
        let max_checks = if all_started { usize::MAX } else { CHUNK_SIZE };
        batch.check(max_checks).await;
        if all_started && batch.running.is_empty() {
            return batch.finish();
        }
        if all_started {
            tokio::time::sleep(round.elapsed().max(MIN_CHECK_INTERVAL)).await;
        }
    }
}

/// The lifecycles of a batch. Each has the index of its request, which is the order of the results.
struct Batch {
    /// Open lifecycles, the least recently checked first.
    running: Vec<(usize, String, Lifecycle)>,
    ended: BTreeMap<usize, TaskResult>,
    progress: Progress,
}

impl Batch {
    fn new(total: usize) -> Self {
        Self {
            running: Vec::new(),
            ended: BTreeMap::new(),
            progress: Progress::new(total),
        }
    }

    fn add(&mut self, started: Vec<Started>) {
        for (task_id, lifecycle) in started {
            let index = self.running.len() + self.ended.len();
            match lifecycle {
                Ok(lifecycle) => self.running.push((index, task_id, lifecycle)),
                Err(error) => self.add_result(index, task_id, Err(error)),
            }
        }
    }

    /// Checks up to `max_checks` lifecycles and collects the results of those that ended. A failed
    /// check is shown, and repeated in a later round.
    async fn check(&mut self, max_checks: usize) {
        let checked = self.running.drain(..max_checks.min(self.running.len()));
        let checks = checked.map(|(index, task_id, lifecycle)| async move {
            let result = result_if_ended(&lifecycle).await;
            (index, task_id, lifecycle, result)
        });
        let checks: Vec<_> = stream::iter(checks)
            .buffer_unordered(CALL_CONCURRENCY)
            .collect()
            .await;
        let mut last_error = None;
        for (index, task_id, lifecycle, result) in checks {
            let result = result.unwrap_or_else(|error| {
                last_error = Some(error.to_string());
                None
            });
            match result {
                Some(result) => self.add_result(index, task_id, result),
                None => self.running.push((index, task_id, lifecycle)),
            }
        }
        self.progress.set_check_error(last_error);
    }

    fn add_result(&mut self, index: usize, task_id: String, result: LifecycleResult) {
        self.progress.add_result(&result);
        self.ended.insert(index, TaskResult { task_id, result });
    }

    fn finish(self) -> Vec<TaskResult> {
        self.progress.clear();
        self.ended.into_values().collect()
    }
}

/// Returns the result of a lifecycle, or `None` while it is running. An error means that Temporal could
/// not be reached.
async fn result_if_ended(lifecycle: &Lifecycle) -> Result<Option<LifecycleResult>, LifecycleError> {
    match result_of(lifecycle).await {
        Err(error) if error.is_transient() => Err(error),
        // The workflow failed, or its result cannot be read here: asking again does not help.
        Err(error) => Ok(Some(Err(error))),
        Ok(result) => Ok(result.map(|result| Ok((result, None)))),
    }
}

/// Returns the result of a lifecycle, or `None` while it is running.
async fn result_of(
    lifecycle: &Lifecycle,
) -> Result<Option<VideoTaskLifecycleResult>, LifecycleError> {
    match lifecycle.describe_latest().await? {
        Some(snapshot) if snapshot.execution.is_open() => Ok(None),
        Some(_) => lifecycle.result().await.map(Some),
        None => {
            let error = "workflow not found; its history may have been deleted";
            Err(lifecycle.error(error.into()))
        }
    }
}
