//! `AuditShare`: reads the objects of the receipts that were verified longest ago, compares them with the receipts, and
//! writes a report. It changes nothing else in the archive.
//!
//! - [`progress`]: the counts so far, and the state from which another attempt continues.
//! - [`confirm`]: what is found is verified again, because a store may fail for a moment.

mod confirm;
mod progress;

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use futures::StreamExt;
use object_store::path::Path;
use parking_lot::Mutex;
use seedance_archiver_clock::Clock;
use seedance_archiver_policy::{
    audits::{self, Coverage, Share},
    sweeps,
};
use seedance_archiver_proto::v1::{AuditReport, AuditShareRequest, AuditShareResult};
use seedance_archiver_workflows::{details, invalid_request::InvalidRequest, request::Request};
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{
    audited_archives::AuditedArchives, failure, heartbeat, next_attempt,
    transfer_error::TransferError,
};
use crate::archive::{
    Archive,
    audit::{self, Verification},
};
use progress::Progress;

/// Interval between two heartbeats.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5);

pub(super) async fn run(
    ctx: &ActivityContext,
    archives: &AuditedArchives,
    clock: &Clock,
    request: Request<AuditShareRequest>,
) -> Result<AuditShareResult, ActivityError> {
    let request = request.check().map_err(failure::invalid_request)?;
    let share = Share::in_request(&request.share)
        .map_err(|error| InvalidRequest::new("share", error.to_string()))
        .map_err(failure::invalid_request)?;
    let archive = archives.open(&request.destination).map_err(cannot_open)?;
    let audit = Audit {
        archive: &archive,
        share,
        clock,
        run_id: ctx.info().workflow_run_id.clone().unwrap_or_default(),
        progress: Mutex::new(Progress::resume(
            heartbeat::last_details(ctx),
            request.state,
        )),
    };
    let details = || audit.progress.lock().state();
    let result = tokio::select! {
        result = audit.run() => result.map_err(|error| {
            let delay = sweeps::retry_delay(ctx.info().attempt, Duration::ZERO);
            failure::for_sweep(error, delay)
        }),
        () = ctx.cancelled() => Err(next_attempt::or_cancelled(ctx, continued).await),
        never = heartbeat::record_every(ctx, HEARTBEAT_INTERVAL, details) => match never {},
    };
    if result.is_err() {
        // The next attempt continues from here.
        heartbeat::record(ctx, details()).await;
    }
    result
}

/// Returns the failure of an audit whose archive cannot be opened. The next audit of the schedule tries again.
fn cannot_open(error: TransferError) -> ActivityError {
    match error {
        TransferError::Retryable(error) => {
            failure::non_retryable(&error.message, error.failure_type)
        }
        error => failure::for_sweep(error, Duration::ZERO),
    }
}

/// Returns the failure of an attempt whose worker shuts down. Another worker continues at once.
fn continued() -> ActivityError {
    let message = "the worker shuts down; another one continues".to_owned();
    failure::still_waiting(message, Duration::ZERO)
}

/// An audit of the oldest part of an archive.
struct Audit<'a> {
    archive: &'a Archive,
    share: Share,
    clock: &'a Clock,
    /// The run of the workflow that starts the audit.
    run_id: String,
    progress: Mutex<Progress>,
}

impl Audit<'_> {
    /// Verifies for a while, and writes the report if everything is verified.
    async fn run(&self) -> Result<AuditShareResult, TransferError> {
        if !self.progress.lock().is_started() {
            self.start().await?;
        }
        if !self.verify().await? {
            return Ok(AuditShareResult {
                state: Some(self.progress.lock().state()),
                report: None,
            });
        }
        let report = self.progress.lock().report(self.share, self.clock.now());
        let name = self.progress.lock().report_name();
        audit::write_report(self.archive, &name, &report).await?;
        log(&report);
        Ok(AuditShareResult {
            state: None,
            report: Some(report),
        })
    }

    /// Finds out from the last report what was verified when.
    async fn start(&self) -> Result<(), TransferError> {
        let now = self.clock.now();
        let last = audit::last_report(self.archive, now).await?;
        let last = last.unwrap_or_default();
        let mut progress = self.progress.lock();
        progress.start(self.archive, self.share, &last, now, &self.run_id);
        Ok(())
    }

    /// Verifies the receipts of the share, one at a time. Returns whether all are verified.
    async fn verify(&self) -> Result<bool, TransferError> {
        let due = Coverage::new(&self.progress.lock().coverage()).due(self.share);
        let filter = |key: &Path| audits::is_in(&due, audit::hash_of(self.archive, key));
        let verification = Verification {
            after: self.progress.lock().after(),
            filter: Some(&filter),
            deep: true,
            concurrency: 1,
            ..Verification::default()
        };
        let mut receipts = pin!(verification.run(self.archive));
        let started_at = self.clock.now();
        let elapsed = || {
            self.clock
                .now()
                .duration_since(started_at)
                .unwrap_or_default()
        };
        let mut readable = None;
        loop {
            let began_at = Instant::now();
            let Some(verified) = receipts.next().await else {
                return Ok(true);
            };
            let verified = confirm::confirm(self.archive, verified?, readable.as_ref()).await?;
            if confirm::proves_that_the_store_reads(&verified) {
                readable = Some(verified.key.clone());
            }
            let bytes = verified.bytes;
            let can_continue = self.progress.lock().add(verified);
            if can_continue && elapsed() >= audits::MAX_ACTIVITY_TIME {
                return Ok(false);
            }
            tokio::time::sleep(audits::pause(bytes, began_at.elapsed())).await;
        }
    }
}

fn log(report: &AuditReport) {
    tracing::info!(
        archive = report.archive_url,
        report = report.report_url,
        share = report.share,
        receipts = report.receipts,
        objects = report.objects,
        size_bytes = report.bytes,
        findings = details::findings(report),
        "audited a part of the archive"
    );
}
