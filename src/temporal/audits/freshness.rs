//! Whether the audits of every schedule complete, for metrics.

use std::{
    convert::Infallible,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures::TryStreamExt;
use metrics::gauge;
use temporalio_client::{
    Client,
    schedules::{ListSchedulesOptions, ScheduleSummary},
};
use tokio::time::MissedTickBehavior;

use super::runs;
use crate::{
    telemetry::{
        metrics::{AUDIT_COMPLETED, AUDIT_OVERDUE},
        rare::RareEvent,
    },
    temporal::{error_text, lifecycles::ExecutionStatus},
};

/// Interval between two updates. Audits are an hour apart, or more.
const UPDATE_INTERVAL: Duration = Duration::from_secs(5 * 60);
/// Type of the workflow of an audit.
const AUDIT_WORKFLOW: &str = "AuditArchive";
/// Number of intervals after which an audit is overdue: one may have failed, or take long.
const MAX_INTERVALS: u32 = 2;

/// When the last audit of a schedule completed, and the interval of the schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Freshness {
    completed_at: SystemTime,
    interval: Duration,
}

/// Updates the metrics at a fixed interval. Never returns: run it beside a worker.
pub(crate) async fn update_metrics(client: &Client) -> Infallible {
    let mut event = RareEvent::default();
    let mut ticks = tokio::time::interval(UPDATE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match read(client).await {
            Ok(schedules) => set(&schedules),
            Err(error) if event.is_due(&error) => {
                tracing::warn!(error, "cannot read the schedules of audits");
            }
            Err(_) => {}
        }
    }
}

fn set(schedules: &[Freshness]) {
    let overdue = schedules
        .iter()
        .map(|it| it.completed_at + MAX_INTERVALS * it.interval);
    gauge!(AUDIT_OVERDUE).set(seconds(overdue.min()).unwrap_or(f64::INFINITY));
    let completed = schedules.iter().map(|it| it.completed_at);
    if let Some(completed) = seconds(completed.min()) {
        gauge!(AUDIT_COMPLETED).set(completed);
    }
}

fn seconds(time: Option<SystemTime>) -> Option<f64> {
    Some(time?.duration_since(UNIX_EPOCH).ok()?.as_secs_f64())
}

/// Reads when the last audit of each schedule completed.
async fn read(client: &Client) -> Result<Vec<Freshness>, String> {
    let schedules = client.list_schedules(ListSchedulesOptions::default());
    let schedules: Vec<_> = schedules
        .try_collect()
        .await
        .map_err(|error| error_text::innermost(&error))?;
    let mut found = Vec::new();
    for schedule in schedules {
        if schedule.workflow_type() == Some(AUDIT_WORKFLOW) {
            found.extend(freshness(client, &schedule).await?);
        }
    }
    Ok(found)
}

/// Returns `None` for a schedule without a single interval, or one that has started no audit yet.
async fn freshness(
    client: &Client,
    schedule: &ScheduleSummary,
) -> Result<Option<Freshness>, String> {
    let Some(interval) = interval(schedule) else {
        return Ok(None);
    };
    let mut completed_at = None;
    for action in runs::newest_first(schedule.recent_actions()) {
        // Without a completed audit, the time of the earliest one that is known.
        completed_at = runs::started_at(&action);
        let Some(run) = runs::find(client, &action).await? else {
            // The namespace keeps histories for a shorter time than the interval.
            break;
        };
        if run.status() == ExecutionStatus::Completed {
            completed_at = run.description.close_time().or(completed_at);
            break;
        }
    }
    Ok(completed_at.map(|completed_at| Freshness {
        completed_at,
        interval,
    }))
}

fn interval(schedule: &ScheduleSummary) -> Option<Duration> {
    let spec = schedule.raw().info.as_ref()?.spec.as_ref()?;
    match spec.interval.as_slice() {
        [only] => only.interval?.try_into().ok(),
        _ => None,
    }
}
