//! The gallery: a single HTML file that shows every video of an archive.
//!
//! - [`create`]: creates the page.
//! - `collect`: reads the receipts and prompts of the videos.
//! - `page`: renders the HTML.

mod collect;
mod page;

use std::{
    fs::Permissions,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;

use crate::archive::{
    self, Archive,
    links::{LinkError, Links},
};

pub use collect::UnreadableReceipt;
use collect::{Collected, Video, collect};

/// Maximum lifetime of signed links that S3 and Google Cloud Storage allow.
pub const MAX_LINK_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// File name of the page.
const PAGE: &str = "index.html";

/// Why no page could be created. An existing page is kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive could not be read.
    #[error("cannot read the archive: {0}")]
    Archive(#[from] archive::Error),
    /// The links to the videos could not be created.
    #[error(transparent)]
    Links(#[from] LinkError),
    /// The archive has receipts, and none of them could be read.
    #[error("cannot read any of {count} receipts; the first one: {first}")]
    NoReadableReceipt {
        /// Number of receipts.
        count: usize,
        /// One of the receipts.
        first: UnreadableReceipt,
    },
    /// The page could not be written.
    #[error("cannot write `{}`: {source}", .path.display())]
    Write {
        /// The page or its directory.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// A page that was created.
#[derive(Clone, Debug)]
pub struct Gallery {
    /// Path of the page.
    pub page: PathBuf,
    /// Number of videos.
    pub videos: usize,
    /// Total size of the videos' files.
    pub bytes: u64,
    /// When the links expire. `None` if never.
    pub links_expire_at: Option<Timestamp>,
    /// Whether the links expire earlier if the session that signed them ends.
    pub links_may_expire_sooner: bool,
    /// Receipts that could not be read. The page omits them.
    pub unreadable: Vec<UnreadableReceipt>,
}

/// Creates the page of an archive in the directory `out`, with the videos whose receipts were written
/// after `since`. Links to a bucket are signed for `link_lifetime`, at most [`MAX_LINK_LIFETIME`]. Calls
/// `on_read` with the number of receipts read so far.
///
/// # Errors
///
/// Returns an error if the archive cannot be read, no receipt can be read, the links cannot be signed, or the
/// page cannot be written.
pub async fn create(
    archive: &Archive,
    out: &Path,
    since: Option<SystemTime>,
    link_lifetime: Duration,
    on_read: impl Fn(usize),
) -> Result<Gallery, Error> {
    let link_lifetime = link_lifetime.min(MAX_LINK_LIFETIME);
    let directory = create_directory(out)?;
    let collected = collect(archive, since, on_read).await?;
    check_readable(&collected)?;
    let keys = collected.videos.iter().flat_map(Video::keys).collect();
    let links = Links::new(archive, &directory, link_lifetime, keys).await?;
    let html = page::html(archive, &collected, &links);
    let path = directory.join(PAGE);
    write(&path, &html, links.expires_at().is_some()).map_err(|source| Error::Write {
        path: path.clone(),
        source,
    })?;
    Ok(Gallery {
        page: path,
        videos: collected.videos.len(),
        bytes: collected.bytes(),
        links_expire_at: links.expires_at(),
        links_may_expire_sooner: links.uses_session_credentials(),
        unreadable: collected.unreadable,
    })
}

/// An empty page must not replace an existing one because no receipt can be read.
fn check_readable(collected: &Collected) -> Result<(), Error> {
    match collected.unreadable.first() {
        Some(first) if collected.videos.is_empty() => Err(Error::NoReadableReceipt {
            count: collected.unreadable.len(),
            first: first.clone(),
        }),
        _ => Ok(()),
    }
}

/// Creates the directory and returns its canonical path, which relative links start from.
fn create_directory(out: &Path) -> Result<PathBuf, Error> {
    std::fs::create_dir_all(out)
        .and_then(|()| out.canonicalize())
        .map_err(|source| Error::Write {
            path: out.to_owned(),
            source,
        })
}

/// Writes the page atomically. A page with signed links can be read only by its owner.
fn write(path: &Path, html: &str, has_signed_links: bool) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mode = if has_signed_links { 0o600 } else { 0o666 };
    let mut file = tempfile::Builder::new()
        .prefix(".gallery-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(directory)?;
    file.write_all(html.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
