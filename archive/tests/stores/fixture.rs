//! The environment of a scenario: an archive, and archivals of a task into it.

use anyhow::ensure;
use futures::TryStreamExt;
use object_store::{ObjectMeta, ObjectStoreExt, path::Path};
use seedance_archiver_archive::{
    Archive, AttemptKeys, Buffers, Error, KeyTemplate, Layout, ObjectOptions, PART_SIZE, Progress,
    TaskArchival, TransferResources, audit, checks::Mismatch, fetch::VideoClient,
};
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::v1::{Manifest, VideoTask};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{host::Host, one_url::OneUrl, requests, store::Store};

/// Padding of a small video, which has a single part.
pub(crate) const SMALL: u32 = 1000;
/// Padding of a large video, which has four parts.
pub(crate) const LARGE: u32 = 17_000_003;
/// Paddings of a small and of a large video.
pub(crate) const PADDINGS: [u32; 2] = [SMALL, LARGE];

pub(crate) struct Fixture {
    pub(crate) store: Store,
    /// Key prefix of the scenario.
    pub(crate) prefix: &'static str,
    pub(crate) archive: Archive,
    pub(crate) account: String,
    pub(crate) task: VideoTask,
    pub(crate) resources: TransferResources,
}

impl Fixture {
    pub(crate) fn new(
        store: Store,
        prefix: &'static str,
        client: VideoClient,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            store,
            prefix,
            archive: store.open(prefix, ObjectOptions::default())?,
            account: "default".to_owned(),
            task: task("cgt-1"),
            resources: TransferResources {
                client,
                // The memory store keeps the buffers of its parts.
                buffers: Buffers::new(32, 400, PART_SIZE),
                clock: Clock::default(),
            },
        })
    }

    /// Sets the task of the following archivals.
    pub(crate) fn set_task(&mut self, id: &str) {
        self.task = task(id);
    }

    pub(crate) fn layout(&self) -> Layout {
        let template = KeyTemplate::default();
        Layout::new(&self.archive.root, &template, &self.account, &self.task)
    }

    pub(crate) fn video_key(&self) -> Path {
        self.layout().file("video.mp4")
    }

    /// Archives the video of a host, as the first attempt.
    pub(crate) async fn archive_video(&self, host: &Host) -> Result<Manifest, Error> {
        self.attempt(1, host, &Progress::default()).await
    }

    /// Archives the video of a host, as the attempt `number`.
    pub(crate) async fn attempt(
        &self,
        number: u32,
        host: &Host,
        progress: &Progress,
    ) -> Result<Manifest, Error> {
        let layout = self.layout();
        let keys = AttemptKeys {
            layout: &layout,
            attempt_id: Uuid::new_v4(),
        };
        let source = OneUrl {
            url: host.url.clone(),
            record: self.record(),
        };
        let manifest = Manifest {
            task_id: self.task.id.clone(),
            manifest_url: self.archive.url_of(&layout.manifest()),
            ..Manifest::default()
        };
        let archival = self.archival(number, keys, progress);
        archival.run(&source, manifest).await
    }

    /// Aborts the upload of an attempt.
    pub(crate) async fn abort_upload(&self, progress: &Progress) {
        let layout = self.layout();
        let keys = AttemptKeys {
            layout: &layout,
            attempt_id: Uuid::nil(),
        };
        self.archival(1, keys, progress).abort_upload().await;
    }

    fn archival<'a>(
        &'a self,
        attempt: u32,
        keys: AttemptKeys<'a>,
        progress: &'a Progress,
    ) -> TaskArchival<'a> {
        TaskArchival {
            archive: &self.archive,
            keys,
            task: &self.task,
            mismatch: Mismatch::Warn,
            attempt,
            resources: &self.resources,
            progress,
        }
    }

    fn record(&self) -> String {
        json!({ "id": self.task.id, "status": self.task.status }).to_string()
    }

    /// Asserts that the task's directory contains only the host's video, the record and this receipt, and that
    /// there are no leftovers.
    pub(crate) async fn assert_archived(
        &self,
        manifest: &Manifest,
        host: &Host,
    ) -> anyhow::Result<()> {
        let names = ["manifest.json", "task.json", "video.mp4"];
        let found = self.names().await?;
        ensure!(found == names, "{found:?}");
        let stored: Manifest = serde_json::from_slice(&self.read("manifest.json").await?)?;
        ensure!(stored == *manifest, "{stored:?} is not {manifest:?}");
        let named: Vec<_> = manifest.objects.iter().map(|it| it.name.as_str()).collect();
        ensure!(named == ["video.mp4", "task.json"], "{named:?}");
        for object in &manifest.objects {
            let key = self.layout().file(&object.name);
            let bytes = self.read(&object.name).await?;
            let sha256 = hex::encode(Sha256::digest(&bytes));
            ensure!(object.size_bytes == bytes.len() as i64, "{object:?}");
            ensure!(object.sha256 == sha256, "{object:?}");
            ensure!(object.url == self.archive.url_of(&key), "{object:?}");
            let e_tag = self.archive.store.head(&key).await?.e_tag;
            ensure!(
                e_tag.as_ref() == Some(&object.etag),
                "{object:?}, {e_tag:?}"
            );
        }
        let video = self.read("video.mp4").await?;
        ensure!(
            video == host.video(),
            "the archived video differs from the served video"
        );
        let record = String::from_utf8(self.read("task.json").await?.to_vec())?;
        ensure!(record == self.record(), "{record}");
        self.assert_no_leftovers().await
    }

    /// Asserts that there are no staged objects and no incomplete uploads.
    pub(crate) async fn assert_no_leftovers(&self) -> anyhow::Result<()> {
        let leftovers = audit::find_leftovers(&self.archive, self.resources.clock.now()).await;
        ensure!(leftovers.errors.is_empty(), "{leftovers:?}");
        ensure!(leftovers.objects.is_empty(), "{leftovers:?}");
        ensure!(leftovers.files.is_empty(), "{leftovers:?}");
        let incomplete = requests::incomplete_uploads(self.store, &self.video_key()).await?;
        ensure!(incomplete == 0, "{incomplete} incomplete uploads");
        Ok(())
    }

    /// Returns the file names in the task's directory.
    pub(crate) async fn names(&self) -> anyhow::Result<Vec<String>> {
        let mut directory: Vec<_> = self
            .layout()
            .task()
            .parts()
            .map(|it| it.as_ref().to_owned())
            .collect();
        directory.pop();
        let directory = Path::parse(directory.join("/"))?;
        let objects = self.archive.store.list(Some(&directory));
        let mut names: Vec<_> = objects
            .map_ok(|object| object.location.filename().unwrap_or_default().to_owned())
            .try_collect()
            .await?;
        names.sort();
        Ok(names)
    }

    /// Reads a file in the task's directory.
    pub(crate) async fn read(&self, name: &str) -> anyhow::Result<bytes::Bytes> {
        let object = self.archive.store.get(&self.layout().file(name)).await?;
        Ok(object.bytes().await?)
    }

    /// Writes bytes to the final key of the task's video.
    pub(crate) async fn put(&self, bytes: &bytes::Bytes) -> anyhow::Result<ObjectMeta> {
        let key = self.video_key();
        self.archive.store.put(&key, bytes.clone().into()).await?;
        Ok(self.archive.store.head(&key).await?)
    }
}

fn task(id: &str) -> VideoTask {
    VideoTask {
        id: id.to_owned(),
        status: "succeeded".to_owned(),
        model: "seedance-1-0-pro".to_owned(),
        created_at: 1_752_850_104,
        ..VideoTask::default()
    }
}
