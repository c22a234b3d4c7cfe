//! Audits during which the bucket or the worker fails. Nothing is reported because of that, and nothing is verified twice.

use std::sync::Arc;

use anyhow::{Context, ensure};
use object_store::{ObjectStoreExt, path::Path};
use seedance_archiver_proto::v1::AuditReport;
use temporalio_client::WorkflowDescribeOptions;
use tokio::process::Child;

use crate::harness::{
    Fixture, Server,
    audits::{Audit, put_video},
    minio::Bucket,
    proxied_bucket::ProxiedBucket,
    register,
    s3_proxy::Dialect,
    until, until_async,
};

/// Number of videos.
const VIDEOS: usize = 8;
/// Number of the video that is being read when the outage begins.
const HELD: usize = 4;

/// An audit that reads a video of a bucket, and a worker that runs it.
struct Interrupted {
    fixture: Fixture,
    worker: Child,
    proxied: ProxiedBucket,
    name: &'static str,
    audit: Audit,
}

impl Interrupted {
    /// Starts an audit, and waits until it reads the held video.
    async fn start(server: &Server, name: &'static str) -> anyhow::Result<Self> {
        let fixture = Fixture::new(server).await?;
        let proxied = ProxiedBucket::start(name).await?;
        let bucket = &proxied.bucket;
        for number in 0..VIDEOS {
            put_video(&bucket.store, &task(number), b"a video").await?;
        }
        put(bucket, HELD - 2, "a vidEo").await?;
        put(bucket, HELD + 2, "a vidEo").await?;
        proxied.proxy.set(&held(), Dialect::HoldsReads);
        let worker = fixture.spawn_worker_with(server, &proxied.environment())?;
        let audit = Audit::start(server, &fixture, "1").await?;
        until_async("the audit reads the held video", || async {
            let state = audit.heartbeat().await?.unwrap_or_default();
            let report = state.report.unwrap_or_default();
            Ok(report.receipts == HELD as i64)
        })
        .await?;
        // This one must not be verified again.
        put(bucket, 0, "some other bytes").await?;
        Ok(Self {
            fixture,
            worker,
            proxied,
            name,
            audit,
        })
    }

    /// Answers every request in this way, also that for the held video.
    fn begin(&self, outage: Dialect) {
        self.proxied.proxy.set(self.name, outage);
        self.proxied.proxy.set(&held(), outage);
    }

    fn end(&self) {
        self.begin(Dialect::None);
    }

    /// Waits until an attempt has failed because of the outage.
    async fn until_failed(&self) -> anyhow::Result<()> {
        until_async("an attempt failed", || async {
            let options = WorkflowDescribeOptions::default();
            let description = self.audit.0.describe(options).await?;
            let activity = description.raw().pending_activities.first();
            let failure = activity.and_then(|activity| activity.last_failure.as_ref());
            Ok(failure.is_some_and(|failure| failure.message.contains("archive store error")))
        })
        .await
    }

    /// Checks that the report says what it would say without the outage.
    async fn check(&self) -> anyhow::Result<()> {
        let report = self.audit.report().await?;
        let videos = VIDEOS as i64;
        let name = self.name;
        ensure!(
            (report.receipts, report.objects) == (videos, videos),
            "{name}: {report:?}"
        );
        let found: Vec<_> = report
            .findings
            .iter()
            .map(|it| (it.receipt.clone(), it.kind.as_str()))
            .collect();
        let expected = [HELD - 2, HELD + 2]
            .map(|number| (format!("{}/manifest.json", task(number)), "wrong_digest"));
        ensure!(found == expected, "{name}: {report:?}");
        let stored = self.proxied.bucket.read(&report.report_url).await?;
        let stored: AuditReport = serde_json::from_slice(&stored)?;
        ensure!(stored == report, "{stored:?}");
        Ok(())
    }
}

fn task(number: usize) -> String {
    format!("team-a/cgt-{number}")
}

/// Returns the key of the held video.
fn held() -> String {
    format!("{}/video.mp4", task(HELD))
}

/// Replaces the bytes of a video.
async fn put(bucket: &Bucket, number: usize, bytes: &'static str) -> anyhow::Result<()> {
    let key = Path::from(format!("{}/video.mp4", task(number)));
    bucket.store.put(&key, bytes.into()).await?;
    Ok(())
}

async fn an_outage_of_the_bucket_is_no_finding_and_the_audit_continues(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    for (outage, name) in [
        (Dialect::DeniesEverything, "denied-audit"),
        (Dialect::IsGone, "gone-audit"),
    ] {
        let interrupted = Interrupted::start(&server, name).await?;
        interrupted.begin(outage);
        interrupted.until_failed().await.context(name)?;
        interrupted.end();
        interrupted.check().await?;
    }
    Ok(())
}
register!(
    an_outage_of_the_bucket_is_no_finding_and_the_audit_continues,
    needs = [minio],
    takes_long
);

/// The store's client repeats requests, so that the audit need not.
async fn a_short_outage_of_the_bucket_does_not_even_interrupt_the_audit(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let interrupted = Interrupted::start(&server, "unavailable-audit").await?;
    interrupted.begin(Dialect::IsUnavailable);
    let proxy = &interrupted.proxied.proxy;
    until("requests were refused", || proxy.refused() >= 3).await?;
    interrupted.end();
    interrupted.check().await
}
register!(
    a_short_outage_of_the_bucket_does_not_even_interrupt_the_audit,
    needs = [minio]
);

/// The next worker starts during the outage.
async fn a_worker_that_is_killed_during_an_outage_leaves_the_audit_to_the_next_one(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let mut interrupted = Interrupted::start(&server, "killed-audit").await?;
    interrupted.worker.kill().await?;
    interrupted.begin(Dialect::DeniesEverything);
    let environment = interrupted.proxied.environment();
    let next = interrupted
        .fixture
        .spawn_worker_with(&server, &environment)?;
    interrupted.worker = next;
    interrupted.until_failed().await?;
    interrupted.end();
    interrupted.check().await
}
register!(
    a_worker_that_is_killed_during_an_outage_leaves_the_audit_to_the_next_one,
    needs = [minio],
    takes_long
);
