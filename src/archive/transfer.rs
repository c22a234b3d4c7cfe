//! Streams a video URL into an object, digesting and checking as it goes, in bounded memory.

use std::sync::atomic::{AtomicI64, Ordering};

use object_store::{ObjectStoreExt, WriteMultipart, path::Path};
use reqwest::{Response, StatusCode, header::CONTENT_TYPE};
use sha2::{Digest, Sha256};

use super::{Archive, Error};
use crate::{http, seedance::SecretUrl};

/// Size of one part of a multipart upload.
const PART_SIZE: usize = 8 * 1024 * 1024;
/// Parts that may be under way while the next one fills: with it, all that a transfer holds.
const PARTS_IN_FLIGHT: usize = 2;

/// What was transferred.
#[derive(Clone, Debug, PartialEq)]
pub struct Transferred {
    /// Size in bytes.
    pub size: i64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
}

/// How far a transfer is, for whoever watches.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicI64,
    total: AtomicI64,
}

impl Progress {
    fn begin(&self, total: i64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// Bytes done and, once known, bytes in all.
    pub fn bytes(&self) -> (i64, i64) {
        (
            self.done.load(Ordering::Relaxed),
            self.total.load(Ordering::Relaxed),
        )
    }
}

/// Streams `url` into the object `staged`. Once `cancelled` resolves, or on any fault, the upload is
/// aborted. The upload is opened first: a store that is down must not cost a download.
pub async fn transfer(
    http: &reqwest::Client,
    url: &SecretUrl,
    archive: &Archive,
    staged: &Path,
    progress: &Progress,
    cancelled: impl Future<Output = ()>,
) -> Result<Transferred, Error> {
    let upload = archive.store.put_multipart(staged).await?;
    let mut upload = WriteMultipart::new_with_chunk_size(upload, PART_SIZE);
    let fetched = tokio::select! {
        fetched = fetch(http, url, &mut upload, progress) => fetched,
        () = cancelled => Err(Error::Cancelled),
    };
    match fetched {
        Ok(transferred) => {
            upload.finish().await?;
            Ok(transferred)
        }
        Err(error) => {
            // What matters is the first fault.
            if let Err(fault) = upload.abort().await {
                tracing::warn!(%fault, %staged, "could not abort an upload");
            }
            Err(error)
        }
    }
}

async fn fetch(
    http: &reqwest::Client,
    url: &SecretUrl,
    upload: &mut WriteMultipart,
    progress: &Progress,
) -> Result<Transferred, Error> {
    let response = open(http, url).await?;
    let length = response.content_length().map(|length| length as i64);
    progress.begin(length.unwrap_or_default());
    let transferred = copy(response, upload, progress).await?;
    check_length(transferred, length)
}

async fn open(http: &reqwest::Client, url: &SecretUrl) -> Result<Response, Error> {
    let response = http
        .get(url.expose())
        .send()
        .await
        .map_err(|error| Error::Source(http::describe(error)))?;
    match response.status() {
        StatusCode::OK => Ok(response),
        status @ (StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::NOT_FOUND
        | StatusCode::GONE) => Err(Error::UrlRefused(status.as_u16())),
        status => Err(Error::Source(format!("HTTP {}", status.as_u16()))),
    }
}

async fn copy(
    mut response: Response,
    upload: &mut WriteMultipart,
    progress: &Progress,
) -> Result<Transferred, Error> {
    let content_type = response.headers().get(CONTENT_TYPE).cloned();
    let mut digest = Sha256::new();
    let mut size = 0;
    let mut beginning = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| Error::Source(http::describe(error)))?
    {
        if beginning.len() < MP4_SIGNATURE_END {
            beginning.extend(chunk.iter().take(MP4_SIGNATURE_END - beginning.len()));
        }
        digest.update(&chunk);
        size += chunk.len() as i64;
        upload.wait_for_capacity(PARTS_IN_FLIGHT).await?;
        upload.put(chunk);
        progress.done.store(size, Ordering::Relaxed);
    }
    if !is_mp4(&beginning) {
        let kind = content_type
            .as_ref()
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or("nothing");
        return Err(Error::Corrupt(format!(
            "{size} bytes of {kind} that do not begin as an MP4"
        )));
    }
    Ok(Transferred {
        size,
        sha256: hex::encode(digest.finalize()),
    })
}

const MP4_SIGNATURE_END: usize = 8;

/// Every MP4 begins with a box `ftyp`. Content type and status are not to be trusted: a JSON error
/// has been served as `200 video/mp4`.
fn is_mp4(beginning: &[u8]) -> bool {
    beginning.get(4..MP4_SIGNATURE_END) == Some(b"ftyp")
}

fn check_length(transferred: Transferred, length: Option<i64>) -> Result<Transferred, Error> {
    match length {
        Some(length) if length != transferred.size => Err(Error::Corrupt(format!(
            "{} bytes came where {length} were announced",
            transferred.size
        ))),
        _ => Ok(transferred),
    }
}
