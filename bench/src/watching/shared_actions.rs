//! Actions that are not those of one video.

use std::{ops::Range, time::SystemTime};

use anyhow::Context;
use futures::TryStreamExt;
use temporalio_client::{Client, WorkflowListOptions};
use temporalio_common::protos::temporal::api::history::v1::HistoryEvent;

use super::actions;
use crate::history;

const SWEEP: &str = "SweepVideoTasks";
/// Actions of a schedule, besides the start of its workflow.
const ACTIONS_OF_SCHEDULE: u64 = 2;

/// Returns the actions of watchers and sweeps in a time, without heartbeats.
pub(super) async fn count(client: &Client, time: &Range<SystemTime>) -> anyhow::Result<u64> {
    let query = format!("WorkflowType IN ('AccountWatcher', '{SWEEP}')");
    let found = client.list_workflows(query, WorkflowListOptions::default());
    let found: Vec<_> = found.try_collect().await.context("cannot list workflows")?;
    let mut sum = 0;
    for workflow in found {
        let events = history::events(client, workflow.id(), Some(workflow.run_id())).await?;
        let is_inside =
            |event: &HistoryEvent| history::time_of(event).is_some_and(|at| time.contains(&at));
        sum += actions::count(&events, is_inside).values().sum::<u64>();
        let is_new = events.first().is_some_and(is_inside);
        if is_new && workflow.workflow_type() == SWEEP {
            sum += ACTIONS_OF_SCHEDULE;
        }
    }
    Ok(sum)
}
