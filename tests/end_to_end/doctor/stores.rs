//! `doctor` and `setup` on a bucket whose permissions are incomplete, or whose store differs from Amazon S3.

use std::sync::Arc;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::setup::Setup;
use crate::harness::{
    Server, command,
    minio::Minio,
    register,
    s3_proxy::{Dialect, S3Proxy},
    tools,
};

async fn each_problem_of_a_store_has_its_own_fix(server: Arc<Server>) -> anyhow::Result<()> {
    let minio = Minio::start(tools::minio()?).await?;
    minio.new_bucket("videos")?;
    let proxy = S3Proxy::start(&minio.environment()).await?;
    let mut setup = Setup::new(server).await?;
    for (name, value) in minio.environment() {
        setup.set(name, value);
    }
    setup.set("AWS_ENDPOINT", proxy.url());
    setup.set("SEEDANCE_ARCHIVE_URL", "s3://videos/team");
    for (dialect, state, fix) in [
        (
            Dialect::DeniesMissing,
            "failed",
            "`s3:ListBucket` on the bucket (without it",
        ),
        (Dialect::DeniesPut, "failed", "`s3:PutObject`"),
        (Dialect::DeniesGet, "failed", "`s3:GetObject`"),
        (Dialect::DeniesUpload, "failed", "`s3:PutObject`"),
        (
            Dialect::IgnoresConditions,
            "failed",
            "use a store that supports `If-None-Match: *`",
        ),
        (
            Dialect::IgnoresConditionalComplete,
            "failed",
            "AWS_COPY_IF_NOT_EXISTS",
        ),
        (
            Dialect::RejectsConditionalComplete,
            "failed",
            "AWS_COPY_IF_NOT_EXISTS",
        ),
        (Dialect::CopiesLikeR2, "warning", "AWS_COPY_IF_NOT_EXISTS"),
        (Dialect::DeniesAbort, "warning", "`s3:AbortMultipartUpload`"),
        (Dialect::DeniesList, "warning", "`s3:ListBucket`"),
        (
            Dialect::DeniesListUploads,
            "warning",
            "`s3:ListBucketMultipartUploads`",
        ),
        (Dialect::DeniesDelete, "warning", "`s3:DeleteObject`"),
    ] {
        proxy.set("/videos", dialect);
        let (stdout, _) = setup.run_doctor(&["--output", "json"]).await?;
        let report: Value = serde_json::from_str(&stdout)?;
        let findings = report["findings"].as_array().context("no findings")?;
        let of_archive = |finding: &&Value| {
            let name = finding["name"].as_str().unwrap_or_default();
            name.starts_with("archive s3://videos/team") && finding["state"] != "ok"
        };
        let found: Vec<_> = findings.iter().filter(of_archive).collect();
        let [found] = found.as_slice() else {
            anyhow::bail!("{dialect}: {found:?}");
        };
        ensure!(found["state"] == state, "{dialect}: {found}");
        let text = found["fix"].as_str().unwrap_or_default();
        ensure!(text.contains(fix), "{dialect}: {found}");
    }
    proxy.set("/videos", Dialect::IgnoresConditions);
    let output = command()
        .arg("setup")
        .envs(setup.variables())
        .output()
        .await?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.code() == Some(1), "{stdout}");
    ensure!(stdout.contains("replaced an existing object"), "{stdout}");
    Ok(())
}
register!(each_problem_of_a_store_has_its_own_fix, needs = [minio]);
