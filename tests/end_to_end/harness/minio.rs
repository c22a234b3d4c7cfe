//! Buckets of a MinIO server.

#[path = "../../support/minio.rs"]
mod shared;

use std::time::Duration;

use futures::TryStreamExt;
use object_store::{
    ClientOptions, ObjectStore, ObjectStoreExt,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path,
};

pub(crate) use shared::Minio;

/// Timeout of a request, far longer than any takes on a busy machine. A list is not repeated after its timeout.
const TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// A bucket, with an archive below `team-a/`.
pub(crate) struct Bucket {
    name: String,
    environment: Vec<(&'static str, String)>,
    pub(crate) store: AmazonS3,
}

impl Minio {
    /// Creates a bucket.
    pub(crate) fn new_bucket(&self, name: &str) -> anyhow::Result<Bucket> {
        self.create_bucket(name)?;
        self.bucket(name)
    }

    /// Returns an existing bucket, with the current keys.
    pub(crate) fn bucket(&self, name: &str) -> anyhow::Result<Bucket> {
        let mut environment = self.environment().to_vec();
        let mut store = AmazonS3Builder::new()
            .with_bucket_name(name)
            .with_client_options(ClientOptions::new().with_timeout(TIMEOUT));
        for (key, value) in &environment {
            store = store.with_config(key.to_lowercase().parse()?, value);
        }
        environment.push(("SEEDANCE_ARCHIVE_URL", format!("s3://{name}/team-a")));
        Ok(Bucket {
            name: name.to_owned(),
            environment,
            store: store.build()?,
        })
    }
}

impl Bucket {
    /// Returns the environment variables of a worker that archives to this bucket.
    pub(crate) fn environment(&self) -> Vec<(&str, &str)> {
        let variables = self.environment.iter();
        variables
            .map(|(name, value)| (*name, value.as_str()))
            .collect()
    }

    /// Returns all keys, sorted.
    pub(crate) async fn keys(&self) -> anyhow::Result<Vec<String>> {
        let objects = self.store.list(None);
        let mut keys: Vec<_> = objects
            .map_ok(|object| object.location.to_string())
            .try_collect()
            .await?;
        keys.sort();
        Ok(keys)
    }

    /// Replaces the object with a key.
    pub(crate) async fn write(&self, key: &str, text: &'static str) -> anyhow::Result<()> {
        self.store.put(&Path::from(key), text.into()).await?;
        Ok(())
    }

    /// Reads the object at an `s3://` URL of this bucket.
    pub(crate) async fn read(&self, url: &str) -> anyhow::Result<Vec<u8>> {
        let prefix = format!("s3://{}/", self.name);
        let key = url.strip_prefix(&prefix).unwrap_or(url);
        let object = self.store.get(&Path::from(key)).await?;
        Ok(object.bytes().await?.to_vec())
    }
}
