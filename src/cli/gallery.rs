//! `seedance-archiver gallery`.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use indicatif::{HumanBytes, ProgressBar};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    output::{Output, print_json},
    progress::{animate, style},
    session,
    shutdown::Shutdown,
    text::{count, time},
};
use crate::{
    archive::Archive,
    config,
    gallery::{self, Gallery, UnreadableReceipt},
    telemetry,
};
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::visible;

/// Create an HTML page of the archived videos
///
/// Writes index.html, a single file with every video, its receipt and its prompt, if known. Links to a
/// local archive are relative. Links to a bucket are signed: anyone with the page can view the videos
/// until the links expire. Reads SEEDANCE_ARCHIVE_URL and the store's environment variables.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver gallery --out gallery               every video
  seedance-archiver gallery --out gallery --since 7d    videos archived in the last week
  seedance-archiver gallery --out gallery --expires 1h  signed links that expire in an hour")]
pub(super) struct Args {
    /// Directory of the page; created if missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Maximum age of receipts, e.g. `7d`.
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    since: Option<Duration>,
    /// Lifetime of signed links to a bucket, at most 7 days. Links to a local archive do not expire.
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = link_lifetime)]
    expires: Duration,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

fn link_lifetime(text: &str) -> Result<Duration, String> {
    config::duration(text)
        .ok()
        .filter(|time| (Duration::from_secs(1)..=gallery::MAX_LINK_LIFETIME).contains(time))
        .ok_or_else(|| "must be from \"1s\" to \"7d\", the longest lifetime of signed URLs".into())
}

/// The document of `--output json`.
#[derive(Debug, Serialize)]
struct Report {
    archive_url: String,
    page: PathBuf,
    videos: usize,
    bytes: u64,
    /// Unix seconds. Absent: the links do not expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    links_until: Option<i64>,
    links_may_end_sooner: bool,
    unreadable: Vec<UnreadableReceipt>,
}

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let url = config::archive_url(session::variable)?;
    let archive = Archive::open(&url)?;
    let since = args
        .since
        .and_then(|age| Clock::default().now().checked_sub(age));
    let template = "{spinner} {human_pos} receipts read ({elapsed})";
    let bar = animate(ProgressBar::no_length().with_style(style(template)));
    let created = shutdown
        .run_until_requested(async {
            let on_read = |count: usize| bar.set_position(count as u64);
            Ok(gallery::create(&archive, &args.out, since, args.expires, on_read).await?)
        })
        .await;
    bar.finish_and_clear();
    let gallery = created?;
    for receipt in &gallery.unreadable {
        errln!("warning: {}", visible::escape(&receipt.to_string()));
    }
    match args.output {
        Output::Json => print_json(&Report::new(url.to_string(), gallery))?,
        Output::Text => print(&gallery),
    }
    Ok(ExitCode::SUCCESS)
}

fn print(gallery: &Gallery) {
    outln!(
        "{}: {}, {}",
        gallery.page.display(),
        count(gallery.videos, "video"),
        HumanBytes(gallery.bytes)
    );
    if let Some(expiry) = gallery.links_expire_at {
        let or_earlier = if gallery.links_may_expire_sooner {
            ", or earlier with the session that signed them"
        } else {
            ""
        };
        outln!(
            "The links expire at {}{or_earlier}. Anyone with the page can view the videos until then.",
            time(expiry.as_second())
        );
    }
    match gallery.unreadable.len() {
        0 => {}
        unreadable => outln!(
            "skipped {} (see the warnings)",
            count(unreadable, "receipt")
        ),
    }
}

impl Report {
    fn new(archive_url: String, gallery: Gallery) -> Self {
        Self {
            archive_url,
            page: gallery.page,
            videos: gallery.videos,
            bytes: gallery.bytes,
            links_until: gallery.links_expire_at.map(Timestamp::as_second),
            links_may_end_sooner: gallery.links_may_expire_sooner,
            unreadable: gallery.unreadable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_links_live_for_a_week_at_most() {
        assert_eq!(link_lifetime("7d"), Ok(gallery::MAX_LINK_LIFETIME));
        assert_eq!(link_lifetime("1h"), Ok(Duration::from_secs(3600)));
        for invalid in ["8d", "0s", "soon"] {
            assert!(link_lifetime(invalid).is_err(), "{invalid}");
        }
    }
}
