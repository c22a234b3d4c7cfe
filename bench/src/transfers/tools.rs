//! The command lines of curl and rclone.

use std::process::Command;

use anyhow::Context;

use super::{
    certificate::Certificate,
    store::{Store, VIDEO},
};
use crate::{
    archiver::remove_variables,
    minio::{BUCKET, PASSWORD, REGION, USER},
    programs,
};

/// Name of the remote in rclone's environment.
const REMOTE: &str = "bench";

/// Returns curl, without its configuration file and proxies.
pub(super) fn curl(certificate: &Certificate) -> anyhow::Result<Command> {
    let mut command = Command::new(programs::find("curl", "apt-get install curl")?);
    command
        .args(["-q", "-fsS", "--noproxy", "*", "--cacert"])
        .arg(certificate.authority_file());
    Ok(command)
}

/// Returns curl that reads objects of a MinIO server at the same time.
pub(super) fn curl_objects(
    certificate: &Certificate,
    store: &Store,
    keys: &[String],
) -> anyhow::Result<Command> {
    let minio = store.minio.as_ref().context("only MinIO has URLs")?;
    let mut command = curl(certificate)?;
    command
        .args(["--parallel", "--aws-sigv4", &format!("aws:amz:{REGION}:s3")])
        .args(["-u", &format!("{USER}:{PASSWORD}")]);
    for key in keys {
        let url = format!("{}/{BUCKET}/{key}", minio.endpoint);
        command.args(["-o", "/dev/null", &url]);
    }
    Ok(command)
}

/// Returns rclone, with the remote [`REMOTE`] for a MinIO server, and without its configuration file.
fn rclone(certificate: &Certificate, store: &Store) -> anyhow::Result<Command> {
    let mut command = Command::new(programs::find("rclone", "apt-get install rclone")?);
    for prefix in ["RCLONE_", "AWS_"] {
        remove_variables(&mut command, prefix);
    }
    command
        .arg("--ca-cert")
        .arg(certificate.authority_file())
        .env("RCLONE_CONFIG", "/dev/null")
        .env("RCLONE_S3_NO_CHECK_BUCKET", "true")
        .env("NO_PROXY", "127.0.0.1");
    if let Some(minio) = &store.minio {
        command
            .envs(minio.environment())
            .env("RCLONE_CONFIG_BENCH_TYPE", "s3")
            .env("RCLONE_CONFIG_BENCH_PROVIDER", "Minio")
            .env("RCLONE_CONFIG_BENCH_ENV_AUTH", "true")
            .env("RCLONE_CONFIG_BENCH_REGION", REGION)
            .env("RCLONE_CONFIG_BENCH_ENDPOINT", &minio.endpoint);
    }
    Ok(command)
}

/// Returns `rclone copyurl`.
pub(super) fn rclone_copyurl(
    certificate: &Certificate,
    store: &Store,
    url: &str,
) -> anyhow::Result<Command> {
    let mut command = rclone(certificate, store)?;
    command.args(["copyurl", url]);
    match &store.minio {
        Some(_) => command.arg(object(VIDEO)),
        None => command.arg(store.file()),
    };
    Ok(command)
}

/// Returns `rclone rcat`, which stores its standard input.
pub(super) fn rclone_rcat(certificate: &Certificate, store: &Store) -> anyhow::Result<Command> {
    let mut command = rclone(certificate, store)?;
    command.args(["rcat", &object(VIDEO)]);
    Ok(command)
}

/// Returns `rclone cat` of all videos.
pub(super) fn rclone_cat(certificate: &Certificate, store: &Store) -> anyhow::Result<Command> {
    let mut command = rclone(certificate, store)?;
    command.args(["cat", &object(""), "--include", VIDEO]);
    Ok(command)
}

fn object(key: &str) -> String {
    format!("{REMOTE}:{BUCKET}/{key}")
}

/// Returns the first line of a tool's version, for the results.
pub(super) fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(text.lines().next()?.to_owned())
}
