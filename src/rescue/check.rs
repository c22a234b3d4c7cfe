//! Checks whether a video is archived or can still be fetched.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use seedance_archiver_clock::Clock;
use seedance_archiver_policy::deadlines::Deadlines;
use seedance_archiver_proto::v1::VideoTask;
use tokio::time::timeout;

use super::found::{State, Video};
use crate::{
    activities::list_error,
    archive::{
        self, Archive,
        fetch::{self, Refusal, VideoClient},
        receipt,
    },
    config::Account,
    seedance::{self, Client, ErrorKind, Record},
};

/// Maximum number of retries of a query.
const MAX_RETRIES: usize = 6;
/// Maximum number of retries of a request to the host of a video.
const MAX_HOST_RETRIES: usize = 3;
/// Maximum time for all requests to the host of a video. Videos whose URLs still work wait meanwhile.
const HOST_TIMEOUT: Duration = Duration::from_secs(60);

/// A video, and the error if its receipt could not be looked for. The lifecycle of the task looks again.
pub(super) struct Checked {
    pub(super) video: Video,
    pub(super) error: Option<archive::Error>,
}

/// Returns the state of a video: from the archive, from the URL in the list, from a query that may return a URL that works
/// longer, or from the host of the video. `videos` requests its first byte.
pub(super) async fn video(
    seedance: &Client,
    account: &Account,
    archive: Option<&Archive>,
    videos: Option<&VideoClient>,
    record: Record,
) -> Checked {
    let task = record.without_urls();
    let in_archive = state_in(archive, account, &task).await;
    let (state, deadlines) = match in_archive {
        Ok(Some(state)) => (state, account.deadlines(&record)),
        _ => availability(seedance, account, videos, record).await,
    };
    Checked {
        video: Video {
            account: account.name().to_owned(),
            task,
            state,
            deadlines,
        },
        error: in_archive.err(),
    }
}

/// Returns whether a video without a receipt can be fetched, and its deadlines.
async fn availability(
    seedance: &Client,
    account: &Account,
    videos: Option<&VideoClient>,
    record: Record,
) -> (State, Deadlines) {
    let clock = seedance.clock();
    let listed = account.deadlines(&record);
    if is_alive(&record, listed, clock) {
        return (State::Missing, listed);
    }
    let newest = match query(seedance, account, record.id()).await {
        Ok(fresh) => fresh,
        Err(error) if error.kind() == ErrorKind::NotFound => record,
        // Unknown: the lifecycle of the task queries it again.
        Err(_) => return (State::Missing, listed),
    };
    let deadlines = account.deadlines(&newest);
    if is_alive(&newest, deadlines, clock) {
        return (State::Missing, deadlines);
    }
    match ask_host(videos, &newest).await {
        HostAnswer::Refused => (State::Dead, deadlines),
        // Nobody knows for how much longer it works.
        HostAnswer::Works => {
            let deadlines = Deadlines {
                url: None,
                ..deadlines
            };
            (State::Missing, deadlines)
        }
        // The lifecycle of the task tries the URL, for as long as one that has just expired.
        HostAnswer::Unknown => (State::Missing, deadlines),
    }
}

/// What the host of a video says about a URL that is past its expiry.
enum HostAnswer {
    /// The URL works for longer than it or the configuration says.
    Works,
    /// The URL does not work any more, or the record has none.
    Refused,
    /// The host failed, or could not be reached.
    Unknown,
}

/// Asks the host of a video. If it fails or cannot be reached, asks again, because the answer decides whether the video
/// is tried at all, and for how long.
async fn ask_host(videos: Option<&VideoClient>, record: &Record) -> HostAnswer {
    let Some(url) = record.main_url() else {
        return HostAnswer::Refused;
    };
    let Some(videos) = videos else {
        return HostAnswer::Unknown;
    };
    let backoff = ExponentialBuilder::default().with_max_times(MAX_HOST_RETRIES);
    let answer = (|| ask_once(videos, url.expose()))
        .retry(backoff)
        .when(|error| matches!(error, fetch::Error::Unavailable(_)));
    match timeout(HOST_TIMEOUT, answer).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) | Err(_) => HostAnswer::Unknown,
    }
}

/// Sends one request to the host of a video.
async fn ask_once(videos: &VideoClient, url: &str) -> Result<HostAnswer, fetch::Error> {
    let (_, status) = videos.probe(url).await?;
    if status.is_success() {
        return Ok(HostAnswer::Works);
    }
    match Refusal::new(status, b"") {
        Refusal::Url(_) => Ok(HostAnswer::Refused),
        Refusal::NotReady(error) | Refusal::Failed(error) => Err(fetch::Error::Unavailable(error)),
    }
}

/// Returns whether a video is archived or was erased. `None` if it is neither.
async fn state_in(
    archive: Option<&Archive>,
    account: &Account,
    task: &VideoTask,
) -> Result<Option<State>, archive::Error> {
    let Some(archive) = archive else {
        return Ok(None);
    };
    let layout = account.layout(&archive.root, task);
    if receipt::is_archived(archive, &layout).await? {
        return Ok(Some(State::Archived));
    }
    let tombstone = receipt::find_tombstone(archive, &layout).await?;
    Ok(tombstone.map(|_| State::Erased))
}

async fn query(
    seedance: &Client,
    account: &Account,
    task_id: &str,
) -> Result<Record, seedance::Error> {
    let backoff = ExponentialBuilder::default().with_max_times(MAX_RETRIES);
    (|| seedance.query_patiently(&account.endpoint, task_id, Duration::MAX))
        .retry(backoff)
        .when(|error| list_error::is_transient(error.kind()))
        .await
}

fn is_alive(record: &Record, deadlines: Deadlines, clock: &Clock) -> bool {
    let now = clock.now();
    record.main_url().is_some() && deadlines.url.is_none_or(|end| now < end)
}
