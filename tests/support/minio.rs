//! A MinIO server, which implements the S3 API.

use std::path::PathBuf;

use tempfile::TempDir;
use tokio::process::Command;

use crate::server::Server;

const USER: &str = "minio-user";
const PASSWORD: &str = "minio-password";

/// A running MinIO server.
pub(crate) struct Minio {
    server: Server,
    data: TempDir,
}

impl Minio {
    pub(crate) async fn start(program: PathBuf) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let server = Server::start(|port| {
            let mut command = Command::new(program);
            command
                .args(["server", "--quiet", "--address"])
                .arg(format!("127.0.0.1:{port}"))
                .arg(data.path())
                .env("MINIO_ROOT_USER", USER)
                .env("MINIO_ROOT_PASSWORD", PASSWORD);
            command
        });
        let server = server.await?;
        Ok(Self { server, data })
    }

    /// Creates a bucket as a directory, which is how MinIO stores it.
    pub(crate) fn create_bucket(&self, name: &str) -> std::io::Result<()> {
        std::fs::create_dir(self.data.path().join(name))
    }

    /// Returns the environment variables of a process that uses this server as its store.
    pub(crate) fn environment(&self) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT", self.server.url()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", USER.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", PASSWORD.to_owned()),
        ]
    }
}
