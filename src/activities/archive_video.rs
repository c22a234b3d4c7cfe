//! `ArchiveVideo`: streams the video into the archive and writes the receipt. Run again, it finds
//! the receipt and downloads nothing.

// The constants that the macro makes carry no documentation.
#![allow(missing_docs)]

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use seedance_archiver_proto::{
    status,
    v1::{ArchiveProgress, ArchiveVideoRequest, ArchivedObject, Manifest, VideoTask},
};
use seedance_archiver_workflows::{
    question::Next,
    request::{InvalidRequest, Request},
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use uuid::Uuid;

use super::{failure, memory};
use crate::{
    archive::{
        self, Archive, CannotOpenArchive, Layout, publish, receipt,
        transfer::{Progress, Transferred, transfer},
    },
    config::{Account, Accounts},
    seedance::{Client, SecretUrl},
};

/// How often progress is reported while bytes come in.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// How long an upload may take to be aborted.
const ABORT: Duration = Duration::from_secs(5);
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
        let job = self.job(&ctx, request)?;
        let progress = Progress::default();
        tokio::select! {
            archived = self.archive(&ctx, &job, &progress) => archived,
            () = abandoned(&ctx) => Err(ActivityError::cancelled()),
            never = report(&ctx, &progress) => match never {},
        }
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
    ) -> Result<Job, ActivityError> {
        let invalid = |field: &str, problem: String| {
            failure::invalid_request(InvalidRequest::new(field, problem))
        };
        let request = request.check().map_err(failure::invalid_request)?;
        let task = request.task.unwrap_or_default();
        let account = self
            .accounts
            .get(&request.account)
            .map_err(|error| invalid("account", error.to_string()))?;
        let archive = match self.archive.at(&request.destination) {
            Ok(archive) => archive,
            Err(error @ CannotOpenArchive::Unsupported(_)) => {
                return Err(invalid("destination", error.to_string()));
            }
            Err(error) => return Err(failed(ctx, error.into())),
        };
        if task.status != status::SUCCEEDED {
            let problem = format!("is `{}`: only a succeeded task has a video", task.status);
            return Err(invalid("task.status", problem));
        }
        let layout = Layout::new(&archive.root, &account.name, &task);
        // Each attempt has its own: one that is believed dead may still write.
        let staged = layout.staged_video(&archive.root, &Uuid::new_v4().to_string());
        Ok(Job {
            account,
            task,
            archive,
            layout,
            staged,
        })
    }

    async fn archive(
        &self,
        ctx: &ActivityContext,
        job: &Job,
        progress: &Progress,
    ) -> Result<Manifest, ActivityError> {
        let failed = |error| failed(ctx, error);
        let receipt = job.layout.manifest();
        if let Some(manifest) = receipt::find(&job.archive, &receipt)
            .await
            .map_err(failed)?
        {
            return Ok(manifest);
        }
        let (source_host, video) = self.fetch(ctx, job, progress).await?;
        publish::publish(&job.archive, &job.staged, &job.layout.video(), &video)
            .await
            .map_err(failed)?;
        let manifest = job.manifest(source_host, video);
        let manifest = receipt::write(&job.archive, &receipt, manifest)
            .await
            .map_err(failed)?;
        tracing::info!(
            task_id = job.task.id,
            receipt = manifest.manifest_url,
            "archived"
        );
        Ok(manifest)
    }

    /// Streams the video into the staged object: from the URL that came with the request, or, where
    /// that one does not work, from a fresh one.
    async fn fetch(
        &self,
        ctx: &ActivityContext,
        job: &Job,
        progress: &Progress,
    ) -> Result<(String, Transferred), ActivityError> {
        let mut refused = None;
        if let Some(url) = job.sealed_url().filter(is_alive) {
            match self.stream(ctx, job, progress, &url).await {
                Err(error @ archive::Error::UrlRefused(_)) => refused = Some(error),
                other => return other.map_err(|error| failed(ctx, error)),
            }
        }
        let url = self.fresh_url(ctx, job, refused).await?;
        match self.stream(ctx, job, progress, &url).await {
            Err(error @ archive::Error::UrlRefused(_)) => Err(failure::url_expired(
                &error.to_string(),
                job.next_question(ctx),
            )),
            other => other.map_err(|error| failed(ctx, error)),
        }
    }

    /// Asks for a URL, while the task can be asked about. `refused` says how the URL that came with
    /// the request was refused, where it should still live: then nothing is settled.
    async fn fresh_url(
        &self,
        ctx: &ActivityContext,
        job: &Job,
        refused: Option<archive::Error>,
    ) -> Result<SecretUrl, ActivityError> {
        let next = job.next_question(ctx);
        if next == Next::WindowClosed {
            return Err(match refused {
                Some(error) => failed(ctx, error),
                None => failure::url_expired("no video URL works any more", next),
            });
        }
        match self.seedance.query(&job.account, &job.task.id).await {
            Ok(record) => record
                .video_url()
                .filter(is_alive)
                .ok_or_else(|| failure::url_expired("the record has no URL that works", next)),
            Err(error) => {
                let known = memory::known(job.task.created_at, ctx);
                let next = job.account.pace.after_error(known, error.retry_after());
                Err(failure::no_record(&error, next, None))
            }
        }
    }

    async fn stream(
        &self,
        ctx: &ActivityContext,
        job: &Job,
        progress: &Progress,
        url: &SecretUrl,
    ) -> Result<(String, Transferred), archive::Error> {
        let video = transfer(
            &self.http,
            url,
            &job.archive,
            &job.staged,
            progress,
            ctx.cancelled(),
        )
        .await?;
        Ok((url.host(), video))
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
        let known = memory::known(self.task.created_at, ctx);
        self.account.pace.after_error(known, None)
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

fn failed(ctx: &ActivityContext, error: archive::Error) -> ActivityError {
    failure::transfer_failed(error, ctx.info().attempt)
}

/// Resolves a while after the activity was cancelled: until then an upload may be aborted.
async fn abandoned(ctx: &ActivityContext) {
    ctx.cancelled().await;
    tokio::time::sleep(ABORT).await;
}

/// Heartbeats with the bytes done and in all, whatever step the attempt is at.
async fn report(ctx: &ActivityContext, progress: &Progress) -> Infallible {
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
            // No message of ours can cause it. The server will miss the heartbeat and start again.
            tracing::error!(%error, "cannot heartbeat");
            std::future::pending::<()>().await;
        }
    }
}
