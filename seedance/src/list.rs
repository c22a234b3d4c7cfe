//! Lists the tasks of an account, page by page.

use std::time::Duration;

use reqwest::{Method, Url};
use seedance_archiver_proto::{sweep_page::MAX_PAGE_NUM, v1::SweepPage};
use sha2::{Digest, Sha256};

use crate::{
    Client, Endpoint, Error, ErrorKind, Record,
    call::{Call, MIB},
    list_body::{self, List},
};

/// Maximum size of a page, in bytes. A page has up to 500 records of a few kilobytes.
const MAX_PAGE: usize = 128 * MIB;
/// A list waits for its turn, however long that takes: it is rarely urgent, and a refused one would only ask again.
const LIST_WAIT: Duration = Duration::MAX;

/// A page of the list.
pub struct Page {
    /// The tasks on the page. Usually newest first, which the API does not guarantee.
    pub records: Vec<Record>,
    /// How many items of the page could not be read.
    pub skipped: usize,
    /// Whether this is the last page of its list.
    pub is_last: bool,
    /// Why the list may have more tasks although this is its last page.
    pub cut_off: Option<&'static str>,
    /// Digest of the ids on the page, for the `previous` of the next page.
    pub digest: String,
}

impl Client {
    /// Lists a page with one request, when the rate limit allows it. The pages of each list, that of a service tier and a model, are numbered from 1.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]; [`ErrorKind::Unsupported`] if the service has no list, or its path is unknown.
    /// An item that cannot be read is skipped.
    pub async fn list(&self, endpoint: &Endpoint, page: &SweepPage) -> Result<Page, Error> {
        let url = page_url(endpoint, page)?;
        let list = self.call_list(endpoint, page, url).await?;
        Ok(read_page(endpoint, page, list))
    }

    /// Sends a list request.
    pub(crate) async fn call_list(
        &self,
        endpoint: &Endpoint,
        page: &SweepPage,
        url: Url,
    ) -> Result<List, Error> {
        let call = Call {
            kind: "list",
            method: Method::GET,
            url,
            body: None,
            subject: "list",
            rate_limit: &endpoint.list_limit,
            max_wait: LIST_WAIT,
            longest_pause: LIST_WAIT,
            max_body: MAX_PAGE,
        };
        let dialect = self.dialect(endpoint);
        let list = self.call(endpoint, call, |body| list_body::list(body, &dialect));
        list.await.map_err(|error| match error.kind() {
            ErrorKind::NotFound => no_list(endpoint, &error),
            ErrorKind::Unauthorized if page.model.is_empty() => error.with_fix(MODEL_FILTER),
            _ => error,
        })
    }
}

/// Returns the URL of a page.
pub(crate) fn page_url(endpoint: &Endpoint, page: &SweepPage) -> Result<Url, Error> {
    let mut url = endpoint.list_url().ok_or_else(|| unknown_path(endpoint))?;
    url.query_pairs_mut()
        .append_pair("page_num", &page.page_num.to_string())
        .append_pair("page_size", &endpoint.list_page_size.to_string());
    let filters = [
        ("filter.service_tier", &page.service_tier),
        ("filter.model", &page.model),
    ];
    for (name, value) in filters.into_iter().filter(|(_, value)| !value.is_empty()) {
        url.query_pairs_mut().append_pair(name, value);
    }
    Ok(url)
}

/// What an operator can do about a rejected list request without a model.
const MODEL_FILTER: &str = "a key with custom permissions can list only the models that it may use: name them in \
                            `lists.models` of the account";

fn unknown_path(endpoint: &Endpoint) -> Error {
    let account = &endpoint.account;
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "cannot list tasks of account `{account}`: the path of the list does not follow from its task_path; \
             name the tasks by id"
        ),
    )
}

fn no_list(endpoint: &Endpoint, error: &Error) -> Error {
    let account = &endpoint.account;
    let text = format!("the service of account `{account}` has no list of tasks: {error}");
    Error::new(ErrorKind::Unsupported, text)
}

fn read_page(endpoint: &Endpoint, page: &SweepPage, list: List) -> Page {
    let count = list.items.len();
    let digest = digest(&list);
    // Some services ignore the page number, and every page is the first one.
    let is_repeated = count > 0 && digest == page.previous;
    let total = list.total.unwrap_or_default();
    let is_end = is_last(page.page_num, count, endpoint.list_page_size, total);
    let cut_off = if is_repeated {
        Some("the service returned the same page again")
    } else if page.page_num >= MAX_PAGE_NUM && !is_end {
        Some("the list has more pages than are read")
    } else {
        None
    };
    if let Some(reason) = cut_off {
        tracing::warn!(
            account = endpoint.account,
            page_num = page.page_num,
            reason,
            "ending the list, which may be incomplete"
        );
    }
    let records = readable_records(endpoint, page, list);
    Page {
        skipped: count - records.len(),
        records,
        digest,
        is_last: is_end || cut_off.is_some(),
        cut_off,
    }
}

/// Returns the records that can be read. Logs the others.
pub(crate) fn readable_records(endpoint: &Endpoint, page: &SweepPage, list: List) -> Vec<Record> {
    let mut records = Vec::with_capacity(list.items.len());
    for (index, item) in list.items.into_iter().enumerate() {
        match item {
            Ok(record) => records.push(record),
            Err(problem) => tracing::warn!(
                account = endpoint.account,
                list = page.list_name(),
                page_num = page.page_num,
                index,
                problem,
                "skipped an unreadable task in the list"
            ),
        }
    }
    records
}

fn digest(list: &List) -> String {
    let mut digest = Sha256::new();
    for item in &list.items {
        let id = item.as_ref().map_or("", Record::id);
        digest.update(id.as_bytes());
        digest.update(b"/");
    }
    let digest = hex::encode(digest.finalize());
    digest.get(..16).unwrap_or_default().to_owned()
}

/// Returns whether a page is the last: it is empty, or it is short and reaches the total.
///
/// A service may return less than the requested page size, so a short page below the total is not the last.
/// A full page never is, whatever the total, because some services report the count of the page as total. Such a total, or
/// none (0), does not say either whether a short page has as many tasks as the service ever returns. If their number is
/// round, it may. In doubt the next page is empty, and costs a request.
fn is_last(page_num: i64, count: usize, page_size: usize, total: i64) -> bool {
    if count == 0 || count >= page_size {
        return count == 0;
    }
    let may_be_limited = is_round(count) && i64::try_from(count).is_ok_and(|count| total <= count);
    let count_so_far = page_num.saturating_mul(i64::try_from(count).unwrap_or(0));
    count_so_far >= total && !may_be_limited
}

/// Returns whether a service may limit its pages to a number of tasks, such as 10, 25, 64 or 100.
fn is_round(count: usize) -> bool {
    count.is_multiple_of(10) || count.is_multiple_of(25) || (count >= 16 && count.is_power_of_two())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use seedance_archiver_simulator::{Fault, ListDialect, Script, Simulator};

    use super::*;
    use crate::RateLimit;

    async fn simulator() -> (Simulator, Endpoint, Client) {
        let simulator = Simulator::builder().list_rate(100.0).start().await.unwrap();
        let base_url = simulator.base_url().parse().unwrap();
        let api_key = simulator.api_key().to_owned().into();
        let mut endpoint = Endpoint::new("default", base_url, api_key);
        endpoint.list_limit = RateLimit::per_second(100.0);
        (
            simulator,
            endpoint,
            Client::new(seedance_archiver_http::client().unwrap()),
        )
    }

    fn page(service_tier: &str, page_num: i64) -> SweepPage {
        SweepPage {
            service_tier: service_tier.into(),
            page_num,
            ..SweepPage::default()
        }
    }

    #[tokio::test]
    async fn a_list_waits_until_the_time_that_another_one_was_given() {
        let (simulator, endpoint, client) = simulator().await;
        let retry_after = Some(1);
        simulator.set_fault(Some(Fault::RateLimited { retry_after }));
        assert!(client.list(&endpoint, &page("", 1)).await.is_err());
        simulator.set_fault(None);
        let other = endpoint.clone();
        assert!(client.list(&other, &page("", 1)).await.is_ok());
        assert_eq!(simulator.misuse().before_retry_after, 0);
    }

    #[tokio::test]
    async fn each_tier_is_listed_page_by_page() {
        let (simulator, mut endpoint, client) = simulator().await;
        endpoint.list_page_size = 2;
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
                .list(&endpoint, &page("default", page_num))
                .await
                .unwrap();
            assert_eq!(page.is_last, page_num == 4);
            listed.extend(page.records.iter().map(|record| record.id().to_owned()));
        }
        assert_eq!(listed.len(), 5);
        assert_eq!(BTreeSet::from_iter(listed), created);
        let page = client.list(&endpoint, &page("flex", 1)).await.unwrap();
        assert!(page.is_last && page.records.len() == 1);
        assert_eq!(page.records[0].id(), flex);
    }

    #[tokio::test]
    async fn a_page_that_comes_again_is_the_last() {
        let (simulator, mut endpoint, client) = simulator().await;
        endpoint.list_page_size = 2;
        for _ in 0..3 {
            simulator.create(Script::default());
        }
        let first = client.list(&endpoint, &page("", 1)).await.unwrap();
        assert!(!first.is_last);
        let repeated = SweepPage {
            previous: first.digest.clone(),
            ..page("", 1)
        };
        let repeated = client.list(&endpoint, &repeated).await.unwrap();
        assert!(repeated.is_last && repeated.cut_off.is_some());
        let next = SweepPage {
            previous: first.digest,
            ..page("", 2)
        };
        let next = client.list(&endpoint, &next).await.unwrap();
        assert_eq!(next.records.len(), 1);
        assert_eq!(next.cut_off, None);
    }

    #[tokio::test]
    async fn a_list_with_too_many_pages_is_cut_off() {
        let (simulator, mut endpoint, client) = simulator().await;
        endpoint.list_page_size = 1;
        for _ in 0..MAX_PAGE_NUM {
            simulator.create(Script::default());
        }
        let last = client.list(&endpoint, &page("", MAX_PAGE_NUM)).await;
        let last = last.unwrap();
        assert!(last.is_last && last.cut_off.is_some());
        let before = client.list(&endpoint, &page("", MAX_PAGE_NUM - 1)).await;
        let before = before.unwrap();
        assert!(!before.is_last && before.cut_off.is_none());
    }

    #[tokio::test]
    async fn a_service_that_limits_its_pages_is_listed_to_the_end() {
        let (simulator, endpoint, client) = simulator().await;
        simulator.set_list_dialect(Some(ListDialect::LimitsPages(10)));
        for (count, pages) in [(5, 1), (20, 3), (25, 3)] {
            while simulator.task_ids().len() < count {
                simulator.create(Script::default());
            }
            let (mut listed, mut page) = (BTreeSet::new(), page("", 1));
            loop {
                let next = client.list(&endpoint, &page).await.unwrap();
                listed.extend(next.records.iter().map(|record| record.id().to_owned()));
                if next.is_last {
                    break;
                }
                page.page_num += 1;
                page.previous = next.digest;
            }
            assert_eq!((listed.len(), page.page_num), (count, pages));
        }
    }

    #[tokio::test]
    async fn a_list_that_fails_is_an_error() {
        let (simulator, mut endpoint, client) = simulator().await;
        for (fault, kind) in [
            (Fault::Unauthorized, ErrorKind::Unauthorized),
            (Fault::Unavailable, ErrorKind::Unavailable),
            (Fault::Page, ErrorKind::Unexpected),
            (Fault::ErrorAs200, ErrorKind::Unexpected),
        ] {
            simulator.set_fault(Some(fault));
            let error = client.list(&endpoint, &page("default", 1)).await;
            assert_eq!(error.err().unwrap().kind(), kind, "{fault:?}");
        }
        simulator.set_fault(None);

        let mut elsewhere = endpoint.clone();
        elsewhere.base_url.set_path("/api/v3/other");
        let error = client.list(&elsewhere, &page("default", 1)).await;
        let error = error.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("has no list"), "{error}");

        // Not an error of the API: the way to it may be broken.
        elsewhere.base_url.set_path("/api/v1");
        let error = client.list(&elsewhere, &page("default", 1)).await;
        assert_eq!(error.err().unwrap().kind(), ErrorKind::Unavailable);

        endpoint.task_path = "tasks/{task_id}/record".parse().unwrap();
        let error = client.list(&endpoint, &page("default", 1)).await;
        let error = error.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("task_path"), "{error}");
    }

    #[test]
    fn the_last_page_is_empty_or_short_and_reaches_the_total() {
        assert!(is_last(1, 0, 500, 0));
        assert!(is_last(3, 0, 500, 2_000));
        assert!(is_last(1, 499, 500, 0));
        assert!(!is_last(1, 500, 500, 0));
        assert!(!is_last(2, 500, 500, 1_000), "an empty page follows");
        assert!(!is_last(1, 500, 500, 500), "the total is that of the page");
        assert!(!is_last(1, 500, 500, 501));
        for round in [10, 16, 20, 25, 50, 64, 100, 128, 200, 250, 256] {
            let count = round as i64;
            assert!(!is_last(1, round, 500, 0), "{round}, no total");
            assert!(!is_last(3, round, 500, 0), "{round}, no total, page 3");
            assert!(!is_last(1, round, 500, count), "the page is the total");
            assert!(is_last(2, round, 500, 2 * count), "{round} of a list");
        }
        for other in [1, 2, 8, 9, 11, 21, 99, 499] {
            assert!(is_last(1, other, 500, 0), "{other}");
            assert!(is_last(1, other, 500, other as i64), "{other}");
        }
        assert!(
            !is_last(3, 100, 500, 1_000),
            "the service returns at most 100"
        );
        assert!(is_last(10, 100, 500, 1_000));
    }
}
