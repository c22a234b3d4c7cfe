//! Deposits of one task's video, each as if by a process of its own.

use std::{fmt, sync::Arc};

use futures::TryStreamExt;
use object_store::{ObjectStore, path::Path};
use seedance_archiver_archive::{
    Archive, Buffers, Deposit, KeyTemplate, Keys, Layout, Place, Progress, Transfers,
    checks::Mismatch,
    fetch::{Downloads, UrlHosts},
};
use seedance_archiver_proto::v1::{Manifest, VideoTask};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{dying::Dying, host::Host, memory::Memory, origin::OneUrl, video::video};

/// With parts of this size, the video has a few.
const PART: usize = 64 * 1024;
const FOLDER: &str = "default/2025/07/18/cgt-1";

pub(crate) struct World {
    pub(crate) memory: Arc<Memory>,
    pub(crate) host: Host,
    task: VideoTask,
    transfers: Transfers,
}

/// Client and memory of all deposits of a test: the client takes longer to make than a deposit.
pub(crate) fn transfers() -> Transfers {
    let hosts = UrlHosts::parse(&["http://127.0.0.1"]).unwrap();
    Transfers {
        downloads: Downloads::new(hosts).unwrap(),
        buffers: Buffers::new(40, PART),
    }
}

/// How a deposit ended.
pub(crate) enum End {
    Archived(Box<Manifest>),
    Failed(String),
    Died,
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archived(_) => f.write_str("archived"),
            Self::Failed(fault) => write!(f, "failed: {fault}"),
            Self::Died => f.write_str("died"),
        }
    }
}

impl World {
    pub(crate) async fn new(creates_only: bool, transfers: &Transfers) -> Self {
        let host = Host::of(video(4 * PART as u32 + 1000)).await;
        Self {
            memory: Arc::new(Memory::new(creates_only)),
            host,
            transfers: transfers.clone(),
            task: VideoTask {
                id: "cgt-1".into(),
                status: "succeeded".into(),
                created_at: 1_752_850_104,
                ..VideoTask::default()
            },
        }
    }

    /// A process that knows of no other.
    pub(crate) fn fresh() -> Progress {
        Progress::default()
    }

    /// A process that knows what another had told last.
    pub(crate) fn heartbeat(before: &Progress) -> Progress {
        let heartbeat = serde_json::to_string(&before.place()).unwrap();
        let place: Place = serde_json::from_str(&heartbeat).unwrap();
        Progress::from(place)
    }

    pub(crate) async fn deposit(&self, store: Arc<Dying>, progress: &Progress) -> End {
        let url = "memory:///".parse().unwrap();
        let mut archive = Archive::of(url, store.clone());
        if self.memory.creates_only {
            archive = archive.completing_create_only();
        }
        let layout = Layout::new(
            &Path::default(),
            &KeyTemplate::default(),
            "default",
            &self.task,
        );
        let attempt = fastrand::u64(..).to_string();
        let deposit = Deposit {
            archive: &archive,
            keys: Keys {
                layout: &layout,
                attempt: &attempt,
            },
            task: &self.task,
            mismatch: Mismatch::Warn,
            attempt: 1,
            transfers: &self.transfers,
            progress,
        };
        let manifest = Manifest {
            task_id: self.task.id.clone(),
            ..Manifest::default()
        };
        let origin = OneUrl {
            url: self.host.url.clone(),
            record: json!({ "id": self.task.id, "status": self.task.status }),
        };
        tokio::select! {
            made = deposit.make(&origin, manifest) => match made {
                Ok(manifest) => End::Archived(Box::new(manifest)),
                Err(error) => End::Failed(error.to_string()),
            },
            () = store.died() => End::Died,
        }
    }

    /// Final keys hold the served bytes, and a receipt names only what is there.
    pub(crate) async fn is_sound(&self) {
        let keys = self.keys().await;
        if keys.contains(&format!("{FOLDER}/video.mp4")) {
            let video = self.read("video.mp4").await;
            assert_eq!(video, self.host.video(), "a final key without its bytes");
        }
        if keys.contains(&format!("{FOLDER}/manifest.json")) {
            self.holds_what_it_names().await;
        }
    }

    /// One archive, and nothing left behind but what no process could know of.
    pub(crate) async fn holds_one_archive(&self, at: &str) {
        self.holds_what_is_served(at).await;
        let staged = self.keys().await.len() - 3;
        let uploads = self.memory.open_uploads();
        assert!(
            staged + uploads <= 1,
            "{at}: {staged} staged, {uploads} open"
        );
    }

    pub(crate) async fn holds_what_is_served(&self, at: &str) {
        let mut keys = self.keys().await;
        keys.retain(|key| !key.starts_with(".staging/"));
        let expected = ["manifest.json", "task.json", "video.mp4"];
        assert_eq!(
            keys,
            expected.map(|name| format!("{FOLDER}/{name}")),
            "{at}"
        );
        assert_eq!(self.read("video.mp4").await, self.host.video(), "{at}");
        self.holds_what_it_names().await;
    }

    async fn holds_what_it_names(&self) {
        let manifest: Manifest = serde_json::from_slice(&self.read("manifest.json").await).unwrap();
        assert_eq!(manifest.objects.len(), 2, "{manifest:?}");
        for object in manifest.objects {
            let bytes = self.read(&object.name).await;
            assert_eq!(object.size_bytes, bytes.len() as i64, "{object:?}");
            assert_eq!(
                object.sha256,
                hex::encode(Sha256::digest(&bytes)),
                "{object:?}"
            );
        }
    }

    async fn read(&self, name: &str) -> Vec<u8> {
        self.memory
            .bytes(&Path::from(format!("{FOLDER}/{name}")))
            .await
    }

    async fn keys(&self) -> Vec<String> {
        let objects = self.memory.objects.list(None);
        let mut keys: Vec<_> = objects
            .map_ok(|object| object.location.to_string())
            .try_collect()
            .await
            .unwrap();
        keys.sort();
        keys
    }
}
