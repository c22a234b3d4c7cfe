//! The event of an ending.

use seedance_archiver_proto::v1::{OutcomeRecord, VideoTask};
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{
    super::{ending_event, heartbeat},
    progress::RecordProgress,
};
use crate::{config::Account, webhook::event};

/// Starts the delivery of the event that the lifecycle ended.
pub(super) async fn start(
    ctx: &ActivityContext,
    account: &Account,
    workflow_queue: &str,
    ending: &OutcomeRecord,
    task: Option<&VideoTask>,
) -> Result<(), ActivityError> {
    let event = event::ended(ending, task);
    let earlier = RecordProgress::last(ctx);
    let failures = earlier.event_failures;
    let started = ending_event::start(ctx, account, workflow_queue, event, failures).await;
    if started.is_err() {
        let progress = RecordProgress {
            event_failures: failures + 1,
            ..earlier
        };
        heartbeat::record(ctx, progress).await;
    }
    started
}
