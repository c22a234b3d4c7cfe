//! The Temporal Schedule that repeats the audit of an archive.

use std::time::Duration;

use seedance_archiver_policy::audits::Share;
use seedance_archiver_proto::{names, v1::AuditArchiveRequest};
use seedance_archiver_workflows::AuditArchive;
use temporalio_client::{Client, schedules::ScheduleError, tonic::Code};

use crate::temporal::interval_schedule::{IntervalSchedule, ScheduleChange};

/// Minimum interval between two audits, each of which lists the archive.
pub(crate) const MIN_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// The desired schedule of an archive.
pub(crate) struct Schedule {
    /// Archive URL. Empty: the archive of the workers.
    pub(crate) destination: String,
    /// Interval between two audits.
    pub(crate) interval: Duration,
    /// Part of the archive that each audit verifies.
    pub(crate) share: Share,
    /// Task queue of the audits.
    pub(crate) task_queue: String,
}

impl Schedule {
    /// Creates the schedule, or updates it if it differs. A paused schedule stays paused.
    ///
    /// # Errors
    ///
    /// Returns an error if Temporal is unreachable or rejects the call.
    pub(crate) async fn ensure(&self, client: &Client) -> Result<ScheduleChange, ScheduleError> {
        let archive = match self.destination.as_str() {
            "" => "the archive of the workers".to_owned(),
            url => format!("the archive `{url}`"),
        };
        let schedule = IntervalSchedule {
            id: names::audit_schedule_id(&self.destination),
            workflow: AuditArchive::default,
            request: AuditArchiveRequest {
                destination: self.destination.clone(),
                share: self.share.to_string(),
                ..AuditArchiveRequest::default()
            },
            interval: self.interval,
            task_queue: self.task_queue.clone(),
            note: format!("seedance-archiver verifies {archive}"),
        };
        schedule.ensure(client).await
    }
}

/// Deletes the schedule of an archive. Returns whether it existed. An audit that is running continues.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub(crate) async fn delete(client: &Client, destination: &str) -> Result<bool, ScheduleError> {
    let handle = client.get_schedule_handle(names::audit_schedule_id(destination));
    match handle.delete(Default::default()).await {
        Ok(()) => Ok(true),
        Err(ScheduleError::Rpc(status)) if status.code() == Code::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
