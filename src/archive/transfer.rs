//! Streams what is behind a URL into an object, checking as it goes, in bounded memory.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use object_store::{ObjectStoreExt, WriteMultipart, path::Path};

use super::{
    Archive, Error, Kind,
    checks::{Checked, Running, Wanted},
    source::{Next, Source, Urls},
};
use crate::download::Downloads;

/// Size of one part of a multipart upload.
const PART_SIZE: usize = 8 * 1024 * 1024;
/// Parts that may be under way while the next one fills: with it, all that a transfer holds.
const PARTS_IN_FLIGHT: usize = 2;

/// What was transferred.
#[derive(Clone, Debug)]
pub struct Transferred {
    /// What the bytes are, and what was found out about them.
    pub checked: Checked,
    /// Host that they came from.
    pub source_host: String,
    /// Bytes that came in vain.
    pub fetched_again: u64,
}

/// How far a transfer is, for whoever watches.
#[derive(Debug, Default)]
pub struct Progress {
    kind: AtomicUsize,
    done: AtomicI64,
    total: AtomicI64,
}

impl Progress {
    fn begin(&self, kind: Kind, total: Option<u64>) {
        let kind = Kind::ALL.iter().position(|it| *it == kind);
        self.kind.store(kind.unwrap_or_default(), Ordering::Relaxed);
        let total = total.and_then(|total| i64::try_from(total).ok());
        self.done.store(0, Ordering::Relaxed);
        self.total
            .store(total.unwrap_or_default(), Ordering::Relaxed);
    }

    fn add(&self, bytes: usize) {
        self.done.fetch_add(bytes as i64, Ordering::Relaxed);
    }

    /// What is under way.
    pub fn kind(&self) -> Kind {
        let kind = Kind::ALL.get(self.kind.load(Ordering::Relaxed));
        kind.copied().unwrap_or(Kind::Video)
    }

    /// Bytes done and, once known, bytes in all.
    pub fn bytes(&self) -> (i64, i64) {
        (
            self.done.load(Ordering::Relaxed),
            self.total.load(Ordering::Relaxed),
        )
    }
}

/// Streams into the object `staged`. Once `cancelled` resolves, or on any fault, the upload is
/// aborted. The upload is opened first: a store that is down must not cost a download.
pub async fn transfer<U: Urls>(
    downloads: &Downloads,
    urls: U,
    wanted: Wanted<'_>,
    archive: &Archive,
    staged: &Path,
    progress: &Progress,
    cancelled: impl Future<Output = ()>,
) -> Result<Transferred, U::Error> {
    tokio::pin!(cancelled);
    let mut upload = open(archive, staged).await?;
    let mut source = tokio::select! {
        source = Source::open(downloads, urls) => match source {
            Ok(source) => source,
            Err(error) => {
                abort(upload, staged).await;
                return Err(error);
            }
        },
        () = &mut cancelled => {
            abort(upload, staged).await;
            return Err(Error::Cancelled.into());
        }
    };
    loop {
        let copied = tokio::select! {
            copied = copy(&mut source, wanted, &mut upload, progress) => copied,
            () = &mut cancelled => Err(Error::Cancelled.into()),
        };
        match copied {
            Ok(Some(checked)) => {
                upload.finish().await.map_err(Error::from)?;
                return Ok(Transferred {
                    checked,
                    source_host: source.host(),
                    fetched_again: source.fetched_again(),
                });
            }
            Ok(None) => {
                abort(upload, staged).await;
                upload = open(archive, staged).await?;
            }
            Err(error) => {
                abort(upload, staged).await;
                return Err(error);
            }
        }
    }
}

async fn open(archive: &Archive, staged: &Path) -> Result<WriteMultipart, Error> {
    let upload = archive.store.put_multipart(staged).await?;
    Ok(WriteMultipart::new_with_chunk_size(upload, PART_SIZE))
}

/// What matters is why it is aborted.
async fn abort(upload: WriteMultipart, staged: &Path) {
    if let Err(fault) = upload.abort().await {
        tracing::warn!(%fault, %staged, "could not abort an upload");
    }
}

/// Copies to the end. `None`: the source begins again.
async fn copy<U: Urls>(
    source: &mut Source<'_, U>,
    wanted: Wanted<'_>,
    upload: &mut WriteMultipart,
    progress: &Progress,
) -> Result<Option<Checked>, U::Error> {
    let mut checks = Running::new(wanted, source.length());
    progress.begin(wanted.kind, source.length());
    loop {
        match source.next().await? {
            Next::Bytes(bytes) => {
                checks.update(&bytes)?;
                progress.add(bytes.len());
                upload
                    .wait_for_capacity(PARTS_IN_FLIGHT)
                    .await
                    .map_err(Error::from)?;
                upload.put(bytes);
            }
            Next::StartOver => return Ok(None),
            Next::End => {
                let checked = checks.finish(source.length(), source.headers())?;
                return Ok(Some(checked));
            }
        }
    }
}
