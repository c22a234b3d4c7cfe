//! Reads what pending activities say: the details of their heartbeats and their last failures, which no history keeps.

use std::{collections::BTreeMap, mem, sync::Arc, time::Duration};

use futures::TryStreamExt;
use parking_lot::Mutex;
use prost::Message;
use temporalio_client::{Client, UntypedWorkflow, WorkflowDescribeOptions, WorkflowListOptions};
use temporalio_common::protos::temporal::api::workflow::v1::PendingActivityInfo;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

const INTERVAL: Duration = Duration::from_secs(5);
/// The server may be broken.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Finds the workflows that run.
const OPEN: &str = "ExecutionStatus = 'Running'";

/// What was said, encoded, and a workflow in which it was.
pub(super) type Said = BTreeMap<Vec<u8>, String>;

/// Reads until it is stopped or dropped.
pub(super) struct PendingActivities {
    task: JoinHandle<()>,
    said: Arc<Mutex<Said>>,
}

impl PendingActivities {
    pub(super) fn start(client: Client) -> Self {
        let said = Arc::<Mutex<Said>>::default();
        let task = tokio::spawn(read(client, said.clone()));
        Self { task, said }
    }

    /// Returns what was said until now.
    pub(super) fn stop(self) -> Said {
        mem::take(&mut *self.said.lock())
    }
}

impl Drop for PendingActivities {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(client: Client, said: Arc<Mutex<Said>>) {
    loop {
        for workflow_id in open_workflows(&client).await {
            let activities = pending(&client, &workflow_id).await;
            let texts = activities.iter().flat_map(said_by);
            let texts = texts.map(|text| (text, workflow_id.clone()));
            said.lock().extend(texts);
        }
        sleep(INTERVAL).await;
    }
}

/// Returns the ids of the workflows that run, none if the server does not answer.
async fn open_workflows(client: &Client) -> Vec<String> {
    let open = client.list_workflows(OPEN, WorkflowListOptions::default());
    match timeout(CALL_TIMEOUT, open.try_collect::<Vec<_>>()).await {
        Ok(Ok(open)) => open.iter().map(|it| it.id().to_owned()).collect(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

/// Returns the pending activities of a workflow, none if the server does not answer.
async fn pending(client: &Client, workflow_id: &str) -> Vec<PendingActivityInfo> {
    let handle = client.get_workflow_handle::<UntypedWorkflow>(workflow_id);
    let description = handle.describe(WorkflowDescribeOptions::default());
    match timeout(CALL_TIMEOUT, description).await {
        Ok(Ok(it)) => it.into_raw().pending_activities,
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

/// Returns what an activity says, each encoded.
pub(super) fn said_by(activity: &PendingActivityInfo) -> Vec<Vec<u8>> {
    let heartbeat = activity.heartbeat_details.as_ref();
    let heartbeat = heartbeat.map(|details| details.encode_to_vec());
    let failure = activity.last_failure.as_ref();
    let failure = failure.map(|failure| failure.encode_to_vec());
    [heartbeat, failure].into_iter().flatten().collect()
}
