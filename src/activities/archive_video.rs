//! `ArchiveVideo`: streams the objects of a succeeded task into the archive and writes the receipt. If the
//! receipt exists already, it downloads nothing.

use std::time::{Duration, Instant};

use seedance_archiver_policy::transfers::{History, Reached, Side};
use seedance_archiver_proto::v1::{ArchiveVideoRequest, Manifest};
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::{sync::Semaphore, time::timeout};
use uuid::Uuid;

use super::{
    api_delay::ApiDelay,
    archive_job::ArchiveJob,
    checked_request::CheckedRequest,
    destination, ending_event, failure, next_attempt,
    task_source::RequestedTask,
    transfer_account::TransferAccount,
    transfer_error::TransferError,
    transfer_heartbeat::{self, TransferState},
    url_renewal::UrlRenewal,
};
use crate::{
    archive::{self, Archive, AttemptKeys, Progress, TaskArchival, receipt},
    config::Account,
    seedance::Client,
    telemetry::record::{self, ArchivedVideo, RunningTransfer},
    webhook::event,
};

/// Maximum time for aborting the upload of the last attempt.
const ABORT_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum wait for the archive of the worker before a transfer to a destination.
const ERASURE_TIMEOUT: Duration = Duration::from_secs(10);

type Call<'a> = CheckedRequest<ArchiveVideoRequest, &'a TransferAccount>;

pub(super) async fn run(
    ctx: &ActivityContext,
    seedance: &Client,
    permits: &Semaphore,
    workflow_queue: &str,
    call: Call<'_>,
) -> Result<Manifest, ActivityError> {
    let started_at = Instant::now();
    let CheckedRequest {
        request,
        account:
            TransferAccount {
                account,
                resources,
                archive,
            },
        encoding,
    } = call;
    let task = request.task.unwrap_or_default();
    let record = request.sealed_record;
    let mut state = transfer_heartbeat::last(ctx);
    let (urls, clock) = (state.fresh_urls.clone(), seedance.clock());
    let job = ArchiveJob::new(account, task, record, urls, ctx.info(), clock)
        .map_err(failure::invalid_request)?;
    let fail = |error, history: &History| {
        failure::for_transfer(error, job.left(), &job.task, history, encoding)
    };
    let renewal = UrlRenewal {
        seedance,
        job: &job,
    };
    // Before anything that may fail or take long.
    renew_urls(ctx, &renewal, &state).await;
    let (history, given_up) = (&state.history, state.given_up.clone());
    let chosen = match destination::choose(archive, &request.destination, &job, history, given_up) {
        Ok(chosen) => chosen,
        Err(error) => {
            add_to(&mut state.history, &job, &state.progress, &error);
            // The next attempt needs the checkpoint and the history.
            transfer_heartbeat::record(ctx, &state).await;
            return Err(fail(error, &state.history));
        }
    };
    if state.given_up.is_none() && chosen.given_up.is_some() {
        // The progress is that of another archive.
        state.progress = Progress::default();
    }
    state.given_up = chosen.given_up;
    // Set if the video goes to a destination.
    let own = (chosen.archive.url() != archive.url()).then_some(archive);
    let archive = chosen.archive;
    let layout = account.layout(&archive.root, &job.task);
    let archival = TaskArchival {
        archive: &archive,
        keys: AttemptKeys {
            layout: &layout,
            // Unique, because an attempt that the server believes dead may still be writing.
            attempt_id: Uuid::new_v4(),
        },
        task: &job.task,
        mismatch: account.archive.mismatch,
        attempt: job.attempt,
        resources,
        progress: &state.progress,
    };
    let api_delay = ApiDelay::default();
    let source = RequestedTask {
        seedance,
        job: &job,
        progress: &state.progress,
        api_delay: &api_delay,
    };
    let manifest = job.manifest(archive.url_of(&layout.manifest()), state.given_up.clone());
    match transfer(ctx, permits, own, &archival, &source, manifest, &state).await {
        Ok(manifest) => {
            let took = started_at.elapsed();
            let started = start_delivery(ctx, account, workflow_queue, &manifest, &mut state).await;
            report(ctx, &job, &manifest, took, started.is_ok());
            started?;
            Ok(manifest.for_callers())
        }
        Err(error) => {
            let error = api_delay.extend(error);
            add_to(&mut state.history, &job, &state.progress, &error);
            // The next attempt resumes from the last heartbeat.
            transfer_heartbeat::record(ctx, &state).await;
            if is_last_attempt(ctx, &job, &error).await {
                // A store that is down must not delay the verdict. `clean` finds what is left.
                let _ = timeout(ABORT_TIMEOUT, archival.abort_upload()).await;
            }
            Err(fail(error, &state.history))
        }
    }
}

/// Queries the task for fresh URLs if its query window is about to close. Heartbeats meanwhile.
async fn renew_urls(ctx: &ActivityContext, renewal: &UrlRenewal<'_>, state: &TransferState) {
    tokio::select! {
        () = renewal.run_if_due() => {}
        () = ctx.cancelled() => {}
        never = transfer_heartbeat::record_continuously(ctx, state) => match never {},
    }
}

/// Returns the error that the task was erased from the archive of the worker, which takes what a destination cannot take.
/// While that store fails or does not respond, the video goes to its destination anyway.
async fn erasure_in(own: &Archive, job: &ArchiveJob) -> Option<TransferError> {
    let layout = job.account.layout(&own.root, &job.task);
    let checked = receipt::check_not_erased(own, &layout);
    match timeout(ERASURE_TIMEOUT, checked).await {
        Ok(Err(error @ archive::Error::Erased { .. })) => Some(error.into()),
        _ => None,
    }
}

/// Transfers the objects unless the attempt is cancelled, or the task was erased from `own`, the archive of the worker if
/// the video goes elsewhere. Heartbeats meanwhile.
async fn transfer(
    ctx: &ActivityContext,
    permits: &Semaphore,
    own: Option<&Archive>,
    archival: &TaskArchival<'_>,
    source: &RequestedTask<'_>,
    manifest: Manifest,
    state: &TransferState,
) -> Result<Manifest, TransferError> {
    let transfer = async {
        if let Some(own) = own
            && let Some(error) = erasure_in(own, source.job).await
        {
            return Err(error);
        }
        // The semaphore is never closed, so this never fails.
        let _permit = permits.acquire().await;
        let _running = RunningTransfer::start();
        archival.run(source, manifest).await
    };
    let renewal = UrlRenewal {
        seedance: source.seedance,
        job: source.job,
    };
    tokio::select! {
        result = transfer => result,
        () = ctx.cancelled() => Err(TransferError::Cancelled),
        never = renewal.run_when_due() => match never {},
        never = transfer_heartbeat::record_continuously(ctx, state) => match never {},
    }
}

/// Adds an error to the history: it may decide why a video is lost, and when the next attempt starts.
fn add_to(history: &mut History, job: &ArchiveJob, progress: &Progress, error: &TransferError) {
    let TransferError::Retryable(error) = error else {
        return;
    };
    let now = job.clock.now();
    history.add(error.failure_type, &error.reason, &error.message, now);
    let reached = Reached {
        downloaded: progress.bytes_downloaded(),
        stored: progress.bytes_stored(),
    };
    history.count(error.side, reached);
    // Each video once.
    let is_first = history.findings().last().is_some_and(|it| it.count == 1);
    if error.side == Side::Url && is_first {
        record::video_at_risk(job.account.name());
    }
}

/// Starts the delivery of the event that the video is archived.
async fn start_delivery(
    ctx: &ActivityContext,
    account: &Account,
    workflow_queue: &str,
    manifest: &Manifest,
    state: &mut TransferState,
) -> Result<(), ActivityError> {
    let event = Some(event::archived(manifest));
    let failures = state.event_failures;
    let started = ending_event::start(ctx, account, workflow_queue, event, failures).await;
    if started.is_err() {
        state.event_failures += 1;
        transfer_heartbeat::record(ctx, state).await;
    }
    started
}

/// Logs and counts the archived video. `is_last` says whether no further attempt follows.
fn report(
    ctx: &ActivityContext,
    job: &ArchiveJob,
    manifest: &Manifest,
    took: Duration,
    is_last: bool,
) {
    tracing::info!(
        task_id = manifest.task_id,
        receipt = manifest.manifest_url,
        "archived the video"
    );
    let archived = ArchivedVideo {
        manifest,
        took,
        clock: &job.clock,
        attempt: job.attempt,
        time_left: job.time_left(),
        ends_lifecycle: is_last && record::is_lifecycle_activity(ctx.info()),
    };
    archived.record();
}

/// Returns whether no further attempt can resume the upload of this one.
async fn is_last_attempt(ctx: &ActivityContext, job: &ArchiveJob, error: &TransferError) -> bool {
    match error {
        TransferError::Cancelled => !next_attempt::is_possible(ctx).await,
        TransferError::Invalid(_) | TransferError::Conflict(_) | TransferError::Erased(_) => true,
        TransferError::Retryable(_) => job.time_left().is_zero(),
    }
}
