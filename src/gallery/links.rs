//! How the page reaches the files of an archive: beside it in folders, or by signed URLs.

use std::{collections::HashMap, path::Path as FilePath, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use object_store::{path::Path, signer::Signer};
use reqwest::{Method, Url};

use super::{Error, collect::Video};
use crate::archive::Archive;

/// Links that are signed in one go: with some credentials, each go is a request.
const BATCH: usize = 100;
/// Goes at once.
const AT_ONCE: usize = 8;

/// Links to the files of an archive.
pub(super) enum Links {
    /// From a folder.
    Relative {
        /// The folder of the page, and the archive's.
        from: Url,
        to: Url,
    },
    /// To a private bucket. Each is a secret until it ends.
    Signed {
        urls: HashMap<Path, Url>,
        until: Timestamp,
    },
}

impl Links {
    /// Those to all files of these videos, from a page in this folder.
    pub(super) async fn new(
        archive: &Archive,
        folder: &FilePath,
        expires: Duration,
        videos: &[Video],
    ) -> Result<Self, Error> {
        if let Some(root) = archive.directory() {
            return Self::relative(folder, &root);
        }
        let failed = |source| Error::Unsigned {
            archive_url: archive.url().to_string(),
            source,
        };
        let signer = archive.links().map_err(failed)?;
        // Before the first is signed: none ends sooner than the page says.
        let until = Timestamp::now() + expires;
        let keys: Vec<Path> = videos.iter().flat_map(Video::keys).collect();
        let urls = sign(signer, keys, expires).await.map_err(failed)?;
        Ok(Self::Signed { urls, until })
    }

    fn relative(folder: &FilePath, archive: &FilePath) -> Result<Self, Error> {
        let directory = |path: &FilePath| {
            path.canonicalize().and_then(|path| {
                Url::from_directory_path(path)
                    .map_err(|()| std::io::Error::other("its path is no URL"))
            })
        };
        let at = |path: &FilePath| {
            directory(path).map_err(|source| Error::Write {
                path: path.to_owned(),
                source,
            })
        };
        Ok(Self::Relative {
            from: at(folder)?,
            to: at(archive)?,
        })
    }

    /// The link to a file.
    pub(super) fn to(&self, key: &Path) -> String {
        match self {
            Self::Relative { from, to } => relative(from, to, key),
            Self::Signed { urls, .. } => urls.get(key).map(Url::to_string).unwrap_or_default(),
        }
    }

    /// When they end, if they do.
    pub(super) fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Relative { .. } => None,
            Self::Signed { until, .. } => Some(*until),
        }
    }

    /// Whether a session has signed them: S3 ends them with it.
    pub(super) fn may_end_sooner(&self) -> bool {
        let Self::Signed { urls, .. } = self else {
            return false;
        };
        let is_temporary = |url: &Url| {
            url.query_pairs()
                .any(|(name, _)| name == "X-Amz-Security-Token")
        };
        urls.values().next().is_some_and(is_temporary)
    }

    /// Where images and videos may come from, as a content security policy has it.
    pub(super) fn sources(&self) -> String {
        match self {
            Self::Relative { .. } => "'self' file:".to_owned(),
            Self::Signed { urls, .. } => {
                let origin = |url: &Url| url.origin().ascii_serialization();
                urls.values().next().map(origin).unwrap_or_default()
            }
        }
    }
}

/// A file's name in a folder is its key as it is, `%` and all.
fn relative(from: &Url, archive: &Url, key: &Path) -> String {
    let mut url = archive.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(key.as_ref().split('/'));
    }
    let link = from.make_relative(&url).unwrap_or_default();
    // A folder's name with a colon would be read as a scheme.
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
        .buffer_unordered(AT_ONCE)
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
    fn links_lead_from_the_page_to_the_file() {
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
    fn what_means_something_in_a_url_is_escaped() {
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
    fn a_link_is_read_back_as_the_file() {
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
    fn a_session_ends_what_it_has_signed() {
        let key = "https://b.s3.example/a?X-Amz-Expires=9&X-Amz-Signature=s";
        assert!(!signed(key).may_end_sooner());
        assert!(signed(&format!("{key}&X-Amz-Security-Token=t")).may_end_sooner());
    }

    #[test]
    fn images_and_videos_come_from_the_bucket_only() {
        let links = signed("https://b.s3.example:9000/a?X-Amz-Signature=s;%20*");
        assert_eq!(links.sources(), "https://b.s3.example:9000");
    }
}
