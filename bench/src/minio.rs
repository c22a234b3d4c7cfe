//! How MinIO, which implements the S3 API, is started and used.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{archiver::remove_variables, programs};

pub(crate) const BUCKET: &str = "bench";
pub(crate) const USER: &str = "bench";
pub(crate) const PASSWORD: &str = "bench-password";
pub(crate) const REGION: &str = "us-east-1";
/// Where `ci/tools` installs it.
const PROGRAM: &str = "target/tools/minio";

/// Returns the command of a server with its data in a directory. MinIO stores a bucket as a directory in it. Without
/// certificates in their directory, it serves http.
pub(crate) fn command(
    address: SocketAddr,
    data: &Path,
    certificates: &Path,
) -> anyhow::Result<Command> {
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
    Ok(command)
}

/// Returns the variables of a process that uses the server at a URL.
pub(crate) fn environment(endpoint: &str) -> [(&'static str, String); 5] {
    [
        ("AWS_ENDPOINT", endpoint.to_owned()),
        ("AWS_ALLOW_HTTP", "true".into()),
        ("AWS_REGION", REGION.into()),
        ("AWS_ACCESS_KEY_ID", USER.into()),
        ("AWS_SECRET_ACCESS_KEY", PASSWORD.into()),
    ]
}

fn program() -> anyhow::Result<PathBuf> {
    let installed = Path::new(PROGRAM);
    if installed.exists() {
        return Ok(installed.canonicalize()?);
    }
    Ok(programs::find("minio", "ci/tools")?)
}
