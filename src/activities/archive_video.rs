//! `ArchiveVideo`: streams what a task made into the archive and writes the receipt. Run again, it
//! finds the receipt and downloads nothing.

use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use seedance_archiver_proto::{
    status,
    v1::{ArchiveProgress, ArchiveVideoRequest, Manifest, VideoTask},
};
use seedance_archiver_workflows::request::{InvalidRequest, Request};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use uuid::Uuid;

use super::{
    TransferActivities, failure,
    fault::Fault,
    successor,
    task_origin::{TaskOrigin, sealed_url},
    transfers::Served,
};
use crate::{
    archive::{Archive, Deposit, Keys, Kind, Layout, Place, Progress, abandon},
    config::Account,
    time::time,
};

/// How often progress is reported while bytes come in.
const HEARTBEAT: Duration = Duration::from_millis(500);

impl TransferActivities {
    pub(super) async fn run_archive_video(
        &self,
        ctx: &ActivityContext,
        request: Request<ArchiveVideoRequest>,
    ) -> Result<Manifest, ActivityError> {
        let job = self.job(ctx, request)?;
        let progress = Progress::from(recall(ctx));
        let archived = tokio::select! {
            archived = self.archive(&job, &progress) => archived,
            () = ctx.cancelled() => {
                job.leave(ctx, &progress).await;
                Err(Fault::Cancelled)
            }
            never = report(ctx, &progress) => match never {},
        };
        archived.map_err(|fault| fail(fault, &job.account, &job.task, ctx))
    }

    fn job(
        &self,
        ctx: &ActivityContext,
        request: Request<ArchiveVideoRequest>,
    ) -> Result<Job<'_>, ActivityError> {
        let request = request.check().map_err(failure::invalid_request)?;
        let task = request.task.unwrap_or_default();
        let served = self.served(&request.account)?;
        let account = &served.account;
        if task.status != status::SUCCEEDED {
            let problem = format!("is `{}`: only a succeeded task has a video", task.status);
            let invalid = InvalidRequest::new("task.status", problem);
            return Err(failure::invalid_request(invalid));
        }
        let archive = served
            .archive_at(&request.destination)
            .map_err(|fault| fail(fault, account, &task, ctx))?;
        Ok(Job {
            layout: Layout::new(&archive.root, account, &task),
            created_at: created_at(&task, ctx),
            attempt: ctx.info().attempt,
            record: OnceLock::new(),
            account: account.clone(),
            served,
            task,
            archive,
        })
    }

    async fn archive(&self, job: &Job<'_>, progress: &Progress) -> Result<Manifest, Fault> {
        let attempt = Uuid::new_v4().to_string();
        let deposit = Deposit {
            archive: &job.archive,
            keys: Keys {
                layout: &job.layout,
                attempt: &attempt,
            },
            task: &job.task,
            mismatch: job.account.archive.mismatch,
            attempt: job.attempt,
            transfers: &job.served.transfers,
            progress,
        };
        let origin = TaskOrigin::new(&self.seedance, job);
        let manifest = deposit.make(&origin, job.manifest()).await?;
        tracing::info!(
            task_id = job.task.id,
            receipt = manifest.manifest_url,
            "archived"
        );
        Ok(manifest)
    }
}

/// One task to archive: the request, resolved.
pub(super) struct Job<'a> {
    pub(super) account: Arc<Account>,
    pub(super) task: VideoTask,
    /// The record as received, once the task was asked about.
    pub(super) record: OnceLock<Value>,
    pub(super) created_at: SystemTime,
    pub(super) attempt: u32,
    served: &'a Served,
    archive: Archive,
    layout: Layout,
}

impl Job<'_> {
    /// Leaves the deposit to the next attempt, or without one nothing.
    async fn leave(&self, ctx: &ActivityContext, progress: &Progress) {
        if !successor::may_go_on(ctx).await {
            abandon(&self.archive, progress).await;
        }
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
            contract_version: seedance_archiver_proto::VERSION.to_owned(),
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

/// What a heartbeat carries: progress that people watch, and where another worker can go on.
#[derive(Deserialize, Serialize)]
struct Heartbeat {
    #[serde(flatten)]
    progress: ArchiveProgress,
    place: Place,
}

/// Where the attempt before this one was. What cannot be read is of another version: it begins anew.
fn recall(ctx: &ActivityContext) -> Place {
    let heartbeat: Option<Heartbeat> = ctx.heartbeat_details().deserialize().ok().flatten();
    heartbeat.map(|it| it.place).unwrap_or_default()
}

/// Heartbeats with how far it is, whatever step the attempt is at.
async fn report(ctx: &ActivityContext, progress: &Progress) -> Infallible {
    let mut ticks = tokio::time::interval(HEARTBEAT);
    loop {
        ticks.tick().await;
        let place = progress.place();
        let number = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let beat = Heartbeat {
            progress: ArchiveProgress {
                object: place.kind.map_or("", Kind::word).to_owned(),
                bytes_done: number(place.done),
                bytes_total: place.total.map_or(0, number),
            },
            place,
        };
        if let Err(error) = ctx.record_heartbeat(beat).await {
            // No message of ours can cause it. The server will miss the heartbeat and start again.
            tracing::error!(%error, "cannot heartbeat");
            std::future::pending::<()>().await;
        }
    }
}
