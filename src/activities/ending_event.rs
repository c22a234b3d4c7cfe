//! Starts the delivery of an event from the activity that ends a lifecycle, without adding anything to the history of the
//! lifecycle.
//!
//! The receipt or `outcome.json` is written before. If the worker dies in between, or Temporal cannot be reached, the next
//! attempt finds what was written and starts the delivery. Temporal starts one with the same workflow id only once.

use std::time::Duration;

use seedance_archiver_proto::v1::{DeliverEventRequest, VideoEvent};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::time::timeout;

use super::failure;
use crate::{
    config::Account,
    telemetry::record::{self, EventResult},
    temporal::events::{self, StartError},
};

/// Maximum time for the call, less than the heartbeat timeout. The client repeats a failed call within it.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Delay of the next attempt. That of the retry policy would be longer than the time that a cancelled lifecycle has left.
const RETRY_DELAY: Duration = Duration::from_secs(10);
/// Number of attempts that may fail to start the delivery: about a minute. Attempts while Temporal is down do not count,
/// because their heartbeats fail too.
const MAX_FAILURES: u32 = 5;

/// Starts the delivery of an event, if the account has a webhook. `task_queue` is that of the workflows, and `failures` the
/// number of attempts that could not start it.
///
/// # Errors
///
/// Returns a retryable error if another attempt may start the delivery. After too many of them, and if Temporal rejects the
/// call, the failure is only logged and counted: it must neither fail a lifecycle nor hold it up.
pub(super) async fn start(
    ctx: &ActivityContext,
    account: &Account,
    task_queue: &str,
    event: Option<VideoEvent>,
    failures: u32,
) -> Result<(), ActivityError> {
    let (Some(_), Some(event)) = (&account.webhook, event) else {
        return Ok(());
    };
    let task_id = event.subject.clone();
    let request = DeliverEventRequest {
        account: account.name().to_owned(),
        event: Some(event),
    };
    let client = ctx.client();
    let started = timeout(TIMEOUT, events::start(&client, task_queue, request)).await;
    let error = match started.unwrap_or_else(|_| Err(timed_out())) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    if error.is_temporary && failures < MAX_FAILURES {
        let message = format!("cannot start the delivery of the event: {}", error.message);
        return Err(failure::untyped_after(&message, RETRY_DELAY));
    }
    record::event(account.name(), EventResult::NotStarted);
    tracing::error!(
        task_id,
        account = account.name(),
        error = error.message,
        "cannot start the delivery of the event; the receiver will not get it"
    );
    Ok(())
}

fn timed_out() -> StartError {
    StartError {
        message: format!("no response from Temporal within {} s", TIMEOUT.as_secs()),
        is_temporary: true,
    }
}
