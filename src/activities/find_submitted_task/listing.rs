//! The tasks in the list that a submission may have created.

use std::{collections::BTreeSet, time::Duration};

use seedance_archiver_policy::submissions::Search;
use seedance_archiver_proto::v1::{SweepPage, VideoTask};

use super::{listed::Listed, shared::OfAccount};
use crate::{config::Account, seedance::Client};

/// What the list shows.
#[derive(Default)]
pub(super) struct Listing {
    /// The tasks that the submission may have created, newest first.
    pub(super) tasks: Vec<VideoTask>,
    /// Why tasks may be missing. Empty: these are all.
    pub(super) problem: String,
    /// Whether more may be readable later.
    pub(super) is_outage: bool,
    /// How long the service asks to wait.
    pub(super) retry_after: Duration,
    /// The ids of the tasks.
    ids: BTreeSet<String>,
}

/// Lists the tasks that may be that of the search, `max` at most.
pub(super) async fn list(
    seedance: &Client,
    shared: &OfAccount,
    account: &Account,
    search: &Search,
    max: usize,
) -> Listing {
    let mut listing = Listing::default();
    for first in lists(account, search) {
        let list = shared.list(&first);
        let read = Listed::read(seedance, account, search.earliest(), first);
        let listed = list
            .get(seedance.clock(), |at, it| it.is_for(search, at), read)
            .await;
        listing.add(listed, search);
    }
    if listing.tasks.len() > max {
        listing.tasks.truncate(max);
        listing.problem = format!("there are more than {max}");
    }
    listing
}

impl Listing {
    /// Adds the tasks in a list, each once: a page may come again, two lists may show the same task, and a task that is
    /// created meanwhile moves others to the next page. Two candidates with one id would be ambiguous.
    fn add(&mut self, listed: Listed, search: &Search) {
        let tasks = listed.tasks.iter();
        for task in tasks.filter(|task| search.may_have_created(task)) {
            if self.ids.insert(task.id.clone()) {
                self.tasks.push(task.clone());
            }
        }
        if !listed.problem.is_empty() {
            self.problem = listed.problem;
        }
        self.is_outage |= listed.is_outage;
        self.retry_after = self.retry_after.max(listed.retry_after);
    }
}

/// Returns the first page of each list that may show the task.
fn lists(account: &Account, search: &Search) -> Vec<SweepPage> {
    let lists = &account.lists;
    let submitted = search.submitted();
    match lists.index_of(&submitted.service_tier, &submitted.model) {
        Some(index) => lists.all().into_iter().skip(index).take(1).collect(),
        None => lists.all(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use seedance_archiver_proto::v1::SubmittedRequest;

    use super::*;

    const SUBMITTED_AT: i64 = 1_000_000;

    fn listed(ids: &[&str]) -> Listed {
        let task = |id: &&str| VideoTask {
            id: (*id).to_owned(),
            created_at: SUBMITTED_AT,
            ..VideoTask::default()
        };
        Listed {
            tasks: ids.iter().map(task).collect(),
            problem: String::new(),
            is_outage: false,
            retry_after: Duration::ZERO,
            since: SystemTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_task_that_is_listed_twice_is_one_candidate() {
        let search = Search::new(SubmittedRequest {
            submitted_at: SUBMITTED_AT,
            ..SubmittedRequest::default()
        });
        let search = search.unwrap();
        let mut listing = Listing::default();
        listing.add(listed(&["a", "b", "a"]), &search);
        listing.add(listed(&["b", "c"]), &search);
        let ids: Vec<_> = listing.tasks.iter().map(|task| task.id.as_str()).collect();
        assert_eq!(ids, ["a", "b", "c"]);
    }
}
