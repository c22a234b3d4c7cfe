//! Failures of workflows and activities.

use anyhow::anyhow;
use seedance_archiver_proto::v1::VideoTask;
use temporalio_client::{ActivityIdentifier, Client, RpcOptions};
use temporalio_common::error::{ApplicationFailure, IncomingError};

use super::until_async;

/// Returns the failure at the end of the cause chain.
pub(crate) fn root_cause(failure: &IncomingError) -> &IncomingError {
    failure.cause().map_or(failure, root_cause)
}

/// Makes an activity of a workflow fail for good, once it runs.
pub(crate) async fn fail_activity(
    client: &Client,
    workflow_id: &str,
    activity_id: &str,
) -> anyhow::Result<()> {
    until_async("the activity failed", || async {
        let failure = ApplicationFailure::builder(anyhow!("broken"))
            .type_name("Broken".to_owned())
            .non_retryable(true)
            .build();
        let activity = ActivityIdentifier::by_id_workflow(workflow_id, "", activity_id);
        let activity = client.get_async_activity_handle(activity);
        let failed = activity.fail(failure, None::<VideoTask>, RpcOptions::default());
        Ok(failed.await.is_ok())
    })
    .await
}
