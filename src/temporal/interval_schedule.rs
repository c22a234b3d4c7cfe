//! A Temporal Schedule that starts a workflow at an interval.

use std::time::Duration;

use seedance_archiver_workflows::{encoding::ContractMessage, request::Request};
use temporalio_client::{
    Client,
    schedules::{
        CreateScheduleOptions, ScheduleAction, ScheduleDescription, ScheduleDescriptionAction,
        ScheduleError, ScheduleHandle, ScheduleOverlapPolicy, ScheduleSpec, ScheduleUpdate,
    },
    tonic::Code,
};
use temporalio_common::HasWorkflowDefinition;

use super::codec;

/// The desired schedule of a workflow.
pub(crate) struct IntervalSchedule<W, R> {
    /// Id of the schedule. The server appends the time for the id of a workflow.
    pub(crate) id: String,
    /// Returns the workflow, which has no state yet.
    pub(crate) workflow: fn() -> W,
    pub(crate) request: R,
    /// Interval between two workflows.
    pub(crate) interval: Duration,
    /// Task queue of the workflows.
    pub(crate) task_queue: String,
    pub(crate) note: String,
}

/// What became of a schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ScheduleChange {
    /// The schedule did not exist and was created.
    Created,
    /// The schedule differed and was updated.
    Updated,
    /// The schedule existed as desired.
    Unchanged,
}

impl ScheduleChange {
    /// Returns the change as a word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

impl<W, R> IntervalSchedule<W, R>
where
    W: HasWorkflowDefinition<Input = Request<R>>,
    R: ContractMessage + Clone + PartialEq + 'static,
{
    /// Creates the schedule, or updates it if it differs. A paused schedule stays paused.
    ///
    /// # Errors
    ///
    /// Returns an error if Temporal is unreachable or rejects the call.
    pub(crate) async fn ensure(&self, client: &Client) -> Result<ScheduleChange, ScheduleError> {
        let handle = client.get_schedule_handle(&self.id);
        match find(client, &self.id).await? {
            Some(existing) if self.matches(client, &existing).await => {
                Ok(ScheduleChange::Unchanged)
            }
            Some(_) => {
                self.update(&handle).await?;
                Ok(ScheduleChange::Updated)
            }
            None => self.create(client).await,
        }
    }

    async fn create(&self, client: &Client) -> Result<ScheduleChange, ScheduleError> {
        let options = CreateScheduleOptions::builder()
            .action(self.action())
            .spec(ScheduleSpec::from_interval(self.interval))
            .overlap_policy(ScheduleOverlapPolicy::Skip)
            .note(&self.note)
            // Otherwise the first workflow would start after one interval.
            .trigger_immediately(true)
            .build();
        match client.create_schedule(&self.id, options).await {
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
        let request = Request::from(self.request.clone());
        ScheduleAction::start_workflow((self.workflow)(), request, &self.task_queue, &self.id)
    }

    /// Returns whether an existing schedule starts the same workflow at the same interval.
    async fn matches(&self, client: &Client, existing: &ScheduleDescription) -> bool {
        let ScheduleDescriptionAction::StartWorkflow(action) = existing.action() else {
            return false;
        };
        action.task_queue() == self.task_queue
            && action.workflow_id() == self.id
            && request_of(client, existing).await.as_ref() == Some(&self.request)
            && interval_of(existing) == Some(self.interval)
    }
}

/// Returns a schedule, `None` if it does not exist.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub(crate) async fn find(
    client: &Client,
    id: &str,
) -> Result<Option<ScheduleDescription>, ScheduleError> {
    let handle = client.get_schedule_handle(id);
    match handle.describe(Default::default()).await {
        Ok(schedule) => Ok(Some(schedule)),
        Err(ScheduleError::Rpc(status)) if status.code() == Code::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the task queue on which a schedule starts its workflow.
pub(crate) fn task_queue_of(schedule: &ScheduleDescription) -> Option<String> {
    match schedule.action() {
        ScheduleDescriptionAction::StartWorkflow(action) => Some(action.task_queue().to_owned()),
        _ => None,
    }
}

/// Returns the request with which a schedule starts its workflow.
pub(crate) async fn request_of<R: ContractMessage>(
    client: &Client,
    schedule: &ScheduleDescription,
) -> Option<R> {
    let ScheduleDescriptionAction::StartWorkflow(action) = schedule.action() else {
        return None;
    };
    let payload = action.raw_args().and_then(<[_]>::first)?.clone();
    let payload = codec::decode(client, &payload).await.ok()?;
    serde_json::from_slice(&payload.data).ok()
}

/// Returns the interval of a schedule whose spec is one interval and nothing else.
pub(crate) fn interval_of(schedule: &ScheduleDescription) -> Option<Duration> {
    let spec = schedule.raw().schedule.as_ref()?.spec.as_ref()?;
    match spec.interval.as_slice() {
        [only] if spec.structured_calendar.is_empty() => only.interval?.try_into().ok(),
        _ => None,
    }
}
