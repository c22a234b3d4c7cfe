//! The candidates of a search: the listed tasks, and to whom they belong.

use seedance_archiver_policy::submissions::{Candidate, Claim};
use seedance_archiver_proto::v1::VideoTask;
use temporalio_client::Client;

use super::shared::OfAccount;
use crate::{
    config::Account,
    seedance,
    temporal::submissions::{
        Submission,
        owners::{self, Owner},
        rivals,
    },
};

/// Maximum number of candidates that are looked up one by one, which costs two calls each, and a third for one whose
/// lifecycle no submission started. More are ambiguous in any case.
const MAX_LOOKED_UP: usize = 5;

/// A candidate, and whether it has a lifecycle.
pub(super) struct Found {
    pub(super) candidate: Candidate,
    pub(super) has_lifecycle: bool,
}

/// Finds out to whom listed tasks belong, and whether another submission may have created the only one that is left.
pub(super) struct Candidates<'a> {
    pub(super) client: &'a Client,
    pub(super) seedance: &'a seedance::Client,
    pub(super) account: &'a Account,
    pub(super) shared: &'a OfAccount,
    pub(super) own: &'a Submission,
}

impl Candidates<'_> {
    /// Returns the candidates, and whether there are rivals.
    pub(super) async fn find(&self, tasks: &[VideoTask]) -> Result<(Vec<Found>, bool), String> {
        let mut owners = self.known_owners(tasks).await?;
        let undecided: Vec<_> = (0..owners.len())
            .filter(|index| self.claim(&owners[*index]) == Claim::Nobody)
            .collect();
        if undecided.len() <= MAX_LOOKED_UP {
            for index in undecided {
                let name = self.account.name();
                owners[index] = owners::of_task(self.client, name, &tasks[index].id).await?;
            }
        }
        let found: Vec<_> = tasks
            .iter()
            .zip(&owners)
            .map(|(task, owner)| self.found(&task.id, owner))
            .collect();
        let mut free = tasks
            .iter()
            .zip(&found)
            .filter(|(_, found)| found.candidate.claim == Claim::Nobody);
        // Rivals are looked for only where they decide.
        let has_rivals = match (free.next(), free.next()) {
            (Some((only, _)), None) => self.has_rivals(only).await?,
            _ => false,
        };
        Ok((found, has_rivals))
    }

    /// Returns the candidates if nobody can say to whom they belong, so that an ambiguous submission names them.
    pub(super) fn unknown(&self, tasks: &[VideoTask]) -> Vec<Found> {
        let found = tasks
            .iter()
            .map(|task| self.found(&task.id, &Owner::Nobody));
        found.collect()
    }

    /// Returns the owners, as far as the visibility store shows them. It is not asked about a few tasks: those are looked
    /// up.
    async fn known_owners(&self, tasks: &[VideoTask]) -> Result<Vec<Owner>, String> {
        if tasks.len() <= MAX_LOOKED_UP {
            return Ok(vec![Owner::Nobody; tasks.len()]);
        }
        let task_ids: Vec<_> = tasks.iter().map(|task| task.id.clone()).collect();
        let (clock, name) = (self.seedance.clock(), self.account.name());
        let owners = self.shared.owners.of(clock, self.client, name, &task_ids);
        owners.await
    }

    async fn has_rivals(&self, task: &VideoTask) -> Result<bool, String> {
        let (clock, name) = (self.seedance.clock(), self.account.name());
        let read = rivals::open(self.client, name);
        let open = self.shared.open.get(clock, |_, _| true, read).await?;
        rivals::exist(self.client, name, self.own, task, &open).await
    }

    fn found(&self, id: &str, owner: &Owner) -> Found {
        Found {
            candidate: Candidate {
                id: id.to_owned(),
                claim: self.claim(owner),
            },
            has_lifecycle: *owner != Owner::Nobody,
        }
    }

    /// Returns to whom a task belongs. The lifecycles that an account starts by itself say nothing; another one was started
    /// by a caller that knew the id of the task.
    fn claim(&self, owner: &Owner) -> Claim {
        let callbacks = self.account.callbacks.as_ref();
        let starts_lifecycles = self.account.auto_archive
            || callbacks.is_some_and(|callbacks| callbacks.start_lifecycles);
        match owner {
            Owner::Submission(id) if id == self.own.workflow_id() => Claim::Own,
            Owner::Submission(_) => Claim::Other,
            Owner::Lifecycle if !starts_lifecycles => Claim::Other,
            Owner::Lifecycle | Owner::Nobody => Claim::Nobody,
        }
    }
}
