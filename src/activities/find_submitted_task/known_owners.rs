//! The owners of tasks that this worker knows.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use seedance_archiver_clock::Clock;
use temporalio_client::Client;
use tokio::sync::Mutex;

use super::recent::{MAX_AGE, is_younger};
use crate::temporal::submissions::owners::{self, Owner};

/// How long a submission is known to own a task. That does not change, and nobody looks for a task for longer.
const SUBMISSION_AGE: Duration = Duration::from_secs(20 * 60);

/// The owners of the tasks of an account, as the visibility store showed them.
#[derive(Debug, Default)]
pub(super) struct KnownOwners(Mutex<BTreeMap<String, (SystemTime, Owner)>>);

impl KnownOwners {
    /// Returns the owner of each task, in their order. One look at a time reads those that are not known.
    ///
    /// # Errors
    ///
    /// Returns an error if Temporal is unreachable or rejects a call.
    pub(super) async fn of(
        &self,
        clock: &Clock,
        client: &Client,
        account: &str,
        task_ids: &[String],
    ) -> Result<Vec<Owner>, String> {
        let mut known = self.0.lock().await;
        let now = clock.now();
        known.retain(|_, (at, owner)| is_younger(*at, now, max_age(owner)));
        let is_unknown = |id: &&String| !known.contains_key(*id);
        let unknown: Vec<_> = task_ids.iter().filter(is_unknown).cloned().collect();
        let mut listed = owners::listed(client, account, &unknown).await?;
        for id in unknown {
            let owner = listed.remove(&id).unwrap_or(Owner::Nobody);
            known.insert(id, (now, owner));
        }
        let owner = |id| known.get(id).map(|(_, owner)| owner.clone());
        let owners = task_ids.iter().map(|id| owner(id).unwrap_or(Owner::Nobody));
        Ok(owners.collect())
    }
}

fn max_age(owner: &Owner) -> Duration {
    match owner {
        Owner::Submission(_) => SUBMISSION_AGE,
        Owner::Nobody | Owner::Lifecycle => MAX_AGE,
    }
}
