//! Checks whether a video is archived or can still be fetched.

use backon::{ExponentialBuilder, Retryable};
use seedance_archiver_clock::Clock;
use seedance_archiver_policy::deadlines::Deadlines;
use seedance_archiver_proto::v1::VideoTask;

use super::found::{State, Video};
use crate::{
    activities::list_error,
    archive::{self, Archive, receipt},
    config::Account,
    seedance::{self, Client, ErrorKind, Record},
};

/// Maximum number of retries of a query.
const MAX_RETRIES: usize = 6;

/// A video, and the error if its receipt could not be looked for. The lifecycle of the task looks again.
pub(super) struct Checked {
    pub(super) video: Video,
    pub(super) error: Option<archive::Error>,
}

/// Returns the state of a video: from the archive, from the URL in the list, or from a query that may return a
/// URL that works longer.
pub(super) async fn video(
    seedance: &Client,
    account: &Account,
    archive: Option<&Archive>,
    record: Record,
) -> Checked {
    let clock = seedance.clock();
    let task = record.without_urls();
    let mut deadlines = account.deadlines(&record);
    let has_receipt = has_receipt(archive, account, &task).await;
    let state = if matches!(has_receipt, Ok(true)) {
        State::Archived
    } else if is_alive(&record, deadlines, clock) {
        State::Missing
    } else {
        match query(seedance, account, record.id()).await {
            Ok(fresh) if is_alive(&fresh, account.deadlines(&fresh), clock) => {
                deadlines = account.deadlines(&fresh);
                State::Missing
            }
            Ok(_) => State::Dead,
            Err(error) if error.kind() == ErrorKind::NotFound => State::Dead,
            // Unknown: the lifecycle of the task queries it again.
            Err(_) => State::Missing,
        }
    };
    Checked {
        video: Video {
            account: account.name().to_owned(),
            task,
            state,
            deadlines,
        },
        error: has_receipt.err(),
    }
}

async fn has_receipt(
    archive: Option<&Archive>,
    account: &Account,
    task: &VideoTask,
) -> Result<bool, archive::Error> {
    match archive {
        Some(archive) => {
            let layout = account.layout(&archive.root, task);
            receipt::is_archived(archive, &layout).await
        }
        None => Ok(false),
    }
}

async fn query(
    seedance: &Client,
    account: &Account,
    task_id: &str,
) -> Result<Record, seedance::Error> {
    let backoff = ExponentialBuilder::default().with_max_times(MAX_RETRIES);
    (|| seedance.query(&account.endpoint, task_id))
        .retry(backoff)
        .when(|error| list_error::is_transient(error.kind()))
        .await
}

fn is_alive(record: &Record, deadlines: Deadlines, clock: &Clock) -> bool {
    let now = clock.now();
    record.main_url().is_some() && deadlines.url.is_none_or(|end| now < end)
}
