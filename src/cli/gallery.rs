//! `seedance-archiver gallery`.

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, SystemTime},
};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde::Serialize;

use super::{Output, session, signals::Stop};
use crate::{
    archive::Archive,
    config,
    gallery::{self, Gallery, Unreadable},
    telemetry,
};

/// Make a page of the archive for the browser
///
/// Reads SEEDANCE_ARCHIVE_URL and the store's own environment, and writes one file, index.html, that needs
/// no other: with each video, its receipt, and its prompt where the task's record has one. Links to an
/// archive on disk are relative. Links to a bucket are signed: whoever has the page can see the videos
/// until they end.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver gallery --out gallery               every video
  seedance-archiver gallery --out gallery --since 7d    the last week's
  seedance-archiver gallery --out gallery --expires 1h  with links to a bucket that end in an hour")]
pub(super) struct Args {
    /// Folder of the page, created if need be.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Only videos whose receipts are no older, e.g. `7d`.
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    since: Option<Duration>,
    /// How long links to a bucket work, 7 days at most. Those of a folder do not end.
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = lifetime)]
    expires: Duration,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// What stores sign for. The error says which.
fn lifetime(text: &str) -> Result<Duration, String> {
    config::duration(text)
        .ok()
        .filter(|time| (Duration::from_secs(1)..=gallery::LONGEST).contains(time))
        .ok_or_else(|| {
            "a time from \"1s\" to \"7d\", which is the longest that stores sign for".into()
        })
}

/// The document of `--output json`.
#[derive(Debug, Serialize)]
struct Report {
    archive_url: String,
    page: PathBuf,
    videos: usize,
    bytes: u64,
    /// Unix seconds. Absent: they do not end.
    #[serde(skip_serializing_if = "Option::is_none")]
    links_until: Option<i64>,
    links_may_end_sooner: bool,
    unreadable: Vec<Unreadable>,
}

pub(super) async fn run(args: Args, stop: &Stop) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let url = config::archive_url(session::variable)?;
    let archive = Archive::open(&url)?;
    let since = args
        .since
        .and_then(|age| SystemTime::now().checked_sub(age));
    let line = progress()?;
    let made = stop
        .unless_asked(async {
            let read = |count: usize| line.set_position(count as u64);
            Ok(gallery::make(&archive, &args.out, since, args.expires, read).await?)
        })
        .await;
    line.finish_and_clear();
    let gallery = made?;
    for unreadable in &gallery.unreadable {
        eprintln!("warning: {unreadable}");
    }
    match args.output {
        Output::Json => println!(
            "{}",
            serde_json::to_string_pretty(&Report::new(url.to_string(), gallery))?
        ),
        Output::Text => print(&gallery),
    }
    Ok(ExitCode::SUCCESS)
}

fn progress() -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{spinner} {human_pos} receipts read ({elapsed})")?;
    let line = ProgressBar::no_length().with_style(style);
    line.enable_steady_tick(Duration::from_millis(120));
    Ok(line)
}

fn print(gallery: &Gallery) {
    let (videos, bytes) = (gallery.videos, HumanBytes(gallery.bytes));
    let word = if videos == 1 { "video" } else { "videos" };
    println!("{videos} {word}, {bytes}: {}", gallery.page.display());
    if let Some(until) = gallery.links_until {
        let session = if gallery.links_may_end_sooner {
            ", and no longer than the session that signed them"
        } else {
            ""
        };
        println!(
            "Its links work until {}{session}. Whoever has the page can see the videos until then.",
            minute(until)
        );
    }
    match gallery.unreadable.len() {
        0 => {}
        count => println!("receipts that cannot be read and are not in it: {count}"),
    }
}

fn minute(time: Timestamp) -> impl std::fmt::Display {
    time.strftime("%Y-%m-%d %H:%M UTC")
}

impl Report {
    fn new(archive_url: String, gallery: Gallery) -> Self {
        Self {
            archive_url,
            page: gallery.page,
            videos: gallery.videos,
            bytes: gallery.bytes,
            links_until: gallery.links_until.map(Timestamp::as_second),
            links_may_end_sooner: gallery.links_may_end_sooner,
            unreadable: gallery.unreadable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_signed_for_a_week_at_most() {
        assert_eq!(lifetime("7d"), Ok(gallery::LONGEST));
        assert_eq!(lifetime("1h"), Ok(Duration::from_secs(3600)));
        for wrong in ["8d", "0s", "soon"] {
            assert!(lifetime(wrong).is_err(), "{wrong}");
        }
    }
}
