//! A worker whose store replaces objects, and `verify` on a store with unreadable objects.

use std::sync::Arc;

use anyhow::{Context, ensure};
use object_store::{ObjectStoreExt, path::Path};
use seedance_archiver_simulator::Script;
use serde_json::Value;

use crate::harness::{
    Fixture, Server, command, proxied_bucket::ProxiedBucket, register, s3_proxy::Dialect,
    until_async,
};

async fn a_worker_archives_nothing_in_a_store_that_replaces_objects(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let proxied = ProxiedBucket::start("videos").await?;
    let (bucket, proxy) = (&proxied.bucket, &proxied.proxy);
    proxy.set("/videos", Dialect::IgnoresConditions);
    let environment = proxied.environment();

    let id = fixture.simulator.create(Script::default());
    let _worker = fixture.spawn_worker_with(&server, &environment)?;
    let lifecycle = fixture.start_lifecycle(&server, &id).await?;
    until_async("the transfer waits for the store", async || {
        let output = command()
            .args(["status", &id])
            .envs(server.environment())
            .output()
            .await?;
        let status = String::from_utf8_lossy(&output.stdout);
        Ok(status.contains("nothing is archived in this store"))
    })
    .await?;
    ensure!(
        bucket.keys().await?.is_empty(),
        "{:?}",
        bucket.keys().await?
    );

    proxy.set("/videos", Dialect::None);
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");

    // One object in an archive tier, and one broken receipt beside a valid one.
    let manifest = result.manifest.context("no receipt")?;
    let receipt = manifest.manifest_url.replace("s3://videos/", "");
    let broken = receipt.replace(&id, "cgt-broken");
    bucket.store.put(&Path::from(broken), "{".into()).await?;
    proxy.set(&format!("{id}/video"), Dialect::IsArchived);
    proxy.set("/videos", Dialect::None);
    let output = command()
        .args(["verify", "--deep", "--output", "json"])
        .envs(environment.iter().copied())
        .output()
        .await?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let findings = report["findings"].to_string();
    ensure!(report["receipts"] == 2, "{report}");
    ensure!(
        report["findings"]
            .as_array()
            .is_some_and(|it| it.len() == 2),
        "{report}"
    );
    for part in ["restore-object", "cgt-broken", "is not a receipt"] {
        ensure!(findings.contains(part), "no {part:?} in {report}");
    }
    Ok(())
}
register!(
    a_worker_archives_nothing_in_a_store_that_replaces_objects,
    needs = [minio]
);
