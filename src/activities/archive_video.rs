//! `ArchiveVideo`: streams what a task made into the archive and writes the receipt. Run again, it
//! finds the receipt and downloads nothing.

use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use seedance_archiver_proto::{
    status,
    v1::{ArchiveProgress, ArchiveVideoRequest, ArchivedObject, Manifest, VideoTask},
};
use seedance_archiver_workflows::request::{InvalidRequest, Request};
use serde_json::Value;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use uuid::Uuid;

use super::{
    TransferActivities, failure,
    fault::Fault,
    task_record,
    task_urls::{TaskUrls, sealed_url},
};
use crate::{
    archive::{
        Archive, Kind, Layout,
        checks::Wanted,
        publish, receipt,
        transfer::{Progress, Transferred, transfer},
    },
    config::Account,
    seedance::Record,
    time::time,
};

/// How often progress is reported while bytes come in.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// How long an upload may take to be aborted.
const ABORT: Duration = Duration::from_secs(5);
/// Attempts in which an ETag that looks like an MD5 has to be that of the bytes.
const ETAG_ATTEMPTS: u32 = 2;
/// Attempts after which a video no longer waits for its last frame.
const LAST_FRAME_ATTEMPTS: u32 = 5;

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
        Ok(Job {
            layout: Layout::new(&archive.root, &account.name, &task),
            created_at: created_at(&task, ctx),
            attempt: ctx.info().attempt,
            attempt_id: Uuid::new_v4().to_string(),
            record: OnceLock::new(),
            account,
            task,
            archive,
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
        let mut manifest = job.manifest();
        for kind in job.kinds() {
            match self.store(ctx, job, kind, progress).await {
                Ok((object, transferred)) => {
                    manifest.source_host = transferred.source_host;
                    manifest.bytes_fetched_again += transferred.fetched_again as i64;
                    manifest.objects.push(object);
                }
                Err(Fault::Passing(fault)) if kind == Kind::LastFrame && job.is_late() => {
                    manifest
                        .warnings
                        .push(format!("no last frame: {}", fault.message));
                }
                Err(fault) => return Err(fault),
            }
        }
        let record = task_record::of(self, job).await;
        manifest
            .objects
            .push(receipt::write_task(&job.archive, &job.layout, &record).await?);
        manifest.archived_at = Timestamp::now().as_second();
        let manifest = receipt::write(&job.archive, &receipt, manifest).await?;
        receipt::forget_outcome(&job.archive, &job.layout).await;
        tracing::info!(
            task_id = job.task.id,
            receipt = manifest.manifest_url,
            "archived"
        );
        Ok(manifest)
    }

    /// Brings in one object.
    async fn store(
        &self,
        ctx: &ActivityContext,
        job: &Job,
        kind: Kind,
        progress: &Progress,
    ) -> Result<(ArchivedObject, Transferred), Fault> {
        let staged = job
            .layout
            .staged(&job.archive.root, &job.attempt_id, kind.word());
        let urls = TaskUrls::new(self, job, kind);
        let transferred = transfer(
            self.downloads(&job.account)?,
            urls,
            Wanted {
                kind,
                task: &job.task,
                etag_is_md5: job.attempt <= ETAG_ATTEMPTS,
            },
            &job.archive,
            &staged,
            progress,
            ctx.cancelled(),
        )
        .await?;
        let key = job.layout.file(transferred.checked.format.name);
        let object = publish::publish(&job.archive, &staged, &key, &transferred.checked).await?;
        Ok((object, transferred))
    }

    /// Asks about the task; the record is kept for `task.json`.
    pub(super) async fn ask(&self, job: &Job) -> Result<Record, Fault> {
        let record = self.seedance.query(&job.account, &job.task.id).await?;
        let _ = job.record.set(record.as_received());
        Ok(record)
    }
}

/// One task to archive: the request, resolved.
pub(super) struct Job {
    pub(super) account: Arc<Account>,
    pub(super) task: VideoTask,
    pub(super) archive: Archive,
    pub(super) layout: Layout,
    /// The record as received, once the task was asked about.
    pub(super) record: OnceLock<Value>,
    created_at: SystemTime,
    attempt: u32,
    /// Each attempt has its own: one that is believed dead may still write.
    attempt_id: String,
}

impl Job {
    pub(super) fn can_be_asked_about(&self) -> bool {
        let windows = &self.account.windows;
        !windows.is_outside(self.created_at, SystemTime::now())
    }

    /// What is to be archived. A record whose URLs are cleared had a video.
    fn kinds(&self) -> Vec<Kind> {
        let content = self.task.content.clone().unwrap_or_default();
        let mut kinds = Kind::ALL.to_vec();
        kinds.retain(|kind| !kind.url_in(&content).is_empty());
        if kinds.is_empty() {
            kinds.push(Kind::Video);
        }
        kinds
    }

    fn is_late(&self) -> bool {
        self.attempt >= LAST_FRAME_ATTEMPTS
    }

    /// The receipt before anything is archived.
    fn manifest(&self) -> Manifest {
        let task = &self.task;
        Manifest {
            task_id: task.id.clone(),
            account: self.account.name.clone(),
            model: task.model.clone(),
            task_created_at: task.created_at,
            task_updated_at: task.updated_at,
            manifest_url: self.archive.url_of(&self.layout.manifest()),
            archiver_version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: task.seed,
            resolution: task.resolution.clone(),
            ratio: task.ratio.clone(),
            duration: task.duration,
            frames: task.frames,
            usage: task.usage.clone(),
            attempts: i64::from(self.attempt),
            ..Manifest::default()
        }
    }
}

fn fail(fault: Fault, account: &Account, task: &VideoTask, ctx: &ActivityContext) -> ActivityError {
    let updated_at = time(task.updated_at).unwrap_or_else(|| first_attempt(ctx));
    let url = sealed_url(account, task, Kind::Video).ok();
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
            object: progress.kind().word().to_owned(),
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
