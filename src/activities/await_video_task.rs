//! `AwaitVideoTask`: starts the lifecycle of a task, or joins the running one, and waits for its result.
//! Cancelling the activity stops the waiting, not the lifecycle.

use std::{sync::Arc, time::Duration};

use seedance_archiver_clock::Clock;
use seedance_archiver_proto::{
    outcome,
    v1::{AwaitProgress, AwaitVideoTaskRequest, VideoTaskLifecycleResult},
};
use seedance_archiver_workflows::{reply::Reply, video_lost};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::sync::Semaphore;

use super::{checked_request::CheckedRequest, failure, heartbeat, next_attempt, waiting};
use crate::{
    config::Account,
    temporal::lifecycles::{self, Lifecycle, LifecycleError},
};

/// Maximum number of attempts that hold an activity slot and an HTTP/2 stream while they wait: half of the
/// default slots. Further attempts check the lifecycle once and are retried, so that slots for queries remain.
const MAX_HELD_SLOTS: usize = 50;
/// Interval between two heartbeats of a held wait. The response to a heartbeat reports a
/// cancellation.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// The slots that waiting attempts may hold in one worker.
#[derive(Clone)]
pub(super) struct WaitSlots(Arc<Semaphore>);

impl Default for WaitSlots {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_HELD_SLOTS)))
    }
}

type Call = CheckedRequest<AwaitVideoTaskRequest, Arc<Account>>;

pub(super) async fn run(
    ctx: &ActivityContext,
    slots: &WaitSlots,
    clock: &Clock,
    call: Call,
) -> Result<VideoTaskLifecycleResult, ActivityError> {
    let CheckedRequest {
        request,
        account,
        encoding,
    } = call;
    let lifecycle = join(ctx, &request).await.map_err(lifecycle_failure)?;
    heartbeat::record(ctx, progress(&lifecycle)).await;
    let mut result = wait(ctx, slots, clock, &account, &lifecycle).await?;
    result
        .warnings
        .extend(destination_warning(&request, &lifecycle).await);
    if result.outcome == outcome::LOST && !request.report_only {
        return Err(video_lost::failure(Reply::new(result, encoding)).into());
    }
    Ok(result)
}

/// Returns the lifecycle that an earlier attempt waited for, the running one, or a new one.
async fn join(
    ctx: &ActivityContext,
    request: &AwaitVideoTaskRequest,
) -> Result<Lifecycle, LifecycleError> {
    let (client, (account, task_id)) = (ctx.client(), (&request.account, &request.task_id));
    if let Some(AwaitProgress { run_id }) = heartbeat::last_details(ctx) {
        let lifecycle = Lifecycle::for_run(&client, account, task_id, &run_id);
        if lifecycle.exists().await? {
            return Ok(lifecycle);
        }
    }
    let request = lifecycles::request_of(request);
    lifecycles::start(&client, &ctx.info().task_queue, request).await
}

/// Waits for the result while holding the activity slot, if enough slots are free. Otherwise checks once.
async fn wait(
    ctx: &ActivityContext,
    slots: &WaitSlots,
    clock: &Clock,
    account: &Account,
    lifecycle: &Lifecycle,
) -> Result<VideoTaskLifecycleResult, ActivityError> {
    // Without a heartbeat timeout, the server would not notice the loss of this worker.
    let may_hold = ctx.info().heartbeat_timeout.is_some();
    let slot = may_hold.then(|| slots.0.try_acquire().ok()).flatten();
    let Some(_slot) = slot else {
        return check(ctx, clock, account, lifecycle).await;
    };
    let details = || progress(lifecycle);
    tokio::select! {
        result = lifecycle.result() => result.map_err(lifecycle_failure),
        () = ctx.cancelled() => {
            Err(next_attempt::or_cancelled(ctx, || still_waiting(Duration::ZERO)).await)
        }
        never = heartbeat::record_every(ctx, HEARTBEAT_INTERVAL, details) => match never {},
    }
}

/// Returns the result if the lifecycle ended. Otherwise fails, and is retried after a delay that grows with the
/// time waited.
async fn check(
    ctx: &ActivityContext,
    clock: &Clock,
    account: &Account,
    lifecycle: &Lifecycle,
) -> Result<VideoTaskLifecycleResult, ActivityError> {
    let latest = lifecycle
        .describe_latest()
        .await
        .map_err(lifecycle_failure)?;
    if latest.is_some_and(|snapshot| snapshot.execution.is_open()) {
        let waited = waiting::waited(ctx, clock);
        return Err(still_waiting(account.schedule.interval_at(waited)));
    }
    lifecycle.result().await.map_err(lifecycle_failure)
}

fn still_waiting(delay: Duration) -> ActivityError {
    let message = format!(
        "lifecycle still running; next check in {}",
        failure::seconds(delay)
    );
    failure::still_waiting(message, delay)
}

/// Returns the failure of a lifecycle that failed, non-retryable and of the same type, or a retryable one if
/// Temporal could not be called.
fn lifecycle_failure(error: LifecycleError) -> ActivityError {
    match error.failure_type().map(str::to_owned) {
        Some(failure_type) => failure::non_retryable(&error.to_string(), &failure_type),
        None => failure::untyped(&error.to_string()),
    }
}

/// Returns the details of a heartbeat: the run for which the next attempt waits.
fn progress(lifecycle: &Lifecycle) -> AwaitProgress {
    AwaitProgress {
        run_id: lifecycle.run_id().to_owned(),
    }
}

/// Returns a warning if the lifecycle was started for another destination than this request's.
async fn destination_warning(
    request: &AwaitVideoTaskRequest,
    lifecycle: &Lifecycle,
) -> Option<String> {
    // An unreadable history must not cost the result.
    let started_with = lifecycle.request().await.ok()?;
    other_destination(&request.destination, &started_with.destination)
}

fn other_destination(requested: &str, actual: &str) -> Option<String> {
    let [requested, actual] = [requested, actual].map(|url| url.trim_end_matches('/'));
    if requested == actual {
        return None;
    }
    let name = |url: &str| match url {
        "" => "the worker's archive".to_owned(),
        url => format!("`{url}`"),
    };
    let (requested, actual) = (name(requested), name(actual));
    Some(format!(
        "joined a lifecycle that was started for {actual}: nothing was archived to {requested}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifecycle_with_another_destination_causes_a_warning() {
        assert_eq!(other_destination("", ""), None);
        assert_eq!(other_destination("s3://a/b/", "s3://a/b"), None);
        let warning = other_destination("s3://a", "").unwrap();
        assert!(warning.contains("`s3://a`") && warning.contains("the worker's archive"));
    }
}
