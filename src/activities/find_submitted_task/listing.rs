//! The tasks in the list that a submission may have created.

use std::time::Duration;

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
    fn add(&mut self, listed: Listed, search: &Search) {
        let tasks = listed.tasks.iter();
        let fitting = tasks.filter(|task| search.may_have_created(task));
        self.tasks.extend(fitting.cloned());
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
