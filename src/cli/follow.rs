//! Follows lifecycles and generations until they end, with a progress line for each video.

mod generation;
mod progress;

use std::{
    cell::{Cell, RefCell},
    time::{Duration, SystemTime},
};

use futures::{StreamExt, stream};
use indicatif::MultiProgress;
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::v1::VideoTaskLifecycleRequest;
use temporalio_client::Client;

use super::task_result::TaskResult;
use crate::temporal::lifecycles::{self, Step};
use progress::ProgressLine;

pub(super) use generation::{Generated, follow_generation};

/// Grace period after the expiry of a URL, until its job is abandoned.
const URL_EXPIRY_GRACE: Duration = Duration::from_secs(30);
/// Interval between two checks of a transfer that is still running after the grace period.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A lifecycle to start and follow.
pub(super) struct Job {
    pub(super) request: VideoTaskLifecycleRequest,
    /// When the video's URL expires. The job is abandoned soon afterwards unless its transfer is running. `None` if
    /// it is never abandoned.
    pub(super) url_expires_at: Option<SystemTime>,
}

impl From<VideoTaskLifecycleRequest> for Job {
    fn from(request: VideoTaskLifecycleRequest) -> Self {
        Self {
            request,
            url_expires_at: None,
        }
    }
}

/// Starts a lifecycle for each request and waits until all ended.
pub(super) async fn follow_all(
    client: &Client,
    task_queue: &str,
    requests: Vec<VideoTaskLifecycleRequest>,
) -> Vec<TaskResult> {
    let jobs: Vec<_> = requests.into_iter().map(Job::from).collect();
    let concurrency = jobs.len();
    follow_jobs(client, task_queue, jobs, concurrency).await
}

/// Starts the jobs in their order, at most `concurrency` at a time, and waits until all ended.
pub(super) async fn follow_jobs(
    client: &Client,
    task_queue: &str,
    jobs: Vec<Job>,
    concurrency: usize,
) -> Vec<TaskResult> {
    let bars = MultiProgress::new();
    // More lines than fit on a terminal: lines of ended jobs scroll away.
    let scrolls = jobs.len() > concurrency;
    let followed = jobs.into_iter().enumerate().map(|(index, job)| {
        let bars = &bars;
        async move {
            let line = ProgressLine::new(bars, &job.request.task_id, scrolls);
            (index, follow(client, task_queue, job, line).await)
        }
    });
    let mut results: Vec<_> = stream::iter(followed)
        .buffer_unordered(concurrency.max(1))
        .collect()
        .await;
    if !scrolls && !bars.is_hidden() {
        // The bars stay, and the cursor is at the end of the last one.
        errln!("");
    }
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

async fn follow(client: &Client, task_queue: &str, job: Job, mut line: ProgressLine) -> TaskResult {
    let task_id = job.request.task_id.clone();
    let result = async {
        let lifecycle = lifecycles::start(client, task_queue, job.request).await?;
        let is_transferring = Cell::new(false);
        let last_message = RefCell::new(String::new());
        let result = tokio::select! {
            result = lifecycle.follow(|step| {
                is_transferring.set(matches!(step, Step::Archiving { .. }));
                line.show(&step);
                if let Step::Waiting(message) = step {
                    *last_message.borrow_mut() = message;
                }
            }) => result?,
            () = until_abandoned(job.url_expires_at, &is_transferring) => {
                return Err(lifecycle.error(abandoned(&last_message.borrow())));
            }
        };
        let cost = lifecycle.cost().await.ok();
        Ok((result, cost))
    }
    .await;
    line.finish(&result);
    TaskResult { task_id, result }
}

/// Returns why a job was abandoned. Only its last message says whether the host refused the URL or could not be reached.
fn abandoned(last_message: &str) -> String {
    // The rest says when the next attempt would have started.
    match last_message.split("; ").next() {
        None | Some("") => "gave up after the expiry of the URL".to_owned(),
        Some(message) => format!("gave up after the expiry of the URL; last status: {message}"),
    }
}

/// Resolves when the URL expired and no transfer is running.
async fn until_abandoned(url_expires_at: Option<SystemTime>, is_transferring: &Cell<bool>) {
    let Some(url_expires_at) = url_expires_at else {
        return std::future::pending().await;
    };
    // If the URL expired before the job was started, the grace period remains: a query may return a fresh one.
    let left = url_expires_at
        .duration_since(Clock::default().now())
        .unwrap_or_default();
    tokio::time::sleep(left.saturating_add(URL_EXPIRY_GRACE)).await;
    while is_transferring.get() {
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}
