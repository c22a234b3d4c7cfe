//! The stores to which videos are transferred.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use futures::TryStreamExt;
use object_store::{
    ObjectMeta, ObjectStore, ObjectStoreExt, aws::AmazonS3Builder, local::LocalFileSystem,
};
use reqwest::Url;
use serde::Serialize;

use super::{certificate::Certificate, host::Source, minio::MinIo};
use crate::{
    minio::{BUCKET, PASSWORD, REGION, USER},
    usage,
};

/// File name of a video, in every store and of every tool.
pub(super) const VIDEO: &str = "video.mp4";

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StoreKind {
    Disk,
    MinIo,
    MinIoTls,
}

impl StoreKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::MinIo => "MinIO",
            Self::MinIoTls => "MinIO, TLS",
        }
    }

    /// Returns a name for paths and task queues.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::MinIo => "minio",
            Self::MinIoTls => "minio-tls",
        }
    }
}

/// A running store, which has nothing in it at first.
pub(super) struct Store {
    pub(super) kind: StoreKind,
    pub(super) minio: Option<MinIo>,
    /// Where the store keeps its data and logs.
    directory: PathBuf,
    objects: Box<dyn ObjectStore>,
}

impl Store {
    pub(super) async fn start(
        kind: StoreKind,
        certificate: &Certificate,
        parent: &Path,
    ) -> anyhow::Result<Self> {
        let directory = parent.join(kind.id());
        fs::create_dir_all(&directory).context("cannot create the directory of a store")?;
        let source = match kind {
            StoreKind::Disk => {
                let objects = Box::new(LocalFileSystem::new_with_prefix(&directory)?);
                return Ok(Self {
                    kind,
                    minio: None,
                    directory,
                    objects,
                });
            }
            StoreKind::MinIo => Source::Http,
            StoreKind::MinIoTls => Source::Https,
        };
        let minio = MinIo::start(source, certificate, &directory).await?;
        let objects = AmazonS3Builder::new()
            .with_endpoint(&minio.endpoint)
            .with_bucket_name(BUCKET)
            .with_region(REGION)
            .with_access_key_id(USER)
            .with_secret_access_key(PASSWORD)
            .with_client_options(certificate.store_client()?)
            .build()?;
        Ok(Self {
            kind,
            minio: Some(minio),
            directory,
            objects: Box::new(objects),
        })
    }

    /// Returns the URL for `SEEDANCE_ARCHIVE_URL`.
    pub(super) fn archive_url(&self) -> anyhow::Result<String> {
        if self.minio.is_some() {
            return Ok(format!("s3://{BUCKET}"));
        }
        let url = Url::from_directory_path(&self.directory);
        let url = url.map_err(|()| anyhow::anyhow!("the directory has no URL"))?;
        Ok(url.into())
    }

    /// Returns the file to which a tool downloads.
    pub(super) fn file(&self) -> PathBuf {
        self.directory.join(VIDEO)
    }

    /// Returns the CPU time of the server so far, if there is one.
    pub(super) fn cpu_seconds(&self) -> Option<f64> {
        usage::cpu_seconds(self.minio.as_ref()?.process.pid())
    }

    /// Returns the videos in the store.
    pub(super) async fn videos(&self) -> anyhow::Result<Vec<ObjectMeta>> {
        let mut objects = self.all().await?;
        objects.retain(|object| object.location.filename() == Some(VIDEO));
        Ok(objects)
    }

    /// Returns an error if the store does not have this many videos of this size.
    pub(super) async fn check(&self, count: usize, bytes: u64) -> anyhow::Result<()> {
        let sizes: Vec<_> = self.videos().await?.iter().map(|it| it.size).collect();
        ensure!(
            sizes == vec![bytes; count],
            "the store has videos of {sizes:?} bytes, expected {count} of {bytes}"
        );
        Ok(())
    }

    /// Deletes all objects.
    pub(super) async fn clear(&self) -> anyhow::Result<()> {
        for object in self.all().await? {
            self.objects.delete(&object.location).await?;
        }
        Ok(())
    }

    async fn all(&self) -> anyhow::Result<Vec<ObjectMeta>> {
        let objects = self.objects.list(None).try_collect().await;
        objects.with_context(|| format!("cannot list the objects of {}", self.kind.name()))
    }
}
