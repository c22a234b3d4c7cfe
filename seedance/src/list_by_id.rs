//! Lists tasks by their ids.

use std::collections::BTreeSet;

use reqwest::Url;
use seedance_archiver_proto::v1::SweepPage;

use crate::{Client, Endpoint, Error, Record, list};

/// Maximum number of ids in a list request.
pub const MAX_IDS: usize = 100;
/// Maximum length of the URL of a list request, in bytes. Proxies limit it: nginx accepts 8 KiB for the URL and the
/// method by default.
const MAX_URL: usize = 6 * 1024;
/// Name of the query parameter with the id of a task, which is repeated.
const TASK_ID: &str = "filter.task_ids";

/// What a list request for tasks by their ids returned.
pub struct ListedTasks {
    /// The records. They include other tasks if the service ignores the filter.
    pub records: Vec<Record>,
    /// How many items of the response could not be read.
    pub skipped: usize,
    /// How many of the ids were sent: the first ones.
    pub requested: usize,
    /// Whether the service applied the filter, as far as the response shows: it has requested tasks and no others, or
    /// says that there is none.
    pub is_filtered: bool,
}

impl Client {
    /// Lists the first of these tasks with one request, when the rate limit allows it: as many as
    /// [`Endpoint::ids_per_list`]. Sends no request if there are no ids.
    ///
    /// A list contains only the tasks of the service tier and the model in `filters`, whose page number is ignored. A task
    /// that is missing may be in another list, or unknown to the service.
    ///
    /// # Errors
    ///
    /// As for [`Client::list`].
    pub async fn list_tasks<T: AsRef<str>>(
        &self,
        endpoint: &Endpoint,
        filters: &SweepPage,
        ids: &[T],
    ) -> Result<ListedTasks, Error> {
        let page = first_page(filters);
        let mut url = list::page_url(endpoint, &page)?;
        let requested = fitting(&url, endpoint, ids);
        let ids: BTreeSet<&str> = ids.iter().take(requested).map(AsRef::as_ref).collect();
        if ids.is_empty() {
            return Ok(ListedTasks {
                records: Vec::new(),
                skipped: 0,
                requested,
                is_filtered: true,
            });
        }
        let pairs = ids.iter().map(|id| (TASK_ID, id));
        url.query_pairs_mut().extend_pairs(pairs);
        let listed = self.call_list(endpoint, &page, url).await?;
        let (count, total) = (listed.items.len(), listed.total);
        let records = list::readable_records(endpoint, &page, listed);
        let has_records = !records.is_empty();
        let is_requested = |record: &Record| ids.contains(record.id());
        Ok(ListedTasks {
            is_filtered: records.iter().all(is_requested) && (has_records || total == Some(0)),
            skipped: count - records.len(),
            requested,
            records,
        })
    }
}

impl Endpoint {
    /// Returns how many of the first ids fit into one list request. At least one does.
    pub fn ids_per_list<T: AsRef<str>>(&self, filters: &SweepPage, ids: &[T]) -> usize {
        match list::page_url(self, &first_page(filters)) {
            Ok(url) => fitting(&url, self, ids),
            // There is no list.
            Err(_) => ids.len().min(1),
        }
    }
}

fn first_page(filters: &SweepPage) -> SweepPage {
    SweepPage {
        page_num: 1,
        ..filters.clone()
    }
}

/// Returns how many of the first ids can be added to the URL of a page. At least one can.
fn fitting<T: AsRef<str>>(url: &Url, endpoint: &Endpoint, ids: &[T]) -> usize {
    let mut url = url.clone();
    let max = MAX_IDS.min(endpoint.list_page_size);
    let fits = |id: &&T| {
        url.query_pairs_mut().append_pair(TASK_ID, id.as_ref());
        url.as_str().len() <= MAX_URL
    };
    let count = ids.iter().take(max).take_while(fits).count();
    count.max(ids.len().min(1))
}

#[cfg(test)]
mod tests;
