//! The Temporal Schedule that repeats the sweep of an account.

use std::time::Duration;

use seedance_archiver_proto::{names, v1::SweepVideoTasksRequest};
use seedance_archiver_workflows::SweepVideoTasks;
use temporalio_client::{Client, schedules::ScheduleError};

use crate::temporal::interval_schedule::IntervalSchedule;

pub use crate::temporal::interval_schedule::ScheduleChange;

/// Minimum interval between two sweeps.
pub const MIN_INTERVAL: Duration = Duration::from_secs(60);

/// The desired schedule of an account.
pub struct Schedule {
    /// Account that is swept.
    pub account: String,
    /// Interval between two sweeps.
    pub interval: Duration,
    /// Task queue of the sweeps.
    pub task_queue: String,
}

impl Schedule {
    /// Returns the schedule id.
    pub fn id(&self) -> String {
        names::sweep_workflow_id(&self.account)
    }

    /// Creates the schedule, or updates it if it differs. A paused schedule stays paused.
    ///
    /// # Errors
    ///
    /// Returns an error if Temporal is unreachable or rejects the call.
    pub async fn ensure(&self, client: &Client) -> Result<ScheduleChange, ScheduleError> {
        let account = names::account_or_default(&self.account);
        let schedule = IntervalSchedule {
            id: self.id(),
            workflow: SweepVideoTasks::default,
            request: SweepVideoTasksRequest {
                account: account.to_owned(),
                ..SweepVideoTasksRequest::default()
            },
            interval: self.interval,
            task_queue: self.task_queue.clone(),
            note: format!("seedance-archiver archives all videos of the account `{account}`"),
        };
        schedule.ensure(client).await
    }
}
