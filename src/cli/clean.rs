//! `seedance-archiver clean`.

use std::{
    process::ExitCode,
    time::{Duration, SystemTime},
};

use anyhow::Context;
use indicatif::HumanBytes;
use object_store::ObjectStoreExt;

use super::{session, signals::Stop};
use crate::{
    archive::{Archive, audit},
    config, telemetry,
};

/// What aborts uploads where the store does not list them.
const RULE: &str = "Not every store lists uploads that were never completed. Let a rule of the bucket \
                    abort them, on S3 for example AbortIncompleteMultipartUpload after 2 days.";

/// Remove what killed workers have left staged
///
/// Reads SEEDANCE_ARCHIVE_URL and the store's own environment. Only shows what it would remove, unless
/// told otherwise. On S3 that includes uploads which were never completed, where the store lists them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver clean                        show what is staged for longer than a day
  seedance-archiver clean --remove               remove it
  seedance-archiver clean --older-than 6h")]
pub(super) struct Args {
    /// Only what is older. A transfer takes up to 6 hours.
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = config::duration)]
    older_than: Duration,
    /// Remove it.
    #[arg(long)]
    remove: bool,
}

pub(super) async fn run(args: Args, stop: &Stop) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let url = config::archive_url(session::variable)?;
    let archive = Archive::open(&url)?;
    stop.unless_asked(clean(&archive, &args)).await
}

async fn clean(archive: &Archive, args: &Args) -> anyhow::Result<ExitCode> {
    let before = SystemTime::now()
        .checked_sub(args.older_than)
        .context("--older-than is longer than time")?;
    let staged = audit::staged(archive, before)
        .await
        .context("the archive cannot be read")?;
    for object in &staged.objects {
        println!("{} {}", object.location, HumanBytes(object.size));
        if args.remove {
            let removed = archive.store.delete(&object.location).await;
            removed.with_context(|| format!("cannot remove {}", object.location))?;
        }
    }
    for file in &staged.files {
        println!("{}", file.display());
        if args.remove {
            let removed = std::fs::remove_file(file);
            removed.with_context(|| format!("cannot remove {}", file.display()))?;
        }
    }
    for upload in &staged.uploads {
        println!("{} (an upload that was never completed)", upload.key);
        if args.remove {
            let aborted = audit::abort(archive, upload).await;
            aborted.with_context(|| format!("cannot abort the upload to {}", upload.key))?;
        }
    }
    if staged.uploads.is_empty() && archive.has_hidden_uploads() {
        println!("{RULE}");
    }
    let count = staged.objects.len() + staged.files.len() + staged.uploads.len();
    match (count, args.remove) {
        (0, _) => println!("nothing is staged for so long"),
        (count, true) => println!("{count} removed"),
        (count, false) => println!("{count} staged: --remove removes them"),
    }
    Ok(ExitCode::SUCCESS)
}
