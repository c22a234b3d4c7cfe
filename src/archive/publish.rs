//! Puts a staged object under its final key, never over another.

use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, path::Path};
use seedance_archiver_proto::v1::ArchivedObject;
use sha2::{Digest, Sha256};

use super::{Archive, Error, checks::Checked};

/// Moves `staged` to `key`. Where `key` exists, left by an attempt that died before its receipt, it
/// must hold the same bytes.
pub async fn publish(
    archive: &Archive,
    staged: &Path,
    key: &Path,
    new: &Checked,
) -> Result<ArchivedObject, Error> {
    let store = archive.store.as_ref();
    match store.copy_if_not_exists(staged, key).await {
        Ok(()) => {}
        Err(object_store::Error::AlreadyExists { .. }) => {
            let archived = sha256_of(store, key).await?;
            if archived != new.sha256 {
                discard(store, staged).await;
                return Err(Error::Conflict {
                    name: key.filename().unwrap_or_default().to_owned(),
                    archived,
                    new: new.sha256.clone(),
                });
            }
        }
        Err(error) => return Err(error.into()),
    }
    discard(store, staged).await;
    let stored = store.head(key).await?;
    Ok(ArchivedObject {
        name: key.filename().unwrap_or_default().to_owned(),
        url: archive.url_of(key),
        size_bytes: new.size as i64,
        sha256: new.sha256.clone(),
        content_type: new.format.content_type.to_owned(),
        etag: stored.e_tag.unwrap_or_default(),
        version: stored.version.unwrap_or_default(),
        checks: new.checks.clone(),
    })
}

/// SHA-256 of a stored object, lower-case hex.
pub(super) async fn sha256_of(store: &dyn ObjectStore, key: &Path) -> Result<String, Error> {
    let mut digest = Sha256::new();
    let mut bytes = store.get(key).await?.into_stream();
    while let Some(chunk) = bytes.try_next().await? {
        digest.update(&chunk);
    }
    Ok(hex::encode(digest.finalize()))
}

/// A staged object that stays does no harm; one that fails an archived video would.
async fn discard(store: &dyn ObjectStore, staged: &Path) {
    if let Err(error) = store.delete(staged).await {
        tracing::warn!(%error, %staged, "could not delete a staged object");
    }
}

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use super::*;
    use crate::archive::Format;

    fn checked(bytes: &[u8]) -> Checked {
        Checked {
            format: Format {
                name: "video.mp4",
                content_type: "video/mp4",
            },
            size: bytes.len() as u64,
            sha256: hex::encode(Sha256::digest(bytes)),
            checks: Vec::new(),
        }
    }

    async fn keys(store: &dyn ObjectStore) -> Vec<String> {
        let objects: Vec<_> = store.list(None).try_collect().await.unwrap();
        objects
            .into_iter()
            .map(|object| object.location.to_string())
            .collect()
    }

    #[tokio::test]
    async fn publishes_once_and_never_over_another() {
        let directory = tempfile::tempdir().unwrap();
        let archive = Archive::open(&Url::from_directory_path(directory.path()).unwrap()).unwrap();
        let store = archive.store.as_ref();
        let (staged, key) = (
            Path::from(".staging/a/video.mp4"),
            Path::from("a/video.mp4"),
        );
        for (bytes, is_published) in [(b"one", true), (b"one", true), (b"two", false)] {
            store.put(&staged, bytes.to_vec().into()).await.unwrap();
            let published = publish(&archive, &staged, &key, &checked(bytes)).await;
            match published {
                Ok(object) => assert!(is_published && object.size_bytes == 3),
                Err(Error::Conflict { .. }) => assert!(!is_published),
                Err(error) => panic!("{error}"),
            }
            let archived = store.get(&key).await.unwrap().bytes().await.unwrap();
            assert_eq!(&archived[..], b"one");
            assert_eq!(keys(store).await, ["a/video.mp4"]);
        }
    }
}
