//! `ArchiveVideo`: streams what a task made into the archive and writes the receipt. Run again, it
//! finds the receipt and downloads nothing.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use seedance_archiver_proto::{
    status,
    v1::{ArchiveVideoRequest, Manifest, VideoTask},
};
use seedance_archiver_workflows::{
    encoding::Encoding, invalid_request::InvalidRequest, request::Request,
};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use uuid::Uuid;

use super::{
    TransferActivities, failure,
    fault::Fault,
    heartbeat, successor,
    task_origin::{TaskOrigin, sealed_url},
    transfers::Served,
};
use seedance_archiver_proto::time::from_unix_seconds;

use crate::{
    archive::{Archive, Deposit, Keys, Kind, Layout, Progress},
    config::Account,
    telemetry::record::{self, ArchivedVideo, RunningTransfer},
};

impl TransferActivities {
    pub(super) async fn run_archive_video(
        &self,
        ctx: &ActivityContext,
        request: Request<ArchiveVideoRequest>,
    ) -> Result<Manifest, ActivityError> {
        let began = SystemTime::now();
        let job = self.job(ctx, request)?;
        let progress = Progress::from(heartbeat::recall(ctx));
        let deposit = job.deposit(&progress);
        let origin = TaskOrigin::new(&self.seedance, &job);
        let make = async {
            // It is never closed: without a turn, none is needed.
            let _turn = self.turns.acquire().await;
            let _running = RunningTransfer::start();
            deposit.make(&origin, job.manifest()).await
        };
        let made = tokio::select! {
            made = make => made,
            () = ctx.cancelled() => Err(Fault::Cancelled),
            never = heartbeat::beat_on(ctx, &progress) => match never {},
        };
        match made {
            Ok(manifest) => {
                let (task_id, receipt) = (&manifest.task_id, &manifest.manifest_url);
                tracing::info!(task_id, receipt, "archived");
                let archived = ArchivedVideo {
                    manifest: &manifest,
                    started_at: began,
                    is_first_attempt: job.attempt == 1,
                    time_left: left(&job.account, &job.task, ctx),
                    ends_lifecycle: record::is_lifecycle_activity(ctx.info()),
                };
                archived.record();
                Ok(manifest)
            }
            Err(fault) => {
                if job.is_over(ctx, &fault).await {
                    deposit.abandon().await;
                }
                // What was learnt last, the next attempt has to know.
                heartbeat::beat(ctx, &progress).await;
                Err(fail(fault, &job.account, &job.task, job.encoding, ctx))
            }
        }
    }

    fn job(
        &self,
        ctx: &ActivityContext,
        request: Request<ArchiveVideoRequest>,
    ) -> Result<Job<'_>, ActivityError> {
        let encoding = request.encoding();
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
            .map_err(|fault| fail(fault, account, &task, encoding, ctx))?;
        Ok(Job {
            layout: account.layout(&archive.root, &task),
            created_at: created_at(&task, ctx),
            attempt: ctx.info().attempt,
            attempt_id: Uuid::new_v4().to_string(),
            account: account.clone(),
            served,
            task,
            encoding,
            archive,
        })
    }
}

/// One task to archive: the request, resolved.
pub(super) struct Job<'a> {
    pub(super) account: Arc<Account>,
    pub(super) task: VideoTask,
    pub(super) created_at: SystemTime,
    pub(super) attempt: u32,
    encoding: Encoding,
    served: &'a Served,
    archive: Archive,
    layout: Layout,
    /// Each attempt has its own: one that is believed dead may still write.
    attempt_id: String,
}

impl Job<'_> {
    fn deposit<'a>(&'a self, progress: &'a Progress) -> Deposit<'a> {
        Deposit {
            archive: &self.archive,
            keys: Keys {
                layout: &self.layout,
                attempt: &self.attempt_id,
            },
            task: &self.task,
            mismatch: self.account.archive.mismatch,
            attempt: self.attempt,
            transfers: &self.served.transfers,
            progress,
        }
    }

    /// Whether there is no next attempt to go on with what this one has begun.
    async fn is_over(&self, ctx: &ActivityContext, fault: &Fault) -> bool {
        match fault {
            Fault::Cancelled => !successor::may_go_on(ctx).await,
            Fault::Invalid(_) | Fault::Conflict(_) => true,
            Fault::Passing(_) => left(&self.account, &self.task, ctx).is_zero(),
        }
    }

    /// The receipt before anything is archived.
    fn manifest(&self) -> Manifest {
        let task = &self.task;
        Manifest {
            task_id: task.id.clone(),
            account: self.account.name().to_owned(),
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

fn fail(
    fault: Fault,
    account: &Account,
    task: &VideoTask,
    encoding: Encoding,
    ctx: &ActivityContext,
) -> ActivityError {
    let left = left(account, task, ctx);
    failure::transfer_failed(fault, ctx.info().attempt, left, task, encoding)
}

/// How long the bytes can be had.
fn left(account: &Account, task: &VideoTask, ctx: &ActivityContext) -> Duration {
    let updated_at = from_unix_seconds(task.updated_at).unwrap_or_else(|| first_attempt(ctx));
    let url = sealed_url(account, task, Kind::Video).ok();
    let says_itself = url.and_then(|url| url.expires_at());
    account.windows.until_archive_deadline(
        created_at(task, ctx),
        account.windows.url_expiry(updated_at, says_itself),
        SystemTime::now(),
    )
}

/// When the task was created. A record without that time counts from the first attempt: there has to
/// be an end.
fn created_at(task: &VideoTask, ctx: &ActivityContext) -> SystemTime {
    from_unix_seconds(task.created_at).unwrap_or_else(|| first_attempt(ctx))
}

fn first_attempt(ctx: &ActivityContext) -> SystemTime {
    ctx.info().scheduled_time.unwrap_or_else(SystemTime::now)
}
