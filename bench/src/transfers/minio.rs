//! The MinIO server of a store.

use std::{fs, path::Path, time::Duration};

use anyhow::Context;

use super::{certificate::Certificate, host::Source};
use crate::{
    free_address::free_address,
    minio::{self, BUCKET},
    process::Process,
};

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
        fs::create_dir_all(data.join(BUCKET)).context("cannot create the bucket")?;
        let certificates = match source {
            Source::Http => directory.join("no-certificates"),
            Source::Https => certificate.minio_directory(),
        };
        fs::create_dir_all(&certificates)?;
        let address = free_address()?;
        let mut command = minio::command(address, &data, &certificates)?;
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
        minio::environment(&self.endpoint)
    }
}
