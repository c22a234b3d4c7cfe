//! The archive as a page: one file with every video, to look at in a browser.
//!
//! - [`make`]: from the archive to the page.
//! - `collect`: the videos, from their receipts and records.
//! - `page`: the page itself.

mod collect;
mod page;

use std::{
    fs::Permissions,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;

use crate::archive::{
    self, Archive,
    links::{LinkError, Links},
};

pub use collect::Unreadable;
use collect::{Collected, Video, collect};

/// Longest lifetime of signed links, as S3 and Google Cloud have it.
pub const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// File name of the page.
const PAGE: &str = "index.html";

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive cannot be read.
    #[error("the archive cannot be read: {0}")]
    Archive(#[from] archive::Error),
    /// The page cannot link to the videos.
    #[error(transparent)]
    Links(#[from] LinkError),
    /// There are receipts, and not one that can be read: the page that is there is better.
    #[error("none of {count} receipts can be read; the first: {first}")]
    NothingReadable {
        /// How many.
        count: usize,
        /// One of them, with what is wrong.
        first: Unreadable,
    },
    /// The page cannot be written.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// The file or its folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// A page that was made.
#[derive(Clone, Debug)]
pub struct Gallery {
    /// The page.
    pub page: PathBuf,
    /// Videos in it.
    pub videos: usize,
    /// Bytes of their files.
    pub bytes: u64,
    /// Until when its links work. `None`: they do not end.
    pub links_until: Option<Timestamp>,
    /// Whether they end with the session that signed them, where that is sooner.
    pub links_may_end_sooner: bool,
    /// Receipts that are not in it.
    pub unreadable: Vec<Unreadable>,
}

/// Makes the page of an archive in the folder `out`, with the videos whose receipts were written since
/// then. Links to a bucket are signed for `expires`, at most
/// [`LONGEST`]. `progress` is told how many receipts are read.
pub async fn make(
    archive: &Archive,
    out: &Path,
    since: Option<SystemTime>,
    expires: Duration,
    progress: impl Fn(usize),
) -> Result<Gallery, Error> {
    let expires = expires.min(LONGEST);
    let folder = create_folder(out)?;
    let collected = collect(archive, since, progress).await?;
    collected.check()?;
    let keys = collected.videos.iter().flat_map(Video::keys).collect();
    let links = Links::new(archive, &folder, expires, keys).await?;
    let page = page::html(archive, &collected, &links);
    let path = folder.join(PAGE);
    write(&path, &page, links.until().is_some()).map_err(|source| Error::Write {
        path: path.clone(),
        source,
    })?;
    Ok(Gallery {
        page: path,
        videos: collected.videos.len(),
        bytes: collected.bytes(),
        links_until: links.until(),
        links_may_end_sooner: links.may_expire_sooner(),
        unreadable: collected.unreadable,
    })
}

impl Collected {
    fn check(&self) -> Result<(), Error> {
        match self.unreadable.first() {
            Some(first) if self.videos.is_empty() => Err(Error::NothingReadable {
                count: self.unreadable.len(),
                first: first.clone(),
            }),
            _ => Ok(()),
        }
    }
}

/// The folder as the file system knows it: links are counted from there.
fn create_folder(out: &Path) -> Result<PathBuf, Error> {
    std::fs::create_dir_all(out)
        .and_then(|()| out.canonicalize())
        .map_err(|source| Error::Write {
            path: out.to_owned(),
            source,
        })
}

/// Writes the page in one step, so that nobody ever sees half of it. One with signed links is for its
/// owner's eyes, unless they decide otherwise.
fn write(path: &Path, page: &str, is_private: bool) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mode = if is_private { 0o600 } else { 0o666 };
    let mut file = tempfile::Builder::new()
        .prefix(".gallery-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder)?;
    file.write_all(page.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
