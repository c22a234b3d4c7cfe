//! What a behaviour is tried with: an archive, and deposits of one task into it.

use std::time::SystemTime;

use anyhow::ensure;
use futures::TryStreamExt;
use object_store::{ObjectMeta, ObjectStoreExt, path::Path};
use seedance_archiver_archive::{
    Archive, Buffers, Deposit, Error, KeyTemplate, Keys, Layout, ObjectOptions, Progress,
    Transfers, audit, checks::Mismatch, fetch::Downloads,
};
use seedance_archiver_proto::v1::{Manifest, VideoTask};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{host::Host, origin::OneUrl, requests, store::Store};

/// Filling of a video that is put at once.
pub(crate) const SMALL: u32 = 1000;
/// Filling of a video of some parts.
pub(crate) const LARGE: u32 = 17_000_003;
/// Both.
pub(crate) const SIZES: [u32; 2] = [SMALL, LARGE];

pub(crate) struct World {
    pub(crate) store: Store,
    /// Where nothing else is.
    pub(crate) place: &'static str,
    pub(crate) archive: Archive,
    pub(crate) account: String,
    pub(crate) task: VideoTask,
    pub(crate) transfers: Transfers,
}

impl World {
    pub(crate) fn new(
        store: Store,
        place: &'static str,
        downloads: Downloads,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            store,
            place,
            archive: store.open(place, ObjectOptions::default())?,
            account: "default".to_owned(),
            task: task("cgt-1"),
            transfers: Transfers {
                downloads,
                buffers: Buffers::default(),
            },
        })
    }

    /// The same archive and another task.
    pub(crate) fn with_task(&mut self, id: &str) {
        self.task = task(id);
    }

    pub(crate) fn layout(&self) -> Layout {
        let template = KeyTemplate::default();
        Layout::new(&self.archive.root, &template, &self.account, &self.task)
    }

    pub(crate) fn video_key(&self) -> Path {
        self.layout().file("video.mp4")
    }

    /// What a host has, as if by a process that knows of no other.
    pub(crate) async fn deposit(&self, host: &Host) -> Result<Manifest, Error> {
        self.attempt(1, host, &Progress::default()).await
    }

    /// The same by one process of some.
    pub(crate) async fn attempt(
        &self,
        number: u32,
        host: &Host,
        progress: &Progress,
    ) -> Result<Manifest, Error> {
        let (layout, attempt) = (self.layout(), fastrand::u64(..).to_string());
        let keys = Keys {
            layout: &layout,
            attempt: &attempt,
        };
        let origin = OneUrl {
            url: host.url.clone(),
            record: self.record(),
        };
        let manifest = Manifest {
            task_id: self.task.id.clone(),
            manifest_url: self.archive.url_of(&layout.manifest()),
            ..Manifest::default()
        };
        let deposit = self.deposit_by(number, keys, progress);
        deposit.make(&origin, manifest).await
    }

    /// Nobody is to go on from there.
    pub(crate) async fn abandon(&self, progress: &Progress) {
        let layout = self.layout();
        let keys = Keys {
            layout: &layout,
            attempt: "",
        };
        self.deposit_by(1, keys, progress).abandon().await;
    }

    fn deposit_by<'a>(
        &'a self,
        attempt: u32,
        keys: Keys<'a>,
        progress: &'a Progress,
    ) -> Deposit<'a> {
        Deposit {
            archive: &self.archive,
            keys,
            task: &self.task,
            mismatch: Mismatch::Warn,
            attempt,
            transfers: &self.transfers,
            progress,
        }
    }

    fn record(&self) -> Value {
        json!({ "id": self.task.id, "status": self.task.status })
    }

    /// The task's folder holds what a host has, its record and this receipt, and nothing else. Nor is
    /// there anything left of how it came there.
    pub(crate) async fn holds(&self, manifest: &Manifest, host: &Host) -> anyhow::Result<()> {
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
        ensure!(video == host.video(), "not the bytes that were served");
        let record: Value = serde_json::from_slice(&self.read("task.json").await?)?;
        ensure!(record == self.record(), "{record}");
        self.has_nothing_left().await
    }

    /// Nothing is staged, and no upload is open.
    pub(crate) async fn has_nothing_left(&self) -> anyhow::Result<()> {
        let staged = audit::staged(&self.archive, SystemTime::now()).await?;
        ensure!(staged.objects.is_empty(), "{staged:?}");
        ensure!(staged.files.is_empty(), "{staged:?}");
        let open = requests::open_uploads(self.store, &self.video_key()).await?;
        ensure!(open == 0, "{open} uploads are open");
        Ok(())
    }

    /// File names in the task's folder.
    pub(crate) async fn names(&self) -> anyhow::Result<Vec<String>> {
        let mut folder: Vec<_> = self
            .layout()
            .task()
            .parts()
            .map(|it| it.as_ref().to_owned())
            .collect();
        folder.pop();
        let folder = Path::parse(folder.join("/"))?;
        let objects = self.archive.store.list(Some(&folder));
        let mut names: Vec<_> = objects
            .map_ok(|object| object.location.filename().unwrap_or_default().to_owned())
            .try_collect()
            .await?;
        names.sort();
        Ok(names)
    }

    /// The bytes of a file in the task's folder.
    pub(crate) async fn read(&self, name: &str) -> anyhow::Result<bytes::Bytes> {
        let object = self.archive.store.get(&self.layout().file(name)).await?;
        Ok(object.bytes().await?)
    }

    /// Puts bytes where the task's video belongs, and says what is there then.
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
