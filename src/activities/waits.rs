//! `AwaitVideoTask`: the wait for a lifecycle. It begins one or joins the one that is running; to end the
//! wait ends no lifecycle.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use seedance_archiver_proto::v1::{
    AwaitProgress, AwaitVideoTaskRequest, VideoTaskLifecycleRequest, VideoTaskLifecycleResult,
};
use temporalio_common::error::ApplicationFailure;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::sync::Semaphore;

use super::{beat, failure, successor};
use crate::{
    config::Account,
    temporal::lifecycles::{self, Lifecycle, LifecycleError},
};

/// Waits that hold a slot and a connection's stream at once: half of the slots that workers have by default.
/// The others look now and then, so that any number of callers leaves room for questions.
const HELD: usize = 50;
/// How often a held wait heartbeats. By heartbeats it learns that its caller no longer waits.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The waits of one worker.
#[derive(Clone)]
pub(super) struct Waits {
    slots: Arc<Semaphore>,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            slots: Arc::new(Semaphore::new(HELD)),
        }
    }
}

impl Waits {
    /// The result of the task's lifecycle, with a warning where it is not the one that was asked for.
    pub(super) async fn wait(
        &self,
        ctx: &ActivityContext,
        account: &Account,
        request: &AwaitVideoTaskRequest,
    ) -> Result<VideoTaskLifecycleResult, ActivityError> {
        let lifecycle = begin(ctx, request).await.map_err(failed)?;
        beat::tell(ctx, progress(&lifecycle)).await;
        // Without heartbeats nobody would notice that this worker is gone.
        let may_hold = ctx.info().heartbeat_timeout.is_some();
        let slot = may_hold.then(|| self.slots.try_acquire().ok()).flatten();
        let Some(_slot) = slot else {
            return look(ctx, account, request, &lifecycle).await;
        };
        tokio::select! {
            result = lifecycle.result() => ended(request, &lifecycle, result).await,
            () = ctx.cancelled() => Err(told_to_stop(ctx).await),
            never = beat::tell_on(ctx, HEARTBEAT, || progress(&lifecycle)) => match never {},
        }
    }
}

/// The lifecycle that an earlier attempt has begun to wait for, or the one that runs, or a new one.
async fn begin(
    ctx: &ActivityContext,
    request: &AwaitVideoTaskRequest,
) -> Result<Lifecycle, LifecycleError> {
    let (client, (account, task_id)) = (ctx.client(), (&request.account, &request.task_id));
    let awaited: Option<AwaitProgress> = ctx.heartbeat_details().deserialize().ok().flatten();
    if let Some(AwaitProgress { run_id }) = awaited {
        let lifecycle = Lifecycle::of_run(&client, account, task_id, &run_id);
        if lifecycle.exists().await? {
            return Ok(lifecycle);
        }
    }
    let request = VideoTaskLifecycleRequest {
        task_id: task_id.clone(),
        account: account.clone(),
        destination: request.destination.clone(),
        ..VideoTaskLifecycleRequest::default()
    };
    lifecycles::start(&client, &ctx.info().task_queue, request).await
}

/// One look, where there is no slot to wait in: the next one comes later, the longer it takes.
async fn look(
    ctx: &ActivityContext,
    account: &Account,
    request: &AwaitVideoTaskRequest,
    lifecycle: &Lifecycle,
) -> Result<VideoTaskLifecycleResult, ActivityError> {
    let snapshot = lifecycle.describe_latest().await.map_err(failed)?;
    if snapshot.is_some_and(|snapshot| snapshot.execution.is_open()) {
        let begun = ctx.info().scheduled_time.unwrap_or_else(SystemTime::now);
        let age = begun.elapsed().unwrap_or_default();
        let delay = (age / 10)
            .min(account.schedule.max_interval)
            .max(account.schedule.min_interval);
        return Err(still_waiting(delay));
    }
    ended(request, lifecycle, lifecycle.result().await).await
}

async fn ended(
    request: &AwaitVideoTaskRequest,
    lifecycle: &Lifecycle,
    result: Result<VideoTaskLifecycleResult, LifecycleError>,
) -> Result<VideoTaskLifecycleResult, ActivityError> {
    let mut result = result.map_err(failed)?;
    // Where history does not say, it costs the warning and not the result.
    if let Ok(started_with) = lifecycle.request().await {
        let told = elsewhere(&request.destination, &started_with.destination);
        result.warnings.extend(told);
    }
    Ok(result)
}

/// What to tell a caller whose lifecycle somebody else had started, for another destination.
fn elsewhere(wanted: &str, started_with: &str) -> Option<String> {
    let [wanted, started_with] = [wanted, started_with].map(|url| url.trim_end_matches('/'));
    if wanted == started_with {
        return None;
    }
    let named = |url: &str| match url {
        "" => "the worker's own archive".to_owned(),
        url => format!("`{url}`"),
    };
    let (wanted, started_with) = (named(wanted), named(started_with));
    Some(format!(
        "the lifecycle of this task ran already, for {started_with}: nothing was stored in {wanted}"
    ))
}

/// The wait was cancelled, or its worker shuts down and another one is to go on with it.
async fn told_to_stop(ctx: &ActivityContext) -> ActivityError {
    if successor::may_go_on(ctx).await {
        still_waiting(Duration::ZERO)
    } else {
        ActivityError::cancelled()
    }
}

fn still_waiting(delay: Duration) -> ActivityError {
    let message = format!(
        "the lifecycle is still running; next look in {}",
        failure::seconds(delay)
    );
    failure::still_waiting(message, delay)
}

/// The lifecycle's own failure is its caller's too. That Temporal cannot be asked is none.
fn failed(error: LifecycleError) -> ActivityError {
    match error.failure_type() {
        Some(failure_type) => ApplicationFailure::builder(error.to_string())
            .type_name(failure_type.to_owned())
            .non_retryable(true)
            .build()
            .into(),
        None => ApplicationFailure::builder(error).build().into(),
    }
}

/// Tells the next attempt which run it is to wait for.
fn progress(lifecycle: &Lifecycle) -> AwaitProgress {
    AwaitProgress {
        run_id: lifecycle.run_id().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_told_of_another_destination() {
        assert_eq!(elsewhere("", ""), None);
        assert_eq!(elsewhere("s3://a/b/", "s3://a/b"), None);
        let told = elsewhere("s3://a", "").unwrap();
        assert!(told.contains("`s3://a`") && told.contains("the worker's own"));
    }
}
