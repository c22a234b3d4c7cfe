//! The recent tasks in a list of an account.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use seedance_archiver_policy::submissions::Search;
use seedance_archiver_proto::{
    time::unix_seconds,
    v1::{SweepPage, VideoTask},
};

use crate::{
    activities::list_error::ListError,
    config::Account,
    seedance::{Client, Error, ErrorKind, Page},
};

/// Maximum number of pages of each list. A page has up to 500 tasks.
const MAX_PAGES: i64 = 20;

/// The tasks in a list that were created since a time, newest first.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) tasks: Arc<[VideoTask]>,
    /// Why tasks may be missing. Empty: these are all.
    pub(super) problem: String,
    /// Whether the list may be readable later.
    pub(super) is_outage: bool,
    /// How long the service asks to wait.
    pub(super) retry_after: Duration,
    pub(super) since: SystemTime,
}

impl Listed {
    /// Reads the list that begins with a page.
    pub(super) async fn read(
        seedance: &Client,
        account: &Account,
        since: SystemTime,
        first: SweepPage,
    ) -> Self {
        let mut tasks = Vec::new();
        let read = add_pages(seedance, account, since, first, &mut tasks).await;
        let tasks = tasks.into();
        match read {
            Ok(problem) => Self {
                tasks,
                problem,
                is_outage: false,
                retry_after: Duration::ZERO,
                since,
            },
            Err(error) => Self {
                tasks,
                problem: format!("cannot list tasks: {error}"),
                is_outage: is_outage(error.kind()),
                retry_after: error.retry_after().unwrap_or_default(),
                since,
            },
        }
    }

    /// Returns whether a list that was read at a time shows the task of a search.
    pub(super) fn is_for(&self, search: &Search, at: SystemTime) -> bool {
        self.since <= search.earliest() && search.delay_until_settled(at).is_none()
    }
}

/// Returns whether a later call may succeed without anybody's help.
fn is_outage(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::RateLimited | ErrorKind::Throttled | ErrorKind::Unavailable
    )
}

/// Adds the tasks on all pages. Returns why some may be missing, or an empty text.
async fn add_pages(
    seedance: &Client,
    account: &Account,
    since: SystemTime,
    first: SweepPage,
    tasks: &mut Vec<VideoTask>,
) -> Result<String, Error> {
    let mut problem = String::new();
    let mut page = first;
    // Whether the page before had fewer tasks than requested.
    let mut is_short = false;
    loop {
        let listed = match seedance.list(&account.endpoint, &page).await {
            Ok(listed) => listed,
            Err(error) => {
                let list_error = ListError::new(&account.lists, &page, error.kind());
                // The page before was the last, although it did not look so.
                return match is_short && list_error.is_missing_page() {
                    true => Ok(problem),
                    false => Err(error),
                };
            }
        };
        is_short = listed.records.len() + listed.skipped < account.endpoint.list_page_size;
        let listed_tasks = listed.records.iter().map(|record| record.without_urls());
        tasks.extend(listed_tasks.map(what_is_compared));
        if listed.skipped > 0 {
            problem = format!("{} tasks in it cannot be read", listed.skipped);
        }
        if listed.is_last || is_earlier(&listed, since) {
            return Ok(problem);
        }
        if page.page_num >= MAX_PAGES {
            return Ok(format!(
                "it has more than {MAX_PAGES} pages of recent tasks"
            ));
        }
        page = SweepPage {
            page_num: page.page_num + 1,
            previous: listed.digest,
            ..page
        };
    }
}

/// Returns what a search reads of a task. The list is kept in memory.
fn what_is_compared(task: VideoTask) -> VideoTask {
    VideoTask {
        id: task.id,
        model: task.model,
        service_tier: task.service_tier,
        safety_identifier: task.safety_identifier,
        created_at: task.created_at,
        ..VideoTask::default()
    }
}

/// Returns whether every task on a page was created before a time, so that those on the next pages were too.
fn is_earlier(page: &Page, since: SystemTime) -> bool {
    let since = unix_seconds(since);
    let mut times = page.records.iter().map(|record| record.created_at());
    times.all(|created_at| created_at > 0 && created_at < since)
}
