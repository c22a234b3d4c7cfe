//! A real MinIO, and buckets in it.

use std::{net::TcpListener, path::PathBuf, process::Stdio};

use futures::TryStreamExt;
use object_store::{
    ObjectStore, ObjectStoreExt,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path,
};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::world::until;

const USER: &str = "minio-user";
const PASSWORD: &str = "minio-password";

pub(crate) struct Minio {
    endpoint: String,
    data: TempDir,
    _process: Child,
}

impl Minio {
    pub(crate) async fn start(program: PathBuf) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let process = Command::new(program)
            .args(["server", "--quiet", "--address", &address])
            .arg(data.path())
            .env("MINIO_ROOT_USER", USER)
            .env("MINIO_ROOT_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let listens = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        until("MinIO listens", listens).await?;
        Ok(Self {
            endpoint: format!("http://{address}"),
            data,
            _process: process,
        })
    }

    /// A new bucket, which is a directory in MinIO's store.
    pub(crate) fn bucket(&self, name: &str) -> anyhow::Result<Bucket> {
        std::fs::create_dir(self.data.path().join(name))?;
        let store = AmazonS3Builder::new()
            .with_bucket_name(name)
            .with_endpoint(&self.endpoint)
            .with_allow_http(true)
            .with_access_key_id(USER)
            .with_secret_access_key(PASSWORD)
            .build()?;
        Ok(Bucket {
            name: name.to_owned(),
            url: format!("s3://{name}/team-a"),
            endpoint: self.endpoint.clone(),
            store,
        })
    }
}

pub(crate) struct Bucket {
    name: String,
    /// An archive in it.
    pub(crate) url: String,
    endpoint: String,
    pub(crate) store: AmazonS3,
}

impl Bucket {
    /// What a worker has in its environment to archive here.
    pub(crate) fn environment(&self) -> [(&str, &str); 6] {
        [
            ("SEEDANCE_ARCHIVE_URL", &self.url),
            ("AWS_ENDPOINT", &self.endpoint),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", USER),
            ("AWS_SECRET_ACCESS_KEY", PASSWORD),
        ]
    }

    /// Every key, sorted.
    pub(crate) async fn keys(&self) -> anyhow::Result<Vec<String>> {
        let objects = self.store.list(None);
        let mut keys: Vec<_> = objects
            .map_ok(|object| object.location.to_string())
            .try_collect()
            .await?;
        keys.sort();
        Ok(keys)
    }

    /// The object at a URL of this bucket.
    pub(crate) async fn read(&self, url: &str) -> anyhow::Result<Vec<u8>> {
        let prefix = format!("s3://{}/", self.name);
        let key = url.strip_prefix(&prefix).unwrap_or(url);
        let object = self.store.get(&Path::from(key)).await?;
        Ok(object.bytes().await?.to_vec())
    }
}
