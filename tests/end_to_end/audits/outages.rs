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
    minio::{Bucket, Minio},
    register,
    s3_proxy::{Dialect, S3Proxy},
    tools, until, until_async,
};

/// Number of videos.
const VIDEOS: usize = 8;
/// Number of the video that is being read when the outage begins.
const HELD: usize = 4;

/// An audit that reads a video of a bucket, and a worker that runs it.
struct Interrupted {
    fixture: Fixture,
    proxy: S3Proxy,
    bucket: Bucket,
    name: &'static str,
    worker: Child,
    audit: Audit,
}

impl Interrupted {
    /// Starts an audit, and waits until it reads the held video.
    async fn start(server: &Server, minio: &Minio, name: &'static str) -> anyhow::Result<Self> {
        let fixture = Fixture::new(server).await?;
        let bucket = minio.new_bucket(name)?;
        for number in 0..VIDEOS {
            put_video(&bucket.store, &task(number), b"a video").await?;
        }
        put(&bucket, HELD - 2, "a vidEo").await?;
        put(&bucket, HELD + 2, "a vidEo").await?;
        let proxy = S3Proxy::start(&minio.environment()).await?;
        proxy.set(&held(), Dialect::HoldsReads);
        let worker = spawn_worker(&fixture, server, &bucket, &proxy)?;
        let audit = Audit::start(server, &fixture, "1").await?;
        until_async("the audit reads the held video", || async {
            let state = audit.heartbeat().await?.unwrap_or_default();
            let report = state.report.unwrap_or_default();
            Ok(report.receipts == HELD as i64)
        })
        .await?;
        // This one must not be verified again.
        put(&bucket, 0, "some other bytes").await?;
        Ok(Self {
            fixture,
            proxy,
            bucket,
            name,
            worker,
            audit,
        })
    }

    /// Answers every request in this way, also that for the held video.
    fn begin(&self, outage: Dialect) {
        self.proxy.set(self.name, outage);
        self.proxy.set(&held(), outage);
    }

    fn end(&self) {
        self.proxy.set(self.name, Dialect::None);
        self.proxy.set(&held(), Dialect::None);
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
        let stored = self.bucket.read(&report.report_url).await?;
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

fn spawn_worker(
    fixture: &Fixture,
    server: &Server,
    bucket: &Bucket,
    proxy: &S3Proxy,
) -> anyhow::Result<Child> {
    let url = proxy.url();
    let mut environment = bucket.environment();
    environment.push(("AWS_ENDPOINT", &url));
    fixture.spawn_worker_with(server, &environment)
}

async fn an_outage_of_the_bucket_is_no_finding_and_the_audit_continues(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let minio = Minio::start(tools::minio()?).await?;
    for (outage, name) in [
        (Dialect::DeniesEverything, "denied-audit"),
        (Dialect::IsGone, "gone-audit"),
    ] {
        let interrupted = Interrupted::start(&server, &minio, name).await?;
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
    let minio = Minio::start(tools::minio()?).await?;
    let interrupted = Interrupted::start(&server, &minio, "unavailable-audit").await?;
    interrupted.begin(Dialect::IsUnavailable);
    until("requests were refused", || interrupted.proxy.refused() >= 3).await?;
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
    let minio = Minio::start(tools::minio()?).await?;
    let mut interrupted = Interrupted::start(&server, &minio, "killed-audit").await?;
    interrupted.worker.kill().await?;
    interrupted.begin(Dialect::DeniesEverything);
    let Interrupted {
        fixture,
        proxy,
        bucket,
        ..
    } = &interrupted;
    let next = spawn_worker(fixture, &server, bucket, proxy)?;
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
