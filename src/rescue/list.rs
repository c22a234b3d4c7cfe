//! Lists the tasks of an account.

use std::{collections::BTreeMap, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use seedance_archiver_proto::v1::SweepPage;

use super::found::{Found, Incomplete, NotListed};
use crate::{
    activities::list_error::{self, ListError},
    config::Account,
    seedance::{self, Client, Page, Record},
};

/// Maximum number of retries of a page.
const MAX_RETRIES: usize = 6;
/// Maximum delay between two attempts, even if the service requests a longer one.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// Returns the tasks of all lists that can still be queried, each once. Adds lists that could not be read
/// to `found`. `notify` receives the progress.
pub(super) async fn tasks(
    seedance: &Client,
    account: &Account,
    found: &mut Found,
    notify: &(dyn Fn(&str) + Sync),
) -> Vec<Record> {
    let now = seedance.clock().now();
    // By id, because a task that is created meanwhile moves others to the next page: they are listed twice.
    let mut records = BTreeMap::new();
    let lists = &account.lists;
    let mut next = Some(lists.first());
    while let Some(page) = next {
        notify(&format!(
            "listing the last 7 days of account `{}`: {}, page {}, {} tasks so far",
            account.name(),
            page.list_name(),
            page.page_num,
            records.len()
        ));
        let not_listed = |reason| NotListed {
            account: account.name().to_owned(),
            list: page.list_name(),
            reason,
        };
        let listed = match list_page(seedance, account, &page, notify).await {
            Ok(listed) => listed,
            Err(error) => {
                let list_error = ListError::new(lists, &page, error.kind());
                next = list_error.next_page();
                if !list_error.is_missing_page() {
                    found.not_listed.push(not_listed(Incomplete::Error(error)));
                }
                continue;
            }
        };
        let cut_off = listed.cut_off.map(Incomplete::CutOff);
        found.not_listed.extend(cut_off.map(not_listed));
        found.skipped += listed.skipped;
        records.extend(
            listed
                .records
                .into_iter()
                .filter(|record| account.is_in_query_window(record, now))
                .map(|record| (record.id().to_owned(), record)),
        );
        next = lists.after(&page, listed.is_last).map(|next| SweepPage {
            previous: listed.digest,
            ..next
        });
    }
    records.into_values().collect()
}

async fn list_page(
    seedance: &Client,
    account: &Account,
    page: &SweepPage,
    notify: &(dyn Fn(&str) + Sync),
) -> Result<Page, seedance::Error> {
    let backoff = ExponentialBuilder::default()
        .with_max_times(MAX_RETRIES)
        .with_max_delay(MAX_DELAY);
    (|| seedance.list(&account.endpoint, page))
        .retry(backoff)
        .when(|error| list_error::is_transient(error.kind()))
        .adjust(|error, delay| {
            let retry_after = error.retry_after().unwrap_or_default().min(MAX_DELAY);
            delay.map(|delay| delay.max(retry_after))
        })
        .notify(|error, delay| {
            let delay = delay.as_secs_f64().ceil();
            notify(&format!(
                "cannot list page {} of account `{}`: {error}; next attempt in {delay} s",
                page.page_num,
                account.name()
            ));
        })
        .await
}
