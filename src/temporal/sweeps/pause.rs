//! Whether an operator has paused the schedule of an account: then nothing may start lifecycles by itself.

use std::time::{Duration, Instant};

use seedance_archiver_proto::names;
use temporalio_client::{Client, schedules::ScheduleError, tonic::Code};
use tokio::sync::Mutex;

/// How long the answer of the server is used.
const MAX_AGE: Duration = Duration::from_secs(5);

/// The pause of a schedule, as of a few seconds ago.
pub(crate) struct SchedulePause {
    schedule_id: String,
    last: Mutex<Option<(Instant, bool)>>,
}

impl SchedulePause {
    pub(crate) fn new(account: &str) -> Self {
        Self {
            schedule_id: names::sweep_workflow_id(account),
            last: Mutex::default(),
        }
    }

    /// Returns whether the schedule is paused. One that does not exist is not.
    pub(crate) async fn is_paused(&self, client: &Client) -> bool {
        let mut last = self.last.lock().await;
        let was_paused = match *last {
            Some((at, is_paused)) if at.elapsed() < MAX_AGE => return is_paused,
            Some((_, is_paused)) => is_paused,
            None => false,
        };
        let schedule = client.get_schedule_handle(&self.schedule_id);
        let is_paused = match schedule.describe(Default::default()).await {
            Ok(schedule) => schedule.paused(),
            Err(ScheduleError::Rpc(status)) if status.code() == Code::NotFound => false,
            // A pause outlasts an outage of the server.
            Err(_) => was_paused,
        };
        *last = Some((Instant::now(), is_paused));
        is_paused
    }
}
