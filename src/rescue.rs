//! Which videos of an account are still to be saved, and how long there is for each.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use backon::{ExponentialBuilder, Retryable};
use futures::{StreamExt, TryStreamExt, stream};
use seedance_archiver_policy::{deadlines::Deadlines, pages};
use seedance_archiver_proto::{
    status,
    v1::{SweepPage, VideoTask},
};

use crate::{
    archive::{self, Archive, receipt},
    config::Account,
    seedance::{self, Client, ErrorKind, Page, Record},
};

/// Receipts that are looked for, and questions that are asked, at once.
const AT_ONCE: usize = 16;
/// Times that a call which may succeed later is made again.
const RETRIES: usize = 6;
/// Longest wait that a service may ask for between two of them.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The tasks of an account that can still be asked about.
#[derive(Debug, Default)]
pub struct Found {
    /// Those that made a video: what dies first is first, what is dead is last.
    pub videos: Vec<Video>,
    /// Ids of those that have not ended.
    pub unfinished: Vec<String>,
    /// How many ended without a video.
    pub unsuccessful: usize,
    /// How many were in the list and could not be read.
    pub skipped: usize,
    /// What could not be listed, or not to its end.
    pub not_listed: Vec<NotListed>,
}

/// Tasks of which nobody knows whether there is something to save.
#[derive(Debug, thiserror::Error)]
#[error("cannot list the tasks of the account `{account}`, tier `{service_tier}`: {error}{}", advice(error.kind()))]
pub struct NotListed {
    /// Whose.
    pub account: String,
    /// The first tier of them.
    pub service_tier: String,
    /// What the service says.
    pub error: seedance::Error,
}

/// A task that made a video.
#[derive(Debug)]
pub struct Video {
    /// Account that it belongs to.
    pub account: String,
    /// Its record, without URLs.
    pub task: VideoTask,
    /// Whether its bytes can be had.
    pub state: State,
    /// Until when.
    pub deadlines: Deadlines,
}

/// Whether there is something to do about a video.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum State {
    /// It is not in the archive, and its URL works.
    Missing,
    /// It has a receipt.
    Archived,
    /// It is not in the archive, its URL has died, and the service gave no fresh one.
    Dead,
}

fn advice(reaction: ErrorKind) -> &'static str {
    match reaction {
        ErrorKind::Unauthorized => {
            ". Is the key of this service and region? Set SEEDANCE_API_KEY and SEEDANCE_BASE_URL"
        }
        _ => "",
    }
}

/// Lists the tasks of an account and looks which of their videos the archive lacks: all of them, where
/// there is no archive yet. What cannot be listed is told in what was found. `notify` is told what takes its
/// time.
///
/// # Errors
///
/// Where the archive cannot be read.
pub async fn look(
    seedance: &Client,
    account: &Account,
    archive: Option<&Archive>,
    notify: &(dyn Fn(&str) + Sync),
) -> Result<Found, archive::Error> {
    let mut found = Found::default();
    let records = list(seedance, account, &mut found, notify).await;
    let (succeeded, others): (Vec<_>, Vec<_>) = records
        .into_iter()
        .partition(|record| record.status() == status::SUCCEEDED);
    for record in others {
        if status::is_terminal(record.status()) {
            found.unsuccessful += 1;
        } else {
            found.unfinished.push(record.id().to_owned());
        }
    }
    notify(&format!(
        "looking for the receipts of {} videos of `{}`",
        succeeded.len(),
        account.name()
    ));
    found.videos = stream::iter(succeeded)
        .map(|record| look_at(seedance, account, archive, record))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    found.sort();
    Ok(found)
}

impl Found {
    /// The same of another account too.
    pub fn extend(&mut self, other: Self) {
        self.videos.extend(other.videos);
        self.unfinished.extend(other.unfinished);
        self.unsuccessful += other.unsuccessful;
        self.skipped += other.skipped;
        self.not_listed.extend(other.not_listed);
        self.sort();
    }

    /// Those to be saved, most urgent first.
    pub fn missing(&self) -> impl Iterator<Item = &Video> {
        let videos = self.videos.iter();
        videos.filter(|video| video.state == State::Missing)
    }

    /// What dies first is first. An end that nobody knows is later than any that is known.
    fn sort(&mut self) {
        self.videos.sort_by_key(|video| {
            let Deadlines { url, archive } = video.deadlines;
            let is_dead = video.state == State::Dead;
            let last = |time: Option<SystemTime>| (time.is_none(), time);
            (
                is_dead,
                last(url),
                last(archive),
                Reverse(video.task.id.clone()),
            )
        });
    }
}

/// Every task of both tiers that can be asked about, once, as far as the service lists them.
async fn list(
    seedance: &Client,
    account: &Account,
    found: &mut Found,
    notify: &(dyn Fn(&str) + Sync),
) -> Vec<Record> {
    let now = SystemTime::now();
    // A task that is created meanwhile moves others to the next page.
    let mut records = BTreeMap::new();
    let mut next = Some(pages::first());
    while let Some(page) = next {
        notify(&format!(
            "listing the tasks of `{}` of the last 7 days: tier {}, page {}, {} so far",
            account.name(),
            page.service_tier,
            page.page_num,
            records.len()
        ));
        let listed = match list_page(seedance, account, &page).await {
            Ok(listed) => listed,
            Err(error) => {
                next = after_failure(&page, error.kind());
                if !is_not_there(&page, error.kind()) {
                    found.not_listed.push(NotListed {
                        account: account.name().to_owned(),
                        service_tier: page.service_tier,
                        error,
                    });
                }
                continue;
            }
        };
        found.skipped += listed.skipped;
        records.extend(
            listed
                .records
                .into_iter()
                .filter(|record| account.is_in_query_window(record, now))
                .map(|record| (record.id().to_owned(), record)),
        );
        next = pages::after(&page, listed.is_last);
    }
    records.into_values().collect()
}

/// The other tier may be listed all the same, unless the answer is about the account.
fn after_failure(page: &SweepPage, reaction: ErrorKind) -> Option<SweepPage> {
    match reaction {
        ErrorKind::Unauthorized | ErrorKind::Unsupported => None,
        _ => pages::after(page, true),
    }
}

/// A service that refuses a page beyond the first has no such page, or no such tier.
fn is_not_there(page: &SweepPage, reaction: ErrorKind) -> bool {
    reaction == ErrorKind::Rejected && *page != pages::first()
}

async fn list_page(
    seedance: &Client,
    account: &Account,
    page: &SweepPage,
) -> Result<Page, seedance::Error> {
    let patience = ExponentialBuilder::default()
        .with_max_times(RETRIES)
        .with_max_delay(LONGEST_WAIT);
    (|| seedance.list(&account.endpoint, page))
        .retry(patience)
        .when(may_pass)
        .adjust(|error, delay| {
            let asked_for = error.retry_after().unwrap_or_default().min(LONGEST_WAIT);
            delay.map(|delay| delay.max(asked_for))
        })
        .await
}

fn may_pass(error: &seedance::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::RateLimited { .. }
            | ErrorKind::Throttled
            | ErrorKind::Unavailable
            | ErrorKind::Unexpected
    )
}

async fn look_at(
    seedance: &Client,
    account: &Account,
    archive: Option<&Archive>,
    record: Record,
) -> Result<Video, archive::Error> {
    let task = record.without_urls();
    let mut deadlines = account.deadlines(&record);
    let state = if has_receipt(archive, account, &task).await? {
        State::Archived
    } else if is_alive(&record, deadlines) {
        State::Missing
    } else {
        match ask(seedance, account, record.id()).await {
            Ok(fresh) if is_alive(&fresh, account.deadlines(&fresh)) => {
                deadlines = account.deadlines(&fresh);
                State::Missing
            }
            Ok(_) => State::Dead,
            Err(error) if error.kind() == ErrorKind::NotFound => State::Dead,
            // Nobody could say: its lifecycle asks again.
            Err(_) => State::Missing,
        }
    };
    Ok(Video {
        account: account.name().to_owned(),
        task,
        state,
        deadlines,
    })
}

async fn has_receipt(
    archive: Option<&Archive>,
    account: &Account,
    task: &VideoTask,
) -> Result<bool, archive::Error> {
    match archive {
        Some(archive) => {
            let layout = account.layout(&archive.root, task);
            receipt::exists(archive, &layout).await
        }
        None => Ok(false),
    }
}

/// A question may bring a URL where a list does not, or a fresh one.
async fn ask(
    seedance: &Client,
    account: &Account,
    task_id: &str,
) -> Result<Record, seedance::Error> {
    let patience = ExponentialBuilder::default().with_max_times(RETRIES);
    (|| seedance.query(&account.endpoint, task_id))
        .retry(patience)
        .when(may_pass)
        .await
}

fn is_alive(record: &Record, deadlines: Deadlines) -> bool {
    let now = SystemTime::now();
    record.main_url().is_some() && deadlines.url.is_none_or(|end| now < end)
}
