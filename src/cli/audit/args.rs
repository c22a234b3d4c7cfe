//! The arguments of `audit`.

use std::time::Duration;

use seedance_archiver_policy::audits::Share;
use seedance_archiver_proto::destination;

use crate::{cli::output::Output, config, temporal::audits::schedule::MIN_INTERVAL};

/// Verify the archive regularly, a part at a time
///
/// With --every, a Temporal Schedule lets workers read the part of the archive that was verified longest ago, and compare
/// each byte with its receipt. Each audit stores a report under `.audit/` in the archive; none changes or deletes
/// anything else. Without --every, shows the schedule and the last audit, and exits with 1 if that had findings.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver audit --every 1d --share 1/30    all bytes within 30 days, now and every day
  seedance-archiver audit                            show the schedule and the last audit
  seedance-archiver audit --off                      delete the schedule")]
pub(crate) struct Args {
    /// Create or update the Temporal Schedule that repeats audits, e.g. `1d`.
    #[arg(long, value_name = "TIME", value_parser = interval)]
    pub(super) every: Option<Duration>,
    /// Part of the archive that each audit verifies, from `1/1000` to `1`.
    #[arg(
        long,
        value_name = "FRACTION",
        allow_hyphen_values = true,
        value_parser = share,
        default_value = "1/30",
        requires = "every"
    )]
    pub(super) share: Share,
    /// Delete the schedule.
    #[arg(long, conflicts_with = "every")]
    pub(super) off: bool,
    /// Archive URL, if not the archive of the workers: a destination that one of their accounts allows.
    #[arg(long, value_name = "URL", default_value = "", hide_default_value = true, value_parser = archive_url)]
    pub(super) destination: String,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Output,
}

impl Args {
    /// Returns the option that names the archive in another command.
    pub(super) fn destination_option(&self) -> String {
        match self.destination.as_str() {
            "" => String::new(),
            url => format!(" --destination {url}"),
        }
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let every = config::duration(text)?;
    if every < MIN_INTERVAL {
        return Err("must be at least 1h: each audit lists the whole archive".to_owned());
    }
    if every.subsec_nanos() != 0 {
        return Err("must be a whole number of seconds".to_owned());
    }
    Ok(every)
}

fn share(text: &str) -> Result<Share, String> {
    text.parse().map_err(|problem| format!("{problem}"))
}

fn archive_url(text: &str) -> Result<String, String> {
    if !text.is_empty() {
        destination::check(text)?;
    }
    Ok(text.to_owned())
}
