//! A MinIO server, which implements the S3 API.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::process::Command;

use crate::server::Server;

const USER: &str = "minio-user";
const PASSWORD: &str = "minio-password";

/// A running MinIO server.
pub(crate) struct Minio {
    program: PathBuf,
    server: Server,
    data: TempDir,
    password: String,
    /// Further environment variables of the server.
    variables: Vec<(String, String)>,
}

impl Minio {
    pub(crate) async fn start(program: PathBuf) -> anyhow::Result<Self> {
        Self::start_with(program, Vec::new()).await
    }

    /// Starts a server with additional environment variables.
    pub(crate) async fn start_with(
        program: PathBuf,
        variables: Vec<(String, String)>,
    ) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let command = |port| serve(&program, &data, PASSWORD, &variables, port);
        let server = Server::start(command).await?;
        Ok(Self {
            program,
            server,
            data,
            password: PASSWORD.to_owned(),
            variables,
        })
    }

    /// Replaces the secret key, as when keys are rotated: requests with the old one are rejected.
    #[allow(dead_code, reason = "not every test program rotates keys")]
    pub(crate) async fn replace_password(&mut self, password: &str) -> anyhow::Result<()> {
        self.password = password.to_owned();
        self.kill().await?;
        self.start_again().await
    }

    /// Starts the killed server again with its data.
    #[allow(dead_code, reason = "not every test program restarts a store")]
    pub(crate) async fn start_again(&mut self) -> anyhow::Result<()> {
        let (program, data, password) = (&self.program, &self.data, &self.password);
        let command = |port| serve(program, data, password, &self.variables, port);
        self.server.start_again(command).await
    }

    /// Kills the server. Its data stays.
    #[allow(dead_code, reason = "not every test program kills a store")]
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        self.server.kill().await
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
            ("AWS_SECRET_ACCESS_KEY", self.password.clone()),
        ]
    }
}

/// Returns the command that serves a directory.
fn serve(
    program: &Path,
    data: &TempDir,
    password: &str,
    variables: &[(String, String)],
    port: u16,
) -> Command {
    let mut command = Command::new(program);
    command
        .args(["server", "--quiet", "--address"])
        .arg(format!("127.0.0.1:{port}"))
        .arg(data.path())
        .env("MINIO_ROOT_USER", USER)
        .env("MINIO_ROOT_PASSWORD", password)
        .envs(variables.iter().map(|(name, value)| (name, value)));
    command
}
