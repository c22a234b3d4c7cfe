//! Opens an archive from its URL.

use std::{
    path::{Component, PathBuf},
    sync::Arc,
};

use object_store::{
    ClientConfigKey, ObjectStore,
    aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, S3CopyIfNotExists},
    local::LocalFileSystem,
    path::Path,
};
use reqwest::Url;

/// A store and a place in it.
#[derive(Clone, Debug)]
pub struct Archive {
    url: Url,
    /// The store.
    pub store: Arc<dyn ObjectStore>,
    /// What every key begins with.
    pub root: Path,
}

/// Why an archive cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum CannotOpenArchive {
    /// The URL's scheme is not one that can be archived to.
    #[error("`{0}` is not an archive URL: give `s3://bucket/prefix` or `file:///path`")]
    Unsupported(String),
    /// The directory cannot be made.
    #[error("cannot create {path}: {source}")]
    Directory {
        /// The directory.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The store's own configuration is wrong.
    #[error("cannot open the store of `{url}`: {source}")]
    Store {
        /// The archive URL.
        url: String,
        /// What the store says.
        source: object_store::Error,
    },
}

impl Archive {
    /// Opens `s3://bucket/prefix`, configured by the `AWS_…` environment, or `file:///path`.
    pub fn open(url: &Url) -> Result<Self, CannotOpenArchive> {
        let failed = |source| CannotOpenArchive::Store {
            url: url.to_string(),
            source,
        };
        let (store, root): (Arc<dyn ObjectStore>, _) = match url.scheme() {
            "file" => (Arc::new(open_directory(url)?), Path::default()),
            "s3" => {
                let store = open_bucket(url).map_err(failed)?;
                let prefix =
                    Path::from_url_path(url.path()).map_err(|source| failed(source.into()))?;
                (Arc::new(store), prefix)
            }
            _ => return Err(CannotOpenArchive::Unsupported(url.to_string())),
        };
        Ok(Self {
            url: url.clone(),
            store,
            root,
        })
    }

    /// The archive that a request means: this one, or the one it names. A local path must lie inside
    /// a local archive, so that a caller cannot write anywhere on the worker's disk.
    pub fn at(&self, destination: &str) -> Result<Self, CannotOpenArchive> {
        if destination.is_empty() {
            return Ok(self.clone());
        }
        let refused = || CannotOpenArchive::Unsupported(destination.to_owned());
        let url = Url::parse(destination).map_err(|_| refused())?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused());
        }
        if url.scheme() == "file" && !self.contains(&url) {
            return Err(refused());
        }
        Self::open(&url)
    }

    /// URL of an object.
    pub fn url_of(&self, key: &Path) -> String {
        let prefix = format!("{}/", self.root);
        let key = key.as_ref().strip_prefix(&prefix).unwrap_or(key.as_ref());
        format!("{}/{key}", self.url.as_str().trim_end_matches('/'))
    }

    /// Where a local archive is.
    pub(super) fn directory(&self) -> Option<PathBuf> {
        let is_local = self.url.scheme() == "file";
        self.url.to_file_path().ok().filter(|_| is_local)
    }

    /// Compares paths, not URLs: `%2F` in a URL is a slash in its path.
    fn contains(&self, url: &Url) -> bool {
        let (Ok(own), Ok(path)) = (self.url.to_file_path(), url.to_file_path()) else {
            return false;
        };
        let goes_up = path.components().any(|part| part == Component::ParentDir);
        path.starts_with(own) && !goes_up
    }
}

/// Longest time for one request: the copy of a large object takes the store longer than usual.
const S3_TIMEOUT: &str = "300 seconds";

fn open_bucket(url: &Url) -> Result<AmazonS3, object_store::Error> {
    let timeout = AmazonS3ConfigKey::Client(ClientConfigKey::Timeout);
    let mut bucket = AmazonS3Builder::from_env()
        .with_url(url.as_str())
        .with_copy_if_not_exists(S3CopyIfNotExists::Multipart);
    if bucket.get_config_value(&timeout).is_none() {
        bucket = bucket.with_config(timeout, S3_TIMEOUT);
    }
    bucket.build()
}

/// Writes are flushed to disk before they count as done: a receipt must not outlive its video.
fn open_directory(url: &Url) -> Result<LocalFileSystem, CannotOpenArchive> {
    let path = url
        .to_file_path()
        .map_err(|()| CannotOpenArchive::Unsupported(url.to_string()))?;
    std::fs::create_dir_all(&path).map_err(|source| CannotOpenArchive::Directory {
        path: path.display().to_string(),
        source,
    })?;
    LocalFileSystem::new_with_prefix(path)
        .map(|store| store.with_fsync(true).with_automatic_cleanup(true))
        .map_err(|source| CannotOpenArchive::Store {
            url: url.to_string(),
            source,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local() -> (tempfile::TempDir, Archive) {
        let directory = tempfile::tempdir().unwrap();
        let url = Url::from_directory_path(directory.path()).unwrap();
        let archive = Archive::open(&url).unwrap();
        (directory, archive)
    }

    #[test]
    fn names_objects_by_the_url_that_a_person_would_use() {
        let (directory, archive) = local();
        let url = archive.url_of(&Path::from("default/video.mp4"));
        assert_eq!(
            url,
            format!("file://{}/default/video.mp4", directory.path().display())
        );

        let s3 = Archive {
            url: "s3://bucket/team/".parse().unwrap(),
            root: Path::from("team"),
            store: archive.store,
        };
        assert_eq!(
            s3.url_of(&Path::from("team/a/video.mp4")),
            "s3://bucket/team/a/video.mp4"
        );
    }

    #[test]
    fn a_destination_stays_inside_the_local_archive() {
        let (directory, archive) = local();
        let at = |destination: &str| archive.at(destination).map(|archive| archive.url);
        assert_eq!(at("").unwrap(), archive.url);
        let inside = format!("file://{}/team", directory.path().display());
        assert_eq!(at(&inside).unwrap().as_str(), inside);
        let parent = directory.path().parent().unwrap().display();
        for outside in [
            format!("file://{parent}"),
            format!("file://{}/../other", directory.path().display()),
            format!("file://{}-sibling", directory.path().display()),
            format!("{inside}%2F..%2F..%2Felsewhere"),
            format!("{inside}?version=1"),
            "/srv/videos".to_owned(),
            "ftp://host/videos".to_owned(),
        ] {
            assert!(at(&outside).is_err(), "{outside}");
        }
    }
}
