//! The schedule of an archive, and its last and running audit.

use std::time::{Duration, SystemTime};

use seedance_archiver_proto::{
    names,
    v1::{AuditArchiveRequest, AuditReport, AuditState},
};
use seedance_archiver_workflows::reply::Reply;
use temporalio_client::{
    Client, WorkflowGetResultOptions, errors::WorkflowGetResultError,
    schedules::ScheduleDescription,
};

use super::runs::{self, Run};
use crate::temporal::{codec, error_text, interval_schedule, lifecycles::ExecutionStatus};

/// The schedule of an archive, and what it started.
pub(crate) struct AuditStatus {
    /// `None` if it was changed by hand to something else than an interval.
    pub(crate) interval: Option<Duration>,
    /// Part of the archive that each audit verifies.
    pub(crate) share: String,
    pub(crate) is_paused: bool,
    pub(crate) next_at: Option<SystemTime>,
    pub(crate) running: Option<RunningAudit>,
    pub(crate) last: Option<EndedAudit>,
}

/// An audit that is running.
pub(crate) struct RunningAudit {
    pub(crate) workflow_id: String,
    pub(crate) started_at: Option<SystemTime>,
    /// The report so far.
    pub(crate) report: AuditReport,
    /// Message of the last failed attempt. Empty if none failed.
    pub(crate) last_message: String,
}

/// The last audit that ended.
pub(crate) struct EndedAudit {
    pub(crate) workflow_id: String,
    pub(crate) status: ExecutionStatus,
    pub(crate) ended_at: Option<SystemTime>,
    /// The report, or why there is none.
    pub(crate) report: Result<AuditReport, String>,
}

/// Describes the schedule of an archive. `None` if it does not exist.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects a call.
pub(crate) async fn describe(
    client: &Client,
    destination: &str,
) -> Result<Option<AuditStatus>, String> {
    let id = names::audit_schedule_id(destination);
    let schedule = interval_schedule::find(client, &id).await;
    let Some(schedule) = schedule.map_err(|error| error_text::innermost(&error))? else {
        return Ok(None);
    };
    let request: Option<AuditArchiveRequest> =
        interval_schedule::request_of(client, &schedule).await;
    let mut status = AuditStatus {
        interval: interval_schedule::interval_of(&schedule),
        share: request.unwrap_or_default().share,
        is_paused: schedule.paused(),
        next_at: next_at(&schedule),
        running: None,
        last: None,
    };
    for action in runs::newest_first(schedule.recent_actions()) {
        let Some(run) = runs::find(client, &action).await? else {
            break;
        };
        if run.status().is_open() {
            status.running = Some(running(client, &action.workflow_id, &run).await);
        } else {
            status.last = Some(ended(action.workflow_id, &run).await?);
            break;
        }
    }
    Ok(Some(status))
}

fn next_at(schedule: &ScheduleDescription) -> Option<SystemTime> {
    let next = schedule.future_action_times().into_iter().min();
    next.filter(|_| !schedule.paused())
}

async fn running(client: &Client, workflow_id: &str, run: &Run) -> RunningAudit {
    let activity = run.description.raw().pending_activities.first();
    let state: Option<AuditState> = match activity {
        Some(activity) => codec::heartbeat(client, activity).await,
        None => None,
    };
    RunningAudit {
        workflow_id: workflow_id.to_owned(),
        started_at: run.description.start_time(),
        report: state.and_then(|state| state.report).unwrap_or_default(),
        last_message: activity
            .and_then(|activity| activity.last_failure.as_ref())
            .map_or_else(String::new, |failure| failure.message.clone()),
    }
}

async fn ended(workflow_id: String, run: &Run) -> Result<EndedAudit, String> {
    let report = match run
        .handle
        .get_result(WorkflowGetResultOptions::default())
        .await
    {
        Ok(report) => Ok(Reply::into_message(report)),
        Err(WorkflowGetResultError::Failed(failure)) => Err(error_text::from_failure(&failure)),
        Err(WorkflowGetResultError::Rpc(status)) => return Err(error_text::innermost(&status)),
        Err(error) => Err(error_text::innermost(&error)),
    };
    Ok(EndedAudit {
        workflow_id,
        status: run.status(),
        ended_at: run.description.close_time(),
        report,
    })
}
