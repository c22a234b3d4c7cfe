//! `ArchiveVideo`: streams the video into the archive and writes the receipt. Run again, it finds
//! the receipt and downloads nothing.

// The constants that the macro makes carry no documentation.
#![allow(missing_docs)]

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use seedance_archiver_proto::{
    names, status,
    v1::{ArchiveProgress, ArchiveVideoRequest, ArchivedObject, Manifest, VideoTask},
};
use seedance_archiver_workflows::{
    question::Next,
    request::{InvalidRequest, Request},
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::failure;
use crate::{
    archive::{
        self, Archive, Layout, publish, receipt,
        transfer::{Progress, Transferred, transfer},
    },
    config::{Account, Accounts},
    seedance::{Client, SecretUrl},
};

/// How often progress is reported while bytes come in.
const HEARTBEAT: Duration = Duration::from_millis(500);
const VIDEO_TYPE: &str = "video/mp4";

/// Activities of the transfers task queue.
pub struct TransferActivities {
    accounts: Accounts,
    seedance: Client,
    http: reqwest::Client,
    archive: Archive,
}

#[activities]
impl TransferActivities {
    /// Archives the video of a succeeded task and returns the receipt.
    #[activity(name = "ArchiveVideo")]
    pub async fn archive_video(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Request<ArchiveVideoRequest>,
    ) -> Result<Manifest, ActivityError> {
        let job = self.job(&ctx, request).map_err(failure::invalid_request)?;
        let receipt = job.layout.manifest();
        if let Some(manifest) = receipt::find(&job.archive, &receipt)
            .await
            .map_err(failure::transfer_failed)?
        {
            return Ok(manifest);
        }

        let (source_host, transferred) = self.fetch(&ctx, &job).await?;
        publish::publish(&job.archive, &job.staged, &job.layout.video(), &transferred)
            .await
            .map_err(failure::transfer_failed)?;

        let manifest = job.manifest(source_host, transferred);
        receipt::write(&job.archive, &receipt, manifest)
            .await
            .map_err(failure::transfer_failed)
    }
}

impl TransferActivities {
    /// Activities that serve these accounts and archive into `archive`.
    pub fn new(
        accounts: Accounts,
        seedance: Client,
        http: reqwest::Client,
        archive: Archive,
    ) -> Self {
        Self {
            accounts,
            seedance,
            http,
            archive,
        }
    }

    fn job(
        &self,
        ctx: &ActivityContext,
        request: Request<ArchiveVideoRequest>,
    ) -> Result<Job, InvalidRequest> {
        let request = request.check()?;
        let task = request.task.unwrap_or_default();
        let account = self
            .accounts
            .get(&request.account)
            .map_err(|error| InvalidRequest::new("account", error.to_string()))?;
        let archive = self
            .archive
            .at(&request.destination)
            .map_err(|error| InvalidRequest::new("destination", error.to_string()))?;
        if task.status != status::SUCCEEDED {
            return Err(InvalidRequest::new(
                "task.status",
                format!("is `{}`: only a succeeded task has a video", task.status),
            ));
        }
        let layout = Layout::new(&archive.root, &account.name, &task);
        let staged = layout.staged_video(&archive.root, &attempt(ctx));
        Ok(Job {
            account,
            task,
            archive,
            layout,
            staged,
        })
    }

    /// Streams the video into the staged object: from the URL that came with the request, or, where
    /// that one no longer works, from a fresh one.
    async fn fetch(
        &self,
        ctx: &ActivityContext,
        job: &Job,
    ) -> Result<(String, Transferred), ActivityError> {
        if let Some(url) = job.sealed_url().filter(is_alive) {
            match self.stream(ctx, job, &url).await {
                Err(archive::Error::UrlRefused(_)) => {}
                other => return other.map_err(failure::transfer_failed),
            }
        }
        let url = self.fresh_url(ctx, job).await?;
        match self.stream(ctx, job, &url).await {
            Err(error @ archive::Error::UrlRefused(_)) => Err(failure::url_expired(
                &error.to_string(),
                job.next_question(ctx),
            )),
            other => other.map_err(failure::transfer_failed),
        }
    }

    async fn fresh_url(
        &self,
        ctx: &ActivityContext,
        job: &Job,
    ) -> Result<SecretUrl, ActivityError> {
        match self.seedance.query(&job.account, &job.task.id).await {
            Ok(record) => record.video_url().filter(is_alive).ok_or_else(|| {
                failure::url_expired("the record has no URL that works", job.next_question(ctx))
            }),
            Err(error) => {
                let message = format!("the video URL no longer works, and asking again: {error}");
                Err(failure::url_expired(&message, job.next_question(ctx)))
            }
        }
    }

    /// Transfers, reporting progress until it ends.
    async fn stream(
        &self,
        ctx: &ActivityContext,
        job: &Job,
        url: &SecretUrl,
    ) -> Result<(String, Transferred), archive::Error> {
        let progress = Progress::default();
        let transferred = tokio::select! {
            transferred = transfer(
                &self.http, url, &job.archive, &job.staged, &progress, ctx.cancelled(),
            ) => transferred?,
            () = report(ctx, &progress) => return Err(archive::Error::Cancelled),
        };
        Ok((url.host(), transferred))
    }
}

/// One video to archive: the request, resolved.
struct Job {
    account: Arc<Account>,
    task: VideoTask,
    archive: Archive,
    layout: Layout,
    staged: object_store::path::Path,
}

impl Job {
    fn sealed_url(&self) -> Option<SecretUrl> {
        let sealed = &self.task.content.as_ref()?.video_url;
        self.account.seal().open(&self.task.id, sealed).ok()
    }

    fn next_question(&self, ctx: &ActivityContext) -> Next {
        let now = SystemTime::now();
        let known = failure::known(self.task.created_at, ctx.info().scheduled_time, now);
        self.account.pace.after_no_news(known, None)
    }

    fn manifest(&self, source_host: String, video: Transferred) -> Manifest {
        let key = self.layout.video();
        Manifest {
            task_id: self.task.id.clone(),
            account: self.account.name.clone(),
            model: self.task.model.clone(),
            task_created_at: self.task.created_at,
            task_updated_at: self.task.updated_at,
            manifest_url: self.archive.url_of(&self.layout.manifest()),
            objects: vec![ArchivedObject {
                name: key.filename().unwrap_or_default().to_owned(),
                url: self.archive.url_of(&key),
                size_bytes: video.size,
                sha256: video.sha256,
                content_type: VIDEO_TYPE.to_owned(),
            }],
            archived_at: Timestamp::now().as_second(),
            source_host,
            archiver_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

fn is_alive(url: &SecretUrl) -> bool {
    url.expires_at().is_none_or(|end| SystemTime::now() < end)
}

/// A name that no other attempt has.
fn attempt(ctx: &ActivityContext) -> String {
    let info = ctx.info();
    let run = info
        .workflow_run_id
        .as_ref()
        .or(info.activity_run_id.as_ref());
    format!(
        "{}-{}",
        run.map_or("standalone", String::as_str),
        info.attempt
    )
}

/// Heartbeats with the bytes done and in all. Ends only when a heartbeat cannot be made, which no
/// message of ours can cause.
async fn report(ctx: &ActivityContext, progress: &Progress) {
    let mut ticks = tokio::time::interval(HEARTBEAT);
    loop {
        ticks.tick().await;
        let (bytes_done, bytes_total) = progress.bytes();
        let beat = ArchiveProgress {
            object: archive::VIDEO.to_owned(),
            bytes_done,
            bytes_total,
        };
        if let Err(error) = ctx.record_heartbeat(beat).await {
            tracing::error!(%error, task_queue = names::TASK_QUEUE, "cannot heartbeat");
            return;
        }
    }
}
