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

/// Shortest time between two sweeps.
pub const SHORTEST: Duration = Duration::from_secs(60);

/// A schedule as it is to be.
pub struct Schedule {
    /// Account that is swept.
    pub account: String,
    /// Time between two sweeps.
    pub every: Duration,
    /// Task queue of the sweeps.
    pub task_queue: String,
}

/// What was done to have it so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ensured {
    /// There was none.
    Created,
    /// There was another one.
    Updated,
    /// It was there.
    Unchanged,
}

impl Schedule {
    /// Its id.
    pub fn id(&self) -> String {
        names::sweep_workflow_id(&self.account)
    }

    /// Makes sure that it is there. One that somebody has paused stays paused.
    pub async fn ensure(&self, client: &Client) -> Result<Ensured, ScheduleError> {
        let handle = client.get_schedule_handle(self.id());
        match handle.describe(Default::default()).await {
            Ok(found) if self.is(client, &found).await => Ok(Ensured::Unchanged),
            Ok(_) => {
                self.update(&handle).await?;
                Ok(Ensured::Updated)
            }
            Err(ScheduleError::Rpc(status)) if status.code() == Code::NotFound => {
                self.create(client).await
            }
            Err(error) => Err(error),
        }
    }

    async fn create(&self, client: &Client) -> Result<Ensured, ScheduleError> {
        let options = CreateScheduleOptions::builder()
            .action(self.action())
            .spec(ScheduleSpec::from_interval(self.every))
            .overlap_policy(ScheduleOverlapPolicy::Skip)
            .note(format!(
                "seedance-archiver archives what the account `{}` makes",
                names::account_or_default(&self.account)
            ))
            // The first sweep is now.
            .trigger_immediately(true)
            .build();
        match client.create_schedule(self.id(), options).await {
            Ok(_) => Ok(Ensured::Created),
            // Another worker was faster.
            Err(ScheduleError::Rpc(status)) if status.code() == Code::AlreadyExists => {
                Ok(Ensured::Unchanged)
            }
            Err(error) => Err(error),
        }
    }

    /// Sets what it does and when, and nothing that a person may have set since.
    async fn update(&self, handle: &ScheduleHandle<Client>) -> Result<(), ScheduleError> {
        let (spec, action) = (ScheduleSpec::from_interval(self.every), self.action());
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

    /// Whether a schedule does this, and this often.
    async fn is(&self, client: &Client, found: &ScheduleDescription) -> bool {
        let ScheduleDescriptionAction::StartWorkflow(action) = found.action() else {
            return false;
        };
        let request = match action.raw_args().and_then(<[_]>::first) {
            Some(payload) => codec::decoded(client, payload).await.ok(),
            None => None,
        };
        let request = request.and_then(|payload| serde_json::from_slice(&payload.data).ok());
        action.task_queue() == self.task_queue
            && action.workflow_id() == self.id()
            && request == Some(self.request())
            && interval(found) == Some(self.every)
    }
}

/// Its interval, where that is all that says when it runs.
fn interval(found: &ScheduleDescription) -> Option<Duration> {
    let spec = found.raw().schedule.as_ref()?.spec.as_ref()?;
    match spec.interval.as_slice() {
        [only] if spec.structured_calendar.is_empty() => only.interval?.try_into().ok(),
        _ => None,
    }
}
