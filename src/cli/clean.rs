//! `seedance-archiver clean`.

use std::{
    process::ExitCode,
    time::{Duration, SystemTime},
};

use anyhow::Context;
use indicatif::HumanBytes;
use object_store::ObjectStoreExt;
use serde::Serialize;

use super::{Output, session, signals::Stop};
use crate::{
    archive::{
        Archive,
        audit::{self, Leftovers},
    },
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
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// The document of `--output json`.
#[derive(Debug, Serialize)]
struct Report {
    is_removed: bool,
    /// Whether there may be uploads that the store does not list.
    may_hide_uploads: bool,
    left: Vec<Left>,
}

/// What a killed worker has left.
#[derive(Debug, Serialize)]
struct Left {
    name: String,
    kind: &'static str,
    size_bytes: Option<u64>,
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
    let staged = audit::find_leftovers(archive, before)
        .await
        .context("the archive cannot be read")?;
    let report = Report::of(&staged, archive, args.remove);
    if args.remove {
        remove(archive, &staged).await?;
    }
    match args.output {
        Output::Json => println!("{}", serde_json::to_string_pretty(&report)?),
        Output::Text => report.print(),
    }
    Ok(ExitCode::SUCCESS)
}

async fn remove(archive: &Archive, staged: &Leftovers) -> anyhow::Result<()> {
    for object in &staged.objects {
        let removed = archive.store.delete(&object.location).await;
        removed.with_context(|| format!("cannot remove {}", object.location))?;
    }
    for file in &staged.files {
        let removed = std::fs::remove_file(file);
        removed.with_context(|| format!("cannot remove {}", file.display()))?;
    }
    for upload in &staged.uploads {
        let aborted = archive.abort_upload(upload).await;
        aborted.with_context(|| format!("cannot abort the upload to {}", upload.key))?;
    }
    Ok(())
}

impl Report {
    fn of(staged: &Leftovers, archive: &Archive, is_removed: bool) -> Self {
        let objects = staged.objects.iter().map(|object| Left {
            name: object.location.to_string(),
            kind: "object",
            size_bytes: Some(object.size),
        });
        let files = staged.files.iter().map(|file| Left {
            name: file.display().to_string(),
            kind: "file",
            size_bytes: None,
        });
        let uploads = staged.uploads.iter().map(|upload| Left {
            name: upload.key.to_string(),
            kind: "upload",
            size_bytes: None,
        });
        Self {
            is_removed,
            may_hide_uploads: staged.uploads.is_empty() && archive.has_hidden_uploads(),
            left: objects.chain(files).chain(uploads).collect(),
        }
    }

    fn print(&self) {
        for left in &self.left {
            let name = &left.name;
            match (left.kind, left.size_bytes) {
                ("upload", _) => println!("{name} (an upload that was never completed)"),
                (_, Some(size)) => println!("{name} {}", HumanBytes(size)),
                _ => println!("{name}"),
            }
        }
        if self.may_hide_uploads {
            println!("{RULE}");
        }
        match (self.left.len(), self.is_removed) {
            (0, _) => println!("nothing is staged for so long"),
            (count, true) => println!("{count} removed"),
            (count, false) => println!("{count} staged: --remove removes them"),
        }
    }
}
