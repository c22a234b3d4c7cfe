//! A bucket whose store differs from Amazon S3, or fails.

use super::{
    minio::{Bucket, Minio},
    s3_proxy::S3Proxy,
    tools,
};

/// A bucket of a MinIO server of its own, and a proxy in front of the server.
pub(crate) struct ProxiedBucket {
    /// The bucket without the proxy.
    pub(crate) bucket: Bucket,
    pub(crate) proxy: S3Proxy,
    proxy_url: String,
    _minio: Minio,
}

impl ProxiedBucket {
    /// Starts the server and the proxy, and creates the bucket.
    pub(crate) async fn start(name: &str) -> anyhow::Result<Self> {
        let minio = Minio::start(tools::minio()?).await?;
        let bucket = minio.new_bucket(name)?;
        let proxy = S3Proxy::start(&minio.environment()).await?;
        Ok(Self {
            bucket,
            proxy_url: proxy.url(),
            proxy,
            _minio: minio,
        })
    }

    /// Returns the environment variables of a process whose archive is the bucket behind the proxy.
    pub(crate) fn environment(&self) -> Vec<(&str, &str)> {
        let mut environment = self.bucket.environment();
        environment.push(("AWS_ENDPOINT", &self.proxy_url));
        environment
    }
}
