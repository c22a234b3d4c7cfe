//! Lists the tasks of an account, page by page.

use std::time::Duration;

use reqwest::Method;
use seedance_archiver_proto::v1::SweepPage;
use seedance_archiver_workflows::request::LAST_PAGE;

use super::{
    Client, Error, Reaction, Record,
    client::{Call, MIB},
    decode::{self, Listed},
};
use crate::config::Account;

/// Tasks on a page, the most that the service has.
pub const PAGE_SIZE: usize = 500;
/// Largest page that is read: a record has a few kilobytes.
const MAX_PAGE: usize = 8 * MIB;
/// Longest wait for a turn: the service takes one list a second.
const TURN_WAIT: Duration = Duration::from_secs(10);

/// A page of the list.
pub struct Page {
    /// The tasks on it. Newest first as a rule, which nobody promises.
    pub records: Vec<Record>,
    /// How many more were on it and could not be read.
    pub skipped: usize,
    /// Whether there is none after it.
    pub is_last: bool,
}

impl Client {
    /// Lists a page: one request. Each tier has pages of its own, from 1.
    pub async fn list(&self, account: &Account, page: &SweepPage) -> Result<Page, Error> {
        let Some(mut url) = account.list_url() else {
            return Err(Error::new(
                Reaction::NotOffered,
                format!(
                    "the account `{}` has a task_path of its own, and where its service lists tasks is \
                     not known: name its tasks by their ids",
                    account.name
                ),
            ));
        };
        url.query_pairs_mut()
            .append_pair("page_num", &page.page_num.to_string())
            .append_pair("page_size", &account.list_page_size.to_string())
            .append_pair("filter.service_tier", &page.service_tier);
        let call = Call {
            kind: "list",
            method: Method::GET,
            url,
            about: "list",
            budget: &account.lists,
            longest_wait: TURN_WAIT,
            max_answer: MAX_PAGE,
        };
        let listed = self.call(account, call, |body| decode::list(body, &account.statuses));
        match listed.await {
            Ok(listed) => Ok(read_page(account, page, listed)),
            Err(error) if error.reaction() == Reaction::NotFound => Err(error.or_no_list(account)),
            Err(error) => Err(error),
        }
    }
}

fn read_page(account: &Account, page: &SweepPage, listed: Listed) -> Page {
    let count = listed.items.len();
    let mut records = Vec::with_capacity(count);
    for (index, item) in listed.items.into_iter().enumerate() {
        match item {
            Ok(record) => records.push(record),
            Err(problem) => tracing::warn!(
                account = account.name,
                service_tier = page.service_tier,
                page_num = page.page_num,
                index,
                problem,
                "skipped a task in the list"
            ),
        }
    }
    Page {
        skipped: count - records.len(),
        records,
        is_last: page.page_num >= LAST_PAGE
            || is_last(page.page_num, count, account.list_page_size, listed.total),
    }
}

/// An empty page is the last, and a short one that reaches the total, where one is told. A service may
/// give less on each page than it was asked for, so a short page below the total is not the last. A full one
/// never is, whatever the total: some count the page alone. Where in doubt, the one after it is empty.
fn is_last(page_num: i64, count: usize, page_size: usize, total: i64) -> bool {
    let count_so_far = page_num.saturating_mul(i64::try_from(count).unwrap_or(0));
    count == 0 || (count < page_size && count_so_far >= total)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use seedance_archiver_simulator::{Fault, Script, Simulator};

    use super::*;
    use crate::{http, seedance::Budget};

    async fn simulator() -> (Simulator, Account, Client) {
        let simulator = Simulator::builder().start().await.unwrap();
        let base_url = simulator.base_url().parse().unwrap();
        let api_key = simulator.api_key().to_owned().into();
        let mut account = Account::new("default", base_url, api_key);
        account.lists = Budget::per_second(100.0);
        (simulator, account, Client::new(http::client().unwrap()))
    }

    fn page(service_tier: &str, page_num: i64) -> SweepPage {
        SweepPage {
            service_tier: service_tier.into(),
            page_num,
        }
    }

    #[tokio::test]
    async fn each_tier_is_listed_page_by_page() {
        let (simulator, mut account, client) = simulator().await;
        account.list_page_size = 2;
        let flex = simulator.create(Script {
            flex: true,
            ..Script::default()
        });
        let created: BTreeSet<_> = (0..5)
            .map(|_| simulator.create(Script::default()))
            .collect();
        let mut listed = Vec::new();
        for page_num in 1..=4 {
            let page = client
                .list(&account, &page("default", page_num))
                .await
                .unwrap();
            assert_eq!(page.is_last, page_num == 4);
            listed.extend(page.records.iter().map(|record| record.id().to_owned()));
        }
        assert_eq!(listed.len(), 5);
        assert_eq!(BTreeSet::from_iter(listed), created);
        let page = client.list(&account, &page("flex", 1)).await.unwrap();
        assert!(page.is_last && page.records.len() == 1);
        assert_eq!(page.records[0].id(), flex);
    }

    #[tokio::test]
    async fn what_cannot_be_listed_is_told() {
        let (simulator, mut account, client) = simulator().await;
        for (fault, reaction) in [
            (Fault::Unauthorized, Reaction::Unauthorized),
            (Fault::Unavailable, Reaction::Unavailable),
            (Fault::Page, Reaction::Unexpected),
            (Fault::ErrorAs200, Reaction::Unexpected),
        ] {
            simulator.fail(Some(fault));
            let error = client.list(&account, &page("default", 1)).await;
            assert_eq!(error.err().unwrap().reaction(), reaction, "{fault:?}");
        }
        simulator.fail(None);

        let mut elsewhere = account.clone();
        elsewhere.base_url.set_path("/api/v1");
        let error = client.list(&elsewhere, &page("default", 1)).await;
        let error = error.err().unwrap();
        assert_eq!(error.reaction(), Reaction::NotOffered);
        assert!(error.to_string().contains("has no list"), "{error}");

        account.task_path = "query?id={task_id}".parse().unwrap();
        let error = client.list(&account, &page("default", 1)).await;
        let error = error.err().unwrap();
        assert_eq!(error.reaction(), Reaction::NotOffered);
        assert!(error.to_string().contains("task_path"), "{error}");
    }

    #[test]
    fn the_last_page_is_empty_or_short_and_reaches_the_total() {
        assert!(is_last(1, 0, 500, 0));
        assert!(is_last(3, 0, 500, 2_000));
        assert!(is_last(1, 499, 500, 0));
        assert!(!is_last(1, 500, 500, 0));
        assert!(!is_last(2, 500, 500, 1_000), "an empty one comes");
        assert!(!is_last(1, 500, 500, 500), "of the page alone");
        assert!(!is_last(1, 500, 500, 501));
        assert!(
            !is_last(3, 100, 500, 1_000),
            "the service gives 100 at most"
        );
        assert!(is_last(10, 100, 500, 1_000));
    }
}
