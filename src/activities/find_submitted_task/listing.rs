//! The tasks in the list that a submission may have created.

use std::time::Duration;

use seedance_archiver_policy::{pages, submissions::Search};
use seedance_archiver_proto::{time::unix_seconds, v1::SweepPage};

use crate::{
    config::Account,
    seedance::{Client, Error, Page},
};

/// Maximum number of pages of each list. A page has up to 500 tasks.
const MAX_PAGES: i64 = 20;

/// What the list shows.
#[derive(Default)]
pub(super) struct Listing {
    /// Ids of the tasks that the submission may have created, newest first.
    pub(super) task_ids: Vec<String>,
    /// Why tasks may be missing. Empty: these are all.
    pub(super) problem: String,
    /// How long the service asks to wait.
    pub(super) retry_after: Duration,
}

/// Lists the tasks that may be that of the search, `max` at most.
pub(super) async fn list(
    seedance: &Client,
    account: &Account,
    search: &Search,
    max: usize,
) -> Listing {
    let mut listing = Listing::default();
    for first in lists(account, search) {
        if let Err(error) = add(seedance, account, search, first, &mut listing).await {
            listing.retry_after = error.retry_after().unwrap_or_default();
            listing.problem = format!("cannot list tasks: {error}");
        }
    }
    if listing.task_ids.len() > max {
        listing.task_ids.truncate(max);
        listing.problem = format!("there are more than {max}");
    }
    listing
}

/// Returns the first page of each list that may show the task.
fn lists(account: &Account, search: &Search) -> Vec<SweepPage> {
    let lists = &account.lists;
    let submitted = search.submitted();
    match lists.index_of(&submitted.service_tier, &submitted.model) {
        Some(index) => lists.all().into_iter().skip(index).take(1).collect(),
        None if lists.all().is_empty() => vec![pages::any()],
        None => lists.all(),
    }
}

async fn add(
    seedance: &Client,
    account: &Account,
    search: &Search,
    first: SweepPage,
    listing: &mut Listing,
) -> Result<(), Error> {
    let mut page = first;
    loop {
        let listed = seedance.list(&account.endpoint, &page).await?;
        let tasks = listed.records.iter().map(|record| record.without_urls());
        let fitting = tasks.filter(|task| search.may_have_created(task));
        listing.task_ids.extend(fitting.map(|task| task.id));
        if listed.skipped > 0 {
            listing.problem = format!("{} tasks in it cannot be read", listed.skipped);
        }
        if listed.is_last || is_earlier(&listed, search) {
            return Ok(());
        }
        if page.page_num >= MAX_PAGES {
            listing.problem = format!("it has more than {MAX_PAGES} pages of recent tasks");
            return Ok(());
        }
        page = SweepPage {
            page_num: page.page_num + 1,
            previous: listed.digest,
            ..page
        };
    }
}

/// Returns whether every task on a page was created before the search begins, so that those on the next pages were too.
fn is_earlier(page: &Page, search: &Search) -> bool {
    let earliest = unix_seconds(search.earliest());
    let mut times = page.records.iter().map(|record| record.created_at());
    times.all(|created_at| created_at > 0 && created_at < earliest)
}
