//! Links from a local page to the objects of an archive: relative paths, or presigned URLs.

use std::{
    collections::HashMap,
    path::{Path as FilePath, PathBuf},
    time::Duration,
};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use object_store::{path::Path, signer::Signer};
use reqwest::{Method, Url};

use crate::Archive;

/// Links that are signed in one call. With some credentials each call is a request.
const BATCH: usize = 100;
/// Calls in progress at a time.
const CONCURRENCY: usize = 8;

/// Why there are no links.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The store cannot presign URLs.
    #[error("cannot sign links to {archive_url}: {source}")]
    Unsigned {
        /// URL of the archive.
        archive_url: String,
        /// The error of the store.
        source: object_store::Error,
    },
    /// A folder is not readable, or its path has no URL.
    #[error("cannot link from or to {}: {source}", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
}

/// Links to the objects of an archive.
pub enum Links {
    /// Relative paths, to an archive in the file system.
    Relative {
        /// Folder of the page.
        from: Url,
        /// Folder of the archive.
        to: Url,
    },
    /// Presigned URLs, to a private bucket. Each is a secret until it expires.
    Signed {
        /// The URL of each object.
        urls: HashMap<Path, Url>,
        /// When the URLs expire.
        until: Timestamp,
    },
}

impl Links {
    /// Returns the links to the objects `keys`, from a page in `folder`. Presigned URLs expire after
    /// `expires`.
    ///
    /// # Errors
    ///
    /// If the store cannot presign URLs, or a folder cannot be read.
    pub async fn new(
        archive: &Archive,
        folder: &FilePath,
        expires: Duration,
        keys: Vec<Path>,
    ) -> Result<Self, LinkError> {
        if let Some(root) = archive.directory() {
            return Self::relative(folder, &root);
        }
        let failed = |source| LinkError::Unsigned {
            archive_url: archive.url().to_string(),
            source,
        };
        let signer = archive.url_signer().map_err(failed)?;
        // Taken before the first URL is signed, so that none expires earlier.
        let until = Timestamp::now() + expires;
        let urls = sign(signer, keys, expires).await.map_err(failed)?;
        Ok(Self::Signed { urls, until })
    }

    fn relative(folder: &FilePath, archive: &FilePath) -> Result<Self, LinkError> {
        let directory = |path: &FilePath| {
            path.canonicalize().and_then(|path| {
                Url::from_directory_path(path)
                    .map_err(|()| std::io::Error::other("the path cannot be written as a URL"))
            })
        };
        let at = |path: &FilePath| {
            directory(path).map_err(|source| LinkError::Folder {
                path: path.to_owned(),
                source,
            })
        };
        Ok(Self::Relative {
            from: at(folder)?,
            to: at(archive)?,
        })
    }

    /// Returns the link to an object.
    pub fn to(&self, key: &Path) -> String {
        match self {
            Self::Relative { from, to } => relative(from, to, key),
            Self::Signed { urls, .. } => urls.get(key).map(Url::to_string).unwrap_or_default(),
        }
    }

    /// Returns when the links expire. `None`: never.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Relative { .. } => None,
            Self::Signed { until, .. } => Some(*until),
        }
    }

    /// Returns whether the links were signed with temporary credentials. S3 rejects them when the session
    /// of the credentials ends.
    pub fn may_expire_sooner(&self) -> bool {
        let Self::Signed { urls, .. } = self else {
            return false;
        };
        let is_temporary = |url: &Url| {
            url.query_pairs()
                .any(|(name, _)| name == "X-Amz-Security-Token")
        };
        urls.values().next().is_some_and(is_temporary)
    }

    /// Returns the origins of the objects, as a source list of a content security policy.
    pub fn sources(&self) -> String {
        match self {
            Self::Relative { .. } => "'self' file:".to_owned(),
            Self::Signed { urls, .. } => {
                let origin = |url: &Url| url.origin().ascii_serialization();
                urls.values().next().map(origin).unwrap_or_default()
            }
        }
    }
}

/// Returns the relative link to a file, whose name is its key, `%` included.
fn relative(from: &Url, archive: &Url, key: &Path) -> String {
    let mut url = archive.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(key.as_ref().split('/'));
    }
    let link = from.make_relative(&url).unwrap_or_default();
    // Without `./`, a colon in the first folder name would be read as a scheme.
    format!("./{link}")
}

async fn sign(
    signer: &dyn Signer,
    keys: Vec<Path>,
    expires: Duration,
) -> object_store::Result<HashMap<Path, Url>> {
    let batches: Vec<Vec<Path>> = keys.chunks(BATCH).map(<[Path]>::to_vec).collect();
    stream::iter(batches)
        .map(|batch| async move {
            let urls = signer.signed_urls(Method::GET, &batch, expires).await?;
            Ok(batch.into_iter().zip(urls).collect::<Vec<_>>())
        })
        .buffer_unordered(CONCURRENCY)
        .try_concat()
        .await
        .map(HashMap::from_iter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(folder: &str, archive: &str, key: &str) -> String {
        let directory = |path: &str| Url::from_directory_path(path).unwrap();
        relative(
            &directory(folder),
            &directory(archive),
            &Path::parse(key).unwrap(),
        )
    }

    #[test]
    fn relative_links_lead_from_the_page_to_the_file() {
        for (folder, archive, expected) in [
            ("/srv/archive", "/srv/archive", "./a/cgt-1/video.mp4"),
            (
                "/srv/archive/page",
                "/srv/archive",
                "./../a/cgt-1/video.mp4",
            ),
            (
                "/srv/archive/a/page",
                "/srv/archive",
                "./../cgt-1/video.mp4",
            ),
            (
                "/srv/page",
                "/srv/archive",
                "./../archive/a/cgt-1/video.mp4",
            ),
            ("/srv", "/srv/archive", "./archive/a/cgt-1/video.mp4"),
            (
                "/home/me/page",
                "/srv/archive",
                "./../../../srv/archive/a/cgt-1/video.mp4",
            ),
            ("/", "/", "./a/cgt-1/video.mp4"),
        ] {
            assert_eq!(link(folder, archive, "a/cgt-1/video.mp4"), expected);
        }
    }

    #[test]
    fn reserved_characters_are_escaped() {
        assert_eq!(
            link("/srv", "/srv", "a%2Fb/50% off?/#1/c d.mp4"),
            "./a%252Fb/50%25%20off%3F/%231/c%20d.mp4"
        );
        assert_eq!(link("/srv", "/srv", "a:b/\"é.mp4"), "./a:b/%22%C3%A9.mp4");
        assert_eq!(
            link("/srv/new page", "/srv/old #1", "a/b"),
            "./../old%20%231/a/b"
        );
    }

    #[test]
    fn a_relative_link_resolves_to_the_file() {
        let key = "a%2Fb/50% off?/#1/c:d é\".mp4";
        for folder in ["/srv/page", "/srv/arch%ive", "/srv/arch%ive/a%2Fb/50% off?"] {
            let base = Url::from_file_path(format!("{folder}/index.html")).unwrap();
            let read = base.join(&link(folder, "/srv/arch%ive", key)).unwrap();
            assert_eq!(
                read.to_file_path().unwrap(),
                FilePath::new("/srv/arch%ive").join(key)
            );
        }
    }

    fn signed(url: &str) -> Links {
        Links::Signed {
            urls: HashMap::from([(Path::from("a"), url.parse().unwrap())]),
            until: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn links_of_temporary_credentials_may_expire_sooner() {
        let key = "https://b.s3.example/a?X-Amz-Expires=9&X-Amz-Signature=s";
        assert!(!signed(key).may_expire_sooner());
        assert!(signed(&format!("{key}&X-Amz-Security-Token=t")).may_expire_sooner());
    }

    #[test]
    fn the_only_source_is_the_origin_of_the_bucket() {
        let links = signed("https://b.s3.example:9000/a?X-Amz-Signature=s;%20*");
        assert_eq!(links.sources(), "https://b.s3.example:9000");
    }
}
