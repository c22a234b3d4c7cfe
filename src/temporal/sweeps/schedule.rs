//! The Temporal Schedule that repeats the sweep of an account.

use std::time::Duration;

use seedance_archiver_proto::{names, v1::SweepVideoTasksRequest};
use seedance_archiver_workflows::{SweepVideoTasks, request::Request};
use temporalio_client::{
    Client,
    schedules::{
        CreateScheduleOptions, ScheduleAction, ScheduleDescription, ScheduleDescriptionAction,
        ScheduleError, ScheduleHandle, ScheduleOverlapPolicy, ScheduleSpec, ScheduleUpdate,
    },
    tonic::Code,
};

use crate::temporal::codec;

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

/// The effect of [`Schedule::ensure`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ScheduleChange {
    /// The schedule did not exist and was created.
    Created,
    /// The schedule differed and was updated.
    Updated,
    /// The schedule existed as desired.
    Unchanged,
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
        let handle = client.get_schedule_handle(self.id());
        match handle.describe(Default::default()).await {
            Ok(existing) if self.matches(client, &existing).await => Ok(ScheduleChange::Unchanged),
            Ok(_) => {
                self.update(&handle).await?;
                Ok(ScheduleChange::Updated)
            }
            Err(ScheduleError::Rpc(status)) if status.code() == Code::NotFound => {
                self.create(client).await
            }
            Err(error) => Err(error),
        }
    }

    async fn create(&self, client: &Client) -> Result<ScheduleChange, ScheduleError> {
        let options = CreateScheduleOptions::builder()
            .action(self.action())
            .spec(ScheduleSpec::from_interval(self.interval))
            .overlap_policy(ScheduleOverlapPolicy::Skip)
            .note(format!(
                "seedance-archiver archives all videos of the account `{}`",
                names::account_or_default(&self.account)
            ))
            // Otherwise the first sweep would start after one interval.
            .trigger_immediately(true)
            .build();
        match client.create_schedule(self.id(), options).await {
            Ok(_) => Ok(ScheduleChange::Created),
            // Another worker created it in the meantime.
            Err(ScheduleError::Rpc(status)) if status.code() == Code::AlreadyExists => {
                Ok(ScheduleChange::Unchanged)
            }
            Err(error) => Err(error),
        }
    }

    /// Updates the interval, the action and the overlap policy. Notes and pauses are left to operators.
    async fn update(&self, handle: &ScheduleHandle<Client>) -> Result<(), ScheduleError> {
        let (spec, action) = (ScheduleSpec::from_interval(self.interval), self.action());
        let set = |update: &mut ScheduleUpdate| {
            update
                .set_spec(spec)
                .set_action(action)
                .set_overlap_policy(ScheduleOverlapPolicy::Skip);
        };
        handle.update(set, Default::default()).await
    }

    fn action(&self) -> ScheduleAction {
        let request = Request::from(self.request());
        ScheduleAction::start_workflow(SweepVideoTasks, request, &self.task_queue, self.id())
    }

    fn request(&self) -> SweepVideoTasksRequest {
        SweepVideoTasksRequest {
            account: names::account_or_default(&self.account).to_owned(),
            ..SweepVideoTasksRequest::default()
        }
    }

    /// Returns whether an existing schedule starts the same sweep at the same interval.
    async fn matches(&self, client: &Client, existing: &ScheduleDescription) -> bool {
        let ScheduleDescriptionAction::StartWorkflow(action) = existing.action() else {
            return false;
        };
        let request = match action.raw_args().and_then(<[_]>::first) {
            Some(payload) => codec::decode(client, payload).await.ok(),
            None => None,
        };
        let request = request.and_then(|payload| serde_json::from_slice(&payload.data).ok());
        action.task_queue() == self.task_queue
            && action.workflow_id() == self.id()
            && request == Some(self.request())
            && interval_of(existing) == Some(self.interval)
    }
}

/// Returns the interval of a schedule whose spec is one interval and nothing else.
fn interval_of(schedule: &ScheduleDescription) -> Option<Duration> {
    let spec = schedule.raw().schedule.as_ref()?.spec.as_ref()?;
    match spec.interval.as_slice() {
        [only] if spec.structured_calendar.is_empty() => only.interval?.try_into().ok(),
        _ => None,
    }
}
