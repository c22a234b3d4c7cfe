//! `seedance-archiver clean`.

use std::{io, process::ExitCode, time::Duration};

use anyhow::Context;
use indicatif::HumanBytes;
use object_store::ObjectStoreExt;
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::visible;
use seedance_archiver_workflows::format;
use serde::Serialize;

use super::{
    output::{Output, print_json},
    session,
    shutdown::Shutdown,
    text::count,
};
use crate::{
    archive::{
        Archive, StoreError,
        audit::{self, Leftovers},
    },
    config, telemetry,
};

/// Advice if the store does not list incomplete uploads.
pub(super) const LIFECYCLE_RULE_ADVICE: &str = "Some stores do not list incomplete multipart uploads. Add a bucket \
    lifecycle rule that aborts them, e.g. AbortIncompleteMultipartUpload after 2 days on S3.";

/// Remove staged objects that killed workers left behind
///
/// Only lists them unless --remove is set. On S3 this includes incomplete multipart uploads, if the store
/// lists them, and in a local archive the files of writes that were cut off. Exits with 1 if something could not be listed or
/// removed. Reads SEEDANCE_ARCHIVE_URL and the store's environment variables.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seedance-archiver clean                        list what has been staged for more than a day
  seedance-archiver clean --remove               remove it
  seedance-archiver clean --older-than 6h")]
pub(super) struct Args {
    /// Minimum age. A transfer takes up to 6 hours.
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = config::duration)]
    older_than: Duration,
    /// Remove the listed objects, files and uploads.
    #[arg(long)]
    remove: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// The document of `--output json`.
#[derive(Debug, Serialize)]
struct Report {
    is_removed: bool,
    /// Whether there may be uploads that the store does not list.
    may_hide_uploads: bool,
    left: Vec<Leftover>,
    /// What could not be listed or removed.
    errors: Vec<String>,
}

/// An object, file or upload that a killed worker left behind.
#[derive(Debug, Serialize)]
struct Leftover {
    name: String,
    kind: LeftoverKind,
    size_bytes: Option<u64>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum LeftoverKind {
    Object,
    File,
    Upload,
}

pub(super) async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<ExitCode> {
    telemetry::init("error");
    let url = config::archive_url(session::variable)?;
    let archive = Archive::open(&url)?;
    shutdown.run_until_requested(clean(&archive, &args)).await
}

async fn clean(archive: &Archive, args: &Args) -> anyhow::Result<ExitCode> {
    let before = Clock::default()
        .now()
        .checked_sub(args.older_than)
        .context("--older-than is too long")?;
    let leftovers = audit::find_leftovers(archive, before).await;
    let mut report = Report::new(&leftovers, archive, args.remove);
    if args.remove {
        report.errors.extend(remove(archive, &leftovers).await);
    }
    match args.output {
        Output::Json => print_json(&report)?,
        Output::Text => report.print(args.older_than),
    }
    Ok(ExitCode::from(u8::from(!report.errors.is_empty())))
}

/// Removes the leftovers. Returns the errors: each concerns one leftover, and the others are removed. One that is gone already
/// was removed by its attempt, or by another command.
async fn remove(archive: &Archive, leftovers: &Leftovers) -> Vec<String> {
    let mut errors = Vec::new();
    for object in &leftovers.objects {
        match archive.store.delete(&object.location).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => {
                let error = StoreError::from(error);
                errors.push(format!(
                    "cannot delete object `{}`: {error}",
                    object.location
                ));
            }
        }
    }
    for file in &leftovers.files {
        match tokio::fs::remove_file(file).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                errors.push(format!("cannot delete file `{}`: {error}", file.display()));
            }
            _ => {}
        }
    }
    for upload in &leftovers.uploads {
        if let Err(error) = archive.abort_upload(upload).await {
            errors.push(format!(
                "cannot abort the upload to `{}`: {error}",
                upload.key
            ));
        }
    }
    errors
}

impl Report {
    fn new(leftovers: &Leftovers, archive: &Archive, is_removed: bool) -> Self {
        let objects = leftovers.objects.iter().map(|object| Leftover {
            name: object.location.to_string(),
            kind: LeftoverKind::Object,
            size_bytes: Some(object.size),
        });
        let files = leftovers.files.iter().map(|file| Leftover {
            name: file.display().to_string(),
            kind: LeftoverKind::File,
            size_bytes: None,
        });
        let uploads = leftovers.uploads.iter().map(|upload| Leftover {
            name: upload.key.to_string(),
            kind: LeftoverKind::Upload,
            size_bytes: None,
        });
        Self {
            is_removed,
            may_hide_uploads: leftovers.uploads.is_empty() && archive.has_hidden_uploads(),
            left: objects.chain(files).chain(uploads).collect(),
            errors: leftovers.errors.clone(),
        }
    }

    fn print(&self, older_than: Duration) {
        for Leftover {
            name,
            kind,
            size_bytes,
        } in &self.left
        {
            let name = visible::escape(name);
            match (kind, size_bytes) {
                (LeftoverKind::Upload, _) => outln!("{name} (incomplete upload)"),
                (_, Some(size)) => outln!("{name} {}", HumanBytes(*size)),
                (_, None) => outln!("{name}"),
            }
        }
        for error in &self.errors {
            errln!("error: {}", visible::escape(error));
        }
        if self.may_hide_uploads {
            outln!("{LIFECYCLE_RULE_ADVICE}");
        }
        let items = count(self.left.len(), "staged item");
        match (self.left.is_empty(), self.is_removed) {
            (true, _) if !self.errors.is_empty() => {}
            (true, _) => outln!(
                "nothing is staged for longer than {}",
                format::duration(older_than)
            ),
            (false, true) if !self.errors.is_empty() => {
                outln!("found {items}; not all were removed");
            }
            (false, true) => outln!("removed {items}"),
            (false, false) => outln!("found {items}; use --remove to remove"),
        }
    }
}

#[cfg(test)]
mod tests {
    use object_store::{ObjectMeta, path::Path};
    use reqwest::Url;

    use super::*;

    #[tokio::test]
    async fn what_is_gone_already_is_no_error() {
        let directory = tempfile::tempdir().unwrap();
        let url = Url::from_directory_path(directory.path()).unwrap();
        let archive = Archive::open(&url).unwrap();
        let object = ObjectMeta {
            location: Path::from(".staging/cgt-1-8f14e45f-ceea-4a7b-9f2b-3d1c5d0e6a11/video"),
            last_modified: Default::default(),
            size: 5,
            e_tag: None,
            version: None,
        };
        let leftovers = Leftovers {
            objects: vec![object],
            files: vec![directory.path().join("task.json#1")],
            ..Leftovers::default()
        };
        let errors = remove(&archive, &leftovers).await;
        assert!(errors.is_empty(), "{errors:?}");
    }
}
