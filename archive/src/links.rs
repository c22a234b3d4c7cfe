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
use seedance_archiver_clock::Clock;

use crate::{Archive, StoreError};

/// URLs per signing call. With some credentials, each call sends a request.
const BATCH_SIZE: usize = 100;
/// Maximum number of concurrent signing calls.
const CONCURRENCY: usize = 8;

/// The reason why links cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The store cannot presign URLs.
    #[error("cannot presign URLs for {archive_url}: {source}")]
    Presign {
        /// URL of the archive.
        archive_url: String,
        /// The error of the store.
        source: StoreError,
    },
    /// The directory of the page or of the archive is not readable, or its path has no URL.
    #[error("cannot create links between files in directory `{}`: {source}", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
}

/// Links to the objects of an archive.
pub enum Links {
    /// Relative paths to a local archive.
    Relative {
        /// Directory of the page.
        page: Url,
        /// Directory of the archive.
        archive: Url,
    },
    /// Presigned URLs of a bucket's objects. Each URL is a secret until it expires.
    Signed {
        /// The URL of each object.
        urls: HashMap<Path, Url>,
        /// When the URLs expire.
        expires_at: Timestamp,
    },
}

impl Links {
    /// Returns the links to the objects `keys` from a page in `directory`. Presigned URLs expire after `ttl`.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot presign URLs, or a directory cannot be read.
    pub async fn new(
        archive: &Archive,
        directory: &FilePath,
        ttl: Duration,
        keys: Vec<Path>,
    ) -> Result<Self, LinkError> {
        if let Some(root) = archive.directory() {
            return Self::relative(directory, &root);
        }
        let failed = |source: object_store::Error| LinkError::Presign {
            archive_url: archive.url().to_string(),
            source: source.into(),
        };
        let signer = archive.url_signer().map_err(failed)?;
        // Computed before the first URL is signed, so that no URL expires earlier.
        let expires_at = Timestamp::try_from(Clock::default().now()).unwrap_or_default() + ttl;
        let urls = presign(signer, keys, ttl).await.map_err(failed)?;
        Ok(Self::Signed { urls, expires_at })
    }

    fn relative(page: &FilePath, archive: &FilePath) -> Result<Self, LinkError> {
        let canonical_url = |path: &FilePath| {
            path.canonicalize().and_then(|path| {
                Url::from_directory_path(path)
                    .map_err(|()| std::io::Error::other("the path cannot be converted to a URL"))
            })
        };
        let directory_url = |path: &FilePath| {
            canonical_url(path).map_err(|source| LinkError::Directory {
                path: path.to_owned(),
                source,
            })
        };
        Ok(Self::Relative {
            page: directory_url(page)?,
            archive: directory_url(archive)?,
        })
    }

    /// Returns the link to an object.
    pub fn url(&self, key: &Path) -> String {
        match self {
            Self::Relative { page, archive } => relative(page, archive, key),
            Self::Signed { urls, .. } => urls.get(key).map(Url::to_string).unwrap_or_default(),
        }
    }

    /// Returns the time at which the links expire, or `None` if they do not expire.
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Relative { .. } => None,
            Self::Signed { expires_at, .. } => Some(*expires_at),
        }
    }

    /// Returns whether the URLs were signed with temporary credentials (S3 only). The URLs then expire at the
    /// latest when the credentials' session ends.
    pub fn uses_session_credentials(&self) -> bool {
        let Self::Signed { urls, .. } = self else {
            return false;
        };
        let has_session_token = |url: &Url| {
            url.query_pairs()
                .any(|(name, _)| name == "X-Amz-Security-Token")
        };
        urls.values().next().is_some_and(has_session_token)
    }

    /// Returns the origins of the objects, as a source list of a content security policy.
    pub fn csp_sources(&self) -> String {
        match self {
            Self::Relative { .. } => "'self' file:".to_owned(),
            Self::Signed { urls, .. } => {
                let origin = |url: &Url| url.origin().ascii_serialization();
                urls.values().next().map(origin).unwrap_or_default()
            }
        }
    }
}

/// Returns the relative link to a file. The file name is the key verbatim, so a `%` in the key is escaped again.
fn relative(page: &Url, archive: &Url, key: &Path) -> String {
    let mut url = archive.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(key.as_ref().split('/'));
    }
    let link = page.make_relative(&url).unwrap_or_default();
    // Without `./`, a colon in the first path segment would mark a scheme.
    format!("./{link}")
}

async fn presign(
    signer: &dyn Signer,
    keys: Vec<Path>,
    ttl: Duration,
) -> object_store::Result<HashMap<Path, Url>> {
    let batches: Vec<Vec<Path>> = keys.chunks(BATCH_SIZE).map(<[Path]>::to_vec).collect();
    stream::iter(batches)
        .map(|batch| async move {
            let urls = signer.signed_urls(Method::GET, &batch, ttl).await?;
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

    fn link(page: &str, archive: &str, key: &str) -> String {
        let directory = |path: &str| Url::from_directory_path(path).unwrap();
        relative(
            &directory(page),
            &directory(archive),
            &Path::parse(key).unwrap(),
        )
    }

    #[test]
    fn relative_links_lead_from_the_page_to_the_file() {
        for (page, archive, expected) in [
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
            assert_eq!(link(page, archive, "a/cgt-1/video.mp4"), expected);
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
        for page in ["/srv/page", "/srv/arch%ive", "/srv/arch%ive/a%2Fb/50% off?"] {
            let base = Url::from_file_path(format!("{page}/index.html")).unwrap();
            let resolved = base.join(&link(page, "/srv/arch%ive", key)).unwrap();
            assert_eq!(
                resolved.to_file_path().unwrap(),
                FilePath::new("/srv/arch%ive").join(key)
            );
        }
    }

    fn signed(url: &str) -> Links {
        Links::Signed {
            urls: HashMap::from([(Path::from("a"), url.parse().unwrap())]),
            expires_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_session_token_in_a_url_shows_session_credentials() {
        let url = "https://b.s3.example/a?X-Amz-Expires=9&X-Amz-Signature=s";
        assert!(!signed(url).uses_session_credentials());
        assert!(signed(&format!("{url}&X-Amz-Security-Token=t")).uses_session_credentials());
    }

    #[test]
    fn the_csp_source_is_the_origin_of_the_bucket() {
        let links = signed("https://b.s3.example:9000/a?X-Amz-Signature=s;%20*");
        assert_eq!(links.csp_sources(), "https://b.s3.example:9000");
    }
}
