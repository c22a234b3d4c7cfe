//! `ArchiveVideo`: streams the video into the archive and writes the receipt. Run again, it finds
//! the receipt and downloads nothing.

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
use seedance_archiver_workflows::request::{InvalidRequest, Request};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use uuid::Uuid;

use super::{TransferActivities, failure, fault::Fault};
use crate::{
    archive::{
        self, Archive, Layout, publish, receipt,
        transfer::{Progress, Transferred, transfer},
    },
    config::Account,
    seedance::{CannotOpen, SecretUrl},
    time::time,
};

/// How often progress is reported while bytes come in.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// How long an upload may take to be aborted.
const ABORT: Duration = Duration::from_secs(5);
const VIDEO_TYPE: &str = "video/mp4";

impl TransferActivities {
    pub(super) async fn run_archive_video(
        &self,
        ctx: &ActivityContext,
        request: Request<ArchiveVideoRequest>,
    ) -> Result<Manifest, ActivityError> {
        let job = self.job(ctx, request)?;
        let progress = Progress::default();
        let archived = tokio::select! {
            archived = self.archive(ctx, &job, &progress) => archived,
            () = abandoned(ctx) => Err(Fault::Cancelled),
            never = report(ctx, &progress) => match never {},
        };
        archived.map_err(|fault| fail(fault, &job.account, &job.task, ctx))
    }

    fn job(
        &self,
        ctx: &ActivityContext,
        request: Request<ArchiveVideoRequest>,
    ) -> Result<Job, ActivityError> {
        let request = request.check().map_err(failure::invalid_request)?;
        let task = request.task.unwrap_or_default();
        let account = self.account(&request.account)?;
        if task.status != status::SUCCEEDED {
            let problem = format!("is `{}`: only a succeeded task has a video", task.status);
            let invalid = InvalidRequest::new("task.status", problem);
            return Err(failure::invalid_request(invalid));
        }
        let archive = self
            .archive_at(&request.destination)
            .map_err(|fault| fail(fault, &account, &task, ctx))?;
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
    ) -> Result<Manifest, Fault> {
        let receipt = job.layout.manifest();
        if let Some(manifest) = receipt::find(&job.archive, &receipt).await? {
            return Ok(manifest);
        }
        let (source_host, video) = self.fetch(ctx, job, progress).await?;
        publish::publish(&job.archive, &job.staged, &job.layout.video(), &video).await?;
        let manifest = job.manifest(source_host, video);
        let manifest = receipt::write(&job.archive, &receipt, manifest).await?;
        receipt::forget_outcome(&job.archive, &job.layout).await;
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
    ) -> Result<(String, Transferred), Fault> {
        let refused = match job.sealed_url() {
            Ok(url) if is_alive(&url) => match self.stream(ctx, job, progress, &url).await {
                Err(error @ archive::Error::UrlRefused(_)) => error.into(),
                other => return Ok(other?),
            },
            Ok(_) | Err(CannotOpen::NotSealed) => Fault::no_url("the video URL has expired"),
            Err(error) => Fault::unreadable_url(&error),
        };
        let url = self.fresh_url(ctx, job, refused).await?;
        Ok(self.stream(ctx, job, progress, &url).await?)
    }

    /// Asks for a URL, while the task can be asked about. `refused` says why the URL that came with
    /// the request does not work.
    async fn fresh_url(
        &self,
        ctx: &ActivityContext,
        job: &Job,
        refused: Fault,
    ) -> Result<SecretUrl, Fault> {
        if !job.can_be_asked_about(ctx) {
            return Err(refused);
        }
        let record = self.seedance.query(&job.account, &job.task.id).await?;
        record
            .video_url()
            .filter(is_alive)
            .ok_or_else(|| Fault::no_url("the record has no URL that works"))
    }

    async fn stream(
        &self,
        ctx: &ActivityContext,
        job: &Job,
        progress: &Progress,
        url: &SecretUrl,
    ) -> Result<(String, Transferred), archive::Error> {
        let hosts = &job.account.url_hosts;
        hosts.check(url).map_err(archive::Error::UrlNotAllowed)?;
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
    fn sealed_url(&self) -> Result<SecretUrl, CannotOpen> {
        sealed_url(&self.account, &self.task)
    }

    fn can_be_asked_about(&self, ctx: &ActivityContext) -> bool {
        let created_at = created_at(&self.task, ctx);
        let windows = &self.account.windows;
        !windows.is_outside(created_at, SystemTime::now())
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

fn sealed_url(account: &Account, task: &VideoTask) -> Result<SecretUrl, CannotOpen> {
    let content = task.content.as_ref().ok_or(CannotOpen::NotSealed)?;
    let seal = account
        .seal()
        .map_err(|error| CannotOpen::NoKey(error.to_string()))?;
    seal.open(&task.id, &content.video_url)
}

fn fail(fault: Fault, account: &Account, task: &VideoTask, ctx: &ActivityContext) -> ActivityError {
    let updated_at = time(task.updated_at).unwrap_or_else(|| first_attempt(ctx));
    let url = sealed_url(account, task).ok();
    let says_itself = url.and_then(|url| url.expires_at());
    let left = account.windows.until_archive_deadline(
        created_at(task, ctx),
        account.windows.url_end(updated_at, says_itself),
        SystemTime::now(),
    );
    failure::transfer_failed(fault, ctx.info().attempt, left, task)
}

/// When the task was created. A record without that time counts from the first attempt: there has to
/// be an end.
fn created_at(task: &VideoTask, ctx: &ActivityContext) -> SystemTime {
    time(task.created_at).unwrap_or_else(|| first_attempt(ctx))
}

fn first_attempt(ctx: &ActivityContext) -> SystemTime {
    ctx.info().scheduled_time.unwrap_or_else(SystemTime::now)
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
