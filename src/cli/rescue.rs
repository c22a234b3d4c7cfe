//! `seedance-archiver rescue`.

mod listing;

use std::{process::ExitCode, sync::Arc};

use anyhow::Context;
use indicatif::HumanBytes;
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::{outcome, v1::VideoTaskLifecycleRequest, visible};
use seedance_archiver_workflows::format;
use serde::Serialize;

use super::{
    follow::{self, Job},
    output::{Output, print_json},
    progress::Spinner,
    report::Report,
    session,
    shutdown::Shutdown,
};
use crate::{
    archive::Archive,
    config::{Account, Config},
    rescue::{self, Found, Video},
    telemetry,
};
use listing::Listing;

/// Archive every video of the last 7 days, most urgent first
///
/// Requires only SEEDANCE_API_KEY: lists the tasks of every account, runs a Temporal server and a worker
/// in this process, and archives into ./seedance-archive unless SEEDANCE_ARCHIVE_URL is set. Running it
/// again archives what is still missing. Exits with 0 if every available video is archived, and with 1 if
/// a video is not, or if some tasks could not be listed. With --dry-run, a missing video is no error.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver rescue --dry-run    list the videos and the time left
  seedance-archiver rescue              archive them")]
pub(super) struct Args {
    /// Account whose videos to archive. Default: every account.
    #[arg(long)]
    account: Option<String>,
    /// List the videos by the time left, and archive nothing.
    #[arg(long)]
    dry_run: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Maximum number of concurrent lifecycles: the number of transfer slots of a worker.
const CONCURRENCY: usize = 32;

/// The document of `--output json`.
#[derive(Serialize)]
struct Document<'a> {
    found: &'a Listing,
    #[serde(flatten)]
    report: &'a Report,
}

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let config = session::private_worker()?;
    let accounts = accounts(&args, &config)?;
    let found = list(&config, &accounts, shutdown).await?;
    fail_if_nothing_listed(&found)?;
    let listing = Listing::new(&found);
    if args.output == Output::Text {
        outln!("{}", listing.table(accounts.len() > 1));
    }
    errln!("{}", listing.summary());
    let report = if args.dry_run || found.missing().next().is_none() {
        Report::new("", config.archive_url.as_str(), Vec::new())
    } else {
        archive_missing(&args, &config, &found, shutdown).await?
    };
    if args.output == Output::Json {
        print_json(&Document {
            found: &listing,
            report: &report,
        })?;
    }
    if listing.is_complete() {
        Ok(report.exit_code(&[outcome::ARCHIVED]))
    } else {
        Ok(ExitCode::FAILURE)
    }
}

fn accounts(args: &Args, config: &Config) -> anyhow::Result<Vec<Arc<Account>>> {
    match &args.account {
        Some(name) => Ok(vec![config.accounts.get(name)?]),
        None => Ok(config.accounts.iter().cloned().collect()),
    }
}

/// Lists the videos of these accounts, with a spinner that shows the current step.
async fn list(
    config: &Config,
    accounts: &[Arc<Account>],
    shutdown: &Shutdown,
) -> anyhow::Result<Found> {
    let spinner = Spinner::start("listing the tasks of the last 7 days");
    let listed = shutdown.run_until_requested(async {
        let seedance = session::seedance()?;
        let notify = |step: &str| spinner.set_message(step);
        let mut found = Found::default();
        for account in accounts {
            let archive = open_archive(config, account)?;
            let in_account = rescue::find(&seedance, account, archive.as_ref(), &notify).await;
            found.extend(in_account.context("cannot read receipts from the archive")?);
        }
        Ok(found)
    });
    let listed = listed.await;
    spinner.clear();
    listed
}

/// Fails if no task of any account could be listed.
fn fail_if_nothing_listed(found: &Found) -> anyhow::Result<()> {
    let is_empty =
        found.videos.is_empty() && found.unfinished.is_empty() && found.unsuccessful == 0;
    let problems: Vec<_> = found.not_listed.iter().map(ToString::to_string).collect();
    anyhow::ensure!(!is_empty || problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

/// Opens the archive of an account. Returns `None` if it is a local directory that does not exist, which must not
/// be created only to be read.
fn open_archive(config: &Config, account: &Account) -> anyhow::Result<Option<Archive>> {
    let url = &config.archive_url;
    let is_local = url.scheme() == "file";
    if is_local && url.to_file_path().is_ok_and(|path| !path.exists()) {
        return Ok(None);
    }
    let archive = Archive::open_with(url, account.archive.objects.clone());
    let archive = archive.with_context(|| format!("cannot open the archive `{url}`"))?;
    Ok(Some(archive))
}

/// Archives the missing videos with a Temporal server and a worker in this process.
async fn archive_missing(
    args: &Args,
    config: &Config,
    found: &Found,
    shutdown: &Shutdown,
) -> anyhow::Result<Report> {
    let server = shutdown
        .run_until_requested(session::start_dev_server())
        .await?;
    let jobs = found.missing().map(job).collect();
    let work = shutdown.run_until_requested(async {
        let task_queue = &config.task_queue;
        Ok(follow::follow_jobs(&server.client, task_queue, jobs, CONCURRENCY).await)
    });
    let results = session::with_worker(&server.client, config, work).await;
    let ui_url = server.ui_url.clone().unwrap_or_default();
    server.stop().await;
    let report = Report::new(&ui_url, config.archive_url.as_str(), results?);
    if args.output == Output::Text {
        report.print(Output::Text)?;
    }
    errln!("{}", summary(&report, found, config));
    Ok(report)
}

fn job(video: &Video) -> Job {
    Job {
        request: VideoTaskLifecycleRequest {
            task_id: video.task.id.clone(),
            account: video.account.clone(),
            ..VideoTaskLifecycleRequest::default()
        },
        url_expires_at: video.deadlines.url,
    }
}

fn summary(report: &Report, found: &Found, config: &Config) -> String {
    let (archived, bytes) = report.archived();
    let mut summary = format!(
        "archived {archived} of {} videos ({}) in {}",
        found.missing().count(),
        HumanBytes(bytes),
        config.archive_url
    );
    let mut missing = found.missing();
    let most_urgent = missing.find(|video| report.is_archived(&video.task.id));
    if let Some((video, url_expires_at)) =
        most_urgent.and_then(|video| Some((video, video.deadlines.url?)))
    {
        let left = url_expires_at
            .duration_since(Clock::default().now())
            .unwrap_or_default();
        summary += &format!(
            "; the URL of {} would have expired next, in {}",
            visible::escape(&video.task.id),
            format::duration(left)
        );
    }
    summary
}
