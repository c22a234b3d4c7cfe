//! Finds the videos of an account that are not archived, and their deadlines.

mod check;
mod found;
mod list;

use check::Checked;
pub use found::{Found, Incomplete, NotListed, State, Unfinished, Video};

use futures::{StreamExt, stream};
use seedance_archiver_proto::status;

use crate::{
    archive::{self, Archive, fetch::VideoClient},
    config::Account,
    seedance::Client,
};

/// Maximum number of videos that are checked concurrently.
const CONCURRENCY: usize = 16;

/// Lists the tasks of an account and checks which of their videos are in the archive. If `archive` is `None`, all
/// videos are missing.
///
/// Lists that could not be read are in [`Found::not_listed`]. `notify` receives the progress.
///
/// # Errors
///
/// Returns an error if the receipt of no video can be looked for. A video whose receipt cannot be looked for counts as
/// missing.
pub async fn find(
    seedance: &Client,
    account: &Account,
    archive: Option<&Archive>,
    notify: &(dyn Fn(&str) + Sync),
) -> Result<Found, archive::Error> {
    let mut found = Found::default();
    let records = list::tasks(seedance, account, &mut found, notify).await;
    let (succeeded, others): (Vec<_>, Vec<_>) = records
        .into_iter()
        .partition(|record| record.status() == status::SUCCEEDED);
    for record in others {
        if status::is_terminal(record.status()) {
            found.unsuccessful += 1;
        } else {
            found.unfinished.push(Unfinished {
                account: account.name().to_owned(),
                task_id: record.id().to_owned(),
            });
        }
    }
    notify(&format!(
        "checking the archive for {} videos of account `{}`",
        succeeded.len(),
        account.name()
    ));
    // Without a client, nobody knows whether a URL that is past its expiry works.
    let videos = VideoClient::new(account.fetch_rules()).ok();
    let videos = videos.as_ref();
    let checked: Vec<_> = stream::iter(succeeded)
        .map(|record| check::video(seedance, account, archive, videos, record))
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    let can_read_any = checked.is_empty() || checked.iter().any(|checked| checked.error.is_none());
    for Checked { video, error } in checked {
        match error {
            Some(error) if !can_read_any => return Err(error),
            Some(error) => notify(&format!(
                "cannot look for the receipt of {}: {error}; treating the video as missing",
                video.task.id
            )),
            None => {}
        }
        found.videos.push(video);
    }
    found.sort();
    Ok(found)
}
