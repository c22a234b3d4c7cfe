//! A MinIO server, which implements the S3 API.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::Context;

use super::{certificate::Certificate, host::Source, programs};
use crate::{archiver::remove_variables, process::Process};

pub(super) const BUCKET: &str = "bench";
pub(super) const USER: &str = "bench";
pub(super) const PASSWORD: &str = "bench-password";
pub(super) const REGION: &str = "us-east-1";
/// Where `ci/tools` installs it.
const PROGRAM: &str = "target/tools/minio";
const READY_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) struct MinIo {
    pub(super) process: Process,
    /// URL of the server.
    pub(super) endpoint: String,
}

impl MinIo {
    /// Starts a server with an empty bucket, over http or https. Its data and its log are in the directory.
    pub(super) async fn start(
        source: Source,
        certificate: &Certificate,
        directory: &Path,
    ) -> anyhow::Result<Self> {
        let data = directory.join("data");
        // MinIO stores a bucket as a directory.
        fs::create_dir_all(data.join(BUCKET)).context("cannot create the bucket")?;
        let certificates = match source {
            Source::Http => directory.join("no-certificates"),
            Source::Https => certificate.minio_directory(),
        };
        fs::create_dir_all(&certificates)?;
        // Free until somebody else takes it, which nobody on a machine that runs benchmarks does.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new(program()?);
        remove_variables(&mut command, "MINIO_");
        command
            .args(["server", "--quiet", "--address", &address.to_string()])
            .arg("--certs-dir")
            .arg(certificates)
            .arg(data)
            .env("MINIO_ROOT_USER", USER)
            .env("MINIO_ROOT_PASSWORD", PASSWORD)
            .env("MINIO_BROWSER", "off")
            .stdout(Stdio::null());
        let mut process = Process::start("MinIO", &mut command, directory.join("minio.log"))?;
        let endpoint = format!("{}://{address}", source.name());
        let ready = format!("{endpoint}/minio/health/live");
        let client = certificate.client()?;
        process
            .wait_until_ready(&client, &ready, READY_TIMEOUT)
            .await?;
        Ok(Self { process, endpoint })
    }

    /// Returns the variables of a process that uses the server.
    pub(super) fn environment(&self) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT", self.endpoint.clone()),
            ("AWS_ALLOW_HTTP", "true".into()),
            ("AWS_REGION", REGION.into()),
            ("AWS_ACCESS_KEY_ID", USER.into()),
            ("AWS_SECRET_ACCESS_KEY", PASSWORD.into()),
        ]
    }
}

fn program() -> anyhow::Result<PathBuf> {
    let installed = Path::new(PROGRAM);
    if installed.exists() {
        return Ok(installed.canonicalize()?);
    }
    Ok(programs::find("minio", "ci/tools")?)
}
