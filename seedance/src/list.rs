//! Lists the tasks of an account, page by page.

use std::time::Duration;

use reqwest::{Method, Url};
use seedance_archiver_proto::{sweep_page::MAX_PAGE_NUM, v1::SweepPage};
use sha2::{Digest, Sha256};

use crate::{
    CallAnswer, Client, Endpoint, Error, ErrorKind, Record,
    call::{Call, MIB},
    list_body::{self, List},
    repeated_secrets::Body,
};

/// Maximum size of a page, in bytes. A page has up to 500 records of a few kilobytes.
const MAX_PAGE: usize = 128 * MIB;
/// A list waits for its turn, however long that takes: it is rarely urgent, and a refused one would only ask again.
const LIST_WAIT: Duration = Duration::MAX;

/// A page of the list.
pub struct Page {
    /// The tasks on the page. Usually newest first, which the API does not guarantee. Empty if the page before was the same.
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
        let decode = |body: &Body| -> Result<List, Error> {
            let mut list = list_body::list(&body.safe, &dialect)?;
            if let Some(body) = body.with_secrets() {
                list.set_urls(list_body::urls(body, &dialect));
            }
            Ok(list)
        };
        let list = self.call(endpoint, call, decode);
        list.await.map_err(|error| match error.kind() {
            ErrorKind::NotFound => no_list(endpoint, &error),
            ErrorKind::Unauthorized if page.model.is_empty() && is_forbidden(&error) => {
                error.with_fix(MODEL_FILTER)
            }
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

/// Returns whether the service knows the key: a 401 is about the key itself.
fn is_forbidden(error: &Error) -> bool {
    matches!(error.answer(), CallAnswer::Response { status: 403, .. })
}

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

fn read_page(endpoint: &Endpoint, page: &SweepPage, mut list: List) -> Page {
    let count = list.items.len();
    let digest = digest(&list);
    // Some services ignore the page number, and every page is the first one.
    let is_repeated = count > 0 && digest == page.previous;
    let total = list.total.unwrap_or_default();
    let is_end = match is_repeated {
        // The first one may have been all, and this page was only requested in doubt.
        true => may_be_all(count, endpoint.list_page_size, total),
        false => is_last(page.page_num, count, endpoint.list_page_size, total),
    };
    let cut_off = if is_end {
        None
    } else if is_repeated {
        Some("the service returned the same page again")
    } else if page.page_num >= MAX_PAGE_NUM {
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
    if is_repeated {
        // Its tasks, and those that cannot be read, were on the page before.
        list.items.clear();
    }
    let count = list.items.len();
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
    let may_be_limited = is_round(count) && may_be_all(count, page_size, total);
    let count_so_far = page_num.saturating_mul(i64::try_from(count).unwrap_or(0));
    count_so_far >= total && !may_be_limited
}

/// Returns whether a page may have all tasks: it is short, and the service names no total, or that of the page.
fn may_be_all(count: usize, page_size: usize, total: i64) -> bool {
    count < page_size && i64::try_from(count).is_ok_and(|count| total <= count)
}

/// Returns whether a service may limit its pages to a number of tasks, such as 10, 25, 64 or 100.
fn is_round(count: usize) -> bool {
    count.is_multiple_of(10) || count.is_multiple_of(25) || (count >= 16 && count.is_power_of_two())
}

#[cfg(test)]
mod tests;
