//! MinIO.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;

use super::{
    Part,
    directories::{STORE, create},
};
use crate::{
    free_address::free_address,
    minio::{self, BUCKET},
};

pub(in crate::chaos) struct Store {
    pub(in crate::chaos) part: Part,
    pub(in crate::chaos) address: SocketAddr,
    /// Where MinIO keeps its objects and uploads.
    pub(in crate::chaos) data: PathBuf,
}

const READY_TIMEOUT: Duration = Duration::from_secs(60);

impl Store {
    /// Starts MinIO with its data in a directory, in which a disk of its own may be mounted.
    pub(in crate::chaos) async fn start(directory: &Path) -> anyhow::Result<Self> {
        let address = free_address()?;
        let data = directory.join(STORE);
        create(&data.join(BUCKET))?;
        let certificates = directory.join("no-certificates");
        create(&certificates)?;
        let mut part = {
            let data = data.clone();
            Part::new("MinIO", directory, move || {
                minio::command(address, &data, &certificates)
            })
        };
        part.start()?;
        let ready = format!("http://{address}/minio/health/live");
        wait_for(&ready, READY_TIMEOUT).await?;
        Ok(Self {
            part,
            address,
            data,
        })
    }

    /// Where the archive is in the bucket.
    pub(in crate::chaos) const PREFIX: &str = "videos";

    pub(in crate::chaos) fn archive_url() -> String {
        format!("s3://{BUCKET}/{}", Self::PREFIX)
    }
}

/// Waits until a URL answers with success.
async fn wait_for(url: &str, timeout: Duration) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let ready = async {
        while !is_ready(&client, url).await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let ready = tokio::time::timeout(timeout, ready).await;
    ready.with_context(|| format!("{url} is not ready"))
}

async fn is_ready(client: &reqwest::Client, url: &str) -> bool {
    let response = client.get(url).send().await;
    response.is_ok_and(|response| response.status().is_success())
}
