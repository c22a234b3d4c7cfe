//! `seedance-archiver rescue`.

mod listing;

use std::{process::ExitCode, sync::Arc, time::SystemTime};

use anyhow::Context;
use indicatif::HumanBytes;
use seedance_archiver_proto::{outcome, v1::VideoTaskLifecycleRequest};
use seedance_archiver_workflows::format;
use serde::Serialize;

use super::{
    Output,
    follow::{self, Job},
    report::Report,
    session,
    signals::Stop,
};
use crate::{
    archive::Archive,
    config::{Account, Config},
    rescue::{self, Found, Video},
    telemetry,
};
use listing::Listing;

/// Save every video of the last 7 days that can still be had, most urgent first
///
/// Needs only SEEDANCE_API_KEY: it lists the tasks of the account, brings a Temporal server and a worker
/// of its own, and archives into ./seedance-archive unless SEEDANCE_ARCHIVE_URL is set. Run again, it
/// saves what is missing. Exits 0 when every video that can still be had is in the archive; what could not
/// be listed is told, does not stop the rest, and makes it exit 1.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver rescue --dry-run    what there is, and how long for
  seedance-archiver rescue              save it")]
pub(super) struct Args {
    /// Account whose videos are saved. Without it, those of every account.
    #[arg(long)]
    account: Option<String>,
    /// List only: what there is, by the time that is left.
    #[arg(long)]
    dry_run: bool,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Lifecycles at once: as many as a worker has transfers.
const AT_ONCE: usize = 32;

/// The document of `--output json`.
#[derive(Serialize)]
struct Document<'a> {
    found: &'a Listing,
    #[serde(flatten)]
    report: &'a Report,
}

pub(super) async fn run(args: Args, stop: &Stop) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let archive_url = session::local_archive()?;
    let config = Config::from_environment(session::variable, Some(archive_url))?;
    let accounts = accounts(&args, &config)?;
    let step = session::step("listing the tasks of the last 7 days")?;
    let notify = |words: &str| session::show_step(&step, words);
    let found = stop.unless_asked(look(&config, &accounts, &notify)).await;
    step.finish_and_clear();
    let found = found?;
    has_something(&found)?;
    let listing = Listing::new(&found);
    if args.output == Output::Text {
        println!("{}", listing.table(accounts.len() > 1));
    }
    eprintln!("{}", listing.summary());
    let report = if args.dry_run || found.missing().next().is_none() {
        Report::new("", config.archive_url.as_str(), Vec::new())
    } else {
        save(&args, &config, &found, stop).await?
    };
    if args.output == Output::Json {
        let document = Document {
            found: &listing,
            report: &report,
        };
        println!("{}", serde_json::to_string_pretty(&document)?);
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

async fn look(
    config: &Config,
    accounts: &[Arc<Account>],
    notify: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<Found> {
    let seedance = session::seedance()?;
    let mut found = Found::default();
    for account in accounts {
        let archive = archive(config, account)?;
        let of_account = rescue::find(&seedance, account, archive.as_ref(), notify).await;
        found.extend(of_account.context("cannot look for receipts in the archive")?);
    }
    Ok(found)
}

/// Where nothing at all could be listed, that is the end.
fn has_something(found: &Found) -> anyhow::Result<()> {
    let is_empty =
        found.videos.is_empty() && found.unfinished.is_empty() && found.unsuccessful == 0;
    let problems: Vec<_> = found.not_listed.iter().map(ToString::to_string).collect();
    anyhow::ensure!(!is_empty || problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

/// A folder that is not there is not made to be looked into.
fn archive(config: &Config, account: &Account) -> anyhow::Result<Option<Archive>> {
    let url = &config.archive_url;
    let is_local = url.scheme() == "file";
    if is_local && url.to_file_path().is_ok_and(|path| !path.exists()) {
        return Ok(None);
    }
    let archive = Archive::open_with(url, account.archive.objects.clone());
    archive.map(Some).context("cannot open the archive")
}

async fn save(args: &Args, config: &Config, found: &Found, stop: &Stop) -> anyhow::Result<Report> {
    let server = stop.unless_asked(session::start_dev_server()).await?;
    let jobs = found.missing().map(job).collect();
    let work = stop.unless_asked(async {
        let in_turn = follow::in_turn(&server.client, &config.task_queue, jobs, AT_ONCE);
        Ok(in_turn.await)
    });
    let videos = session::with_worker(&server.client, config, work).await;
    let ui_url = server.ui_url.clone().unwrap_or_default();
    server.stop().await;
    let report = Report::new(&ui_url, config.archive_url.as_str(), videos?);
    if args.output == Output::Text {
        report.print(Output::Text)?;
    }
    eprintln!("{}", sentence(&report, found, config));
    Ok(report)
}

fn job(video: &Video) -> Job {
    Job {
        request: VideoTaskLifecycleRequest {
            task_id: video.task.id.clone(),
            account: video.account.clone(),
            ..VideoTaskLifecycleRequest::default()
        },
        dies_at: video.deadlines.url,
    }
}

/// What it came to.
fn sentence(report: &Report, found: &Found, config: &Config) -> String {
    let (saved, bytes) = report.archived();
    let asked_for = found.missing().count();
    let mut sentence = format!(
        "{saved} of {asked_for} videos saved, {}, to {}",
        HumanBytes(bytes),
        config.archive_url
    );
    let first = found.missing().find(|video| report.has(&video.task.id));
    if let Some((video, end)) = first.and_then(|video| Some((video, video.deadlines.url?))) {
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        sentence += &format!(
            "; {} would have died next, in {}",
            video.task.id,
            format::duration(left)
        );
    }
    sentence
}
