//! Audits of a bucket that fails.

use std::sync::Arc;

use anyhow::ensure;
use object_store::{ObjectStoreExt, path::Path};
use seedance_archiver_proto::v1::AuditReport;
use temporalio_client::WorkflowDescribeOptions;

use crate::harness::{
    Fixture, Server,
    audits::{Audit, put_video},
    proxied_bucket::ProxiedBucket,
    register,
    s3_proxy::Dialect,
    until_async,
};

async fn what_a_bucket_does_not_return_is_a_finding(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let proxied = ProxiedBucket::start("audited").await?;
    let (bucket, proxy) = (&proxied.bucket, &proxied.proxy);
    let task = |name: &str| format!("team-a/default/2026/08/27/{name}");
    for name in [
        "cgt-a",
        "cgt-b",
        "cgt-denied",
        "cgt-frozen",
        "cgt-hidden",
        "cgt-z",
    ] {
        put_video(&bucket.store, &task(name), b"a video").await?;
    }
    let changed = Path::from(format!("{}/video.mp4", task("cgt-b")));
    bucket.store.put(&changed, "a vidEo".into()).await?;
    proxy.set("cgt-denied/video", Dialect::FailsReads);
    proxy.set("cgt-hidden/manifest", Dialect::FailsReads);
    proxy.set("cgt-frozen/video", Dialect::IsArchived);

    let _worker = fixture.spawn_worker_with(&server, &proxied.environment())?;
    let audit = Audit::start(&server, &fixture, "1").await?;
    let report = audit.report().await?;
    ensure!((report.receipts, report.objects) == (6, 5), "{report:?}");
    let counts = [
        ("in_archive_tier", 1),
        ("unreadable", 2),
        ("wrong_digest", 1),
    ];
    let counts = counts.map(|(kind, count)| (kind.to_owned(), count));
    ensure!(report.finding_counts == counts.into(), "{report:?}");
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|it| (it.receipt.as_str(), it.object.as_str(), it.kind.as_str()))
        .collect();
    let receipt = |name: &str| format!("{}/manifest.json", task(name));
    let [changed, denied, frozen, hidden] =
        ["cgt-b", "cgt-denied", "cgt-frozen", "cgt-hidden"].map(receipt);
    let expected = [
        (changed.as_str(), "video.mp4", "wrong_digest"),
        (denied.as_str(), "video.mp4", "unreadable"),
        (frozen.as_str(), "video.mp4", "in_archive_tier"),
        (hidden.as_str(), "manifest.json", "unreadable"),
    ];
    ensure!(found == expected, "{report:?}");
    ensure!(
        report.report_url.starts_with("s3://audited/team-a/.audit/"),
        "{report:?}"
    );
    let stored: AuditReport = serde_json::from_slice(&bucket.read(&report.report_url).await?)?;
    ensure!(stored == report, "{stored:?}");
    Ok(())
}
register!(what_a_bucket_does_not_return_is_a_finding, needs = [minio]);

/// An outage of the store is no finding: the audit waits.
async fn an_audit_outlasts_an_outage_of_its_bucket(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let proxied = ProxiedBucket::start("outage").await?;
    let (bucket, proxy) = (&proxied.bucket, &proxied.proxy);
    for name in ["cgt-1", "cgt-2", "cgt-3"] {
        put_video(&bucket.store, &format!("team-a/{name}"), b"a video").await?;
    }
    proxy.set("/outage", Dialect::FailsReads);
    let _worker = fixture.spawn_worker_with(&server, &proxied.environment())?;
    let audit = Audit::start(&server, &fixture, "1").await?;
    let failed = async |text: &str| {
        until_async("an attempt failed", || async {
            let description = audit.0.describe(WorkflowDescribeOptions::default()).await?;
            let activity = description.raw().pending_activities.first();
            let failure = activity.and_then(|activity| activity.last_failure.as_ref());
            Ok(failure.is_some_and(|failure| failure.message.contains(text)))
        })
        .await
    };
    failed("nor can another receipt").await?;
    proxy.set("/outage", Dialect::DeniesList);
    failed("AccessDenied").await?;
    proxy.set("/outage", Dialect::None);
    let report = audit.report().await?;
    ensure!((report.receipts, report.bytes) == (3, 21), "{report:?}");
    ensure!(report.finding_counts.is_empty(), "{report:?}");
    Ok(())
}
register!(an_audit_outlasts_an_outage_of_its_bucket, needs = [minio]);
