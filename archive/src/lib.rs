//! Archives finished videos into an object store.
//!
//! The crate downloads the objects that a task of the Seedance API produced, checks the bytes while they
//! arrive, and publishes them in a bucket or a directory, with a receipt. It does not depend on Temporal,
//! accounts files or the task API: a [`TaskSource`] supplies URLs and the task's record, and the caller decides
//! when to retry.
//!
//! # Steps of an archival
//!
//! [`TaskArchival::run`] does the following, in this order:
//!
//! 1. If the archive has a receipt (`manifest.json`) of the task, returns it and downloads nothing. If it has a tombstone
//!    (`erased.json`), the archival fails with [`Error::Erased`].
//! 2. Writes the task's record (`task.json`). If the store is not writable, nothing is downloaded.
//! 3. Downloads each object that the task has (video, last frame, file), uploads it in parts and checks it in the
//!    process. [`Buffers`] bound the memory of all transfers of a process. A store that is busy receives fewer parts at
//!    once.
//! 4. Publishes each object under its final key after all checks of the object passed.
//! 5. Writes the receipt, unless the task was [erased](erasure) meanwhile.
//!
//! # Guarantees
//!
//! - **The receipt is last.** It exists if and only if everything that it names is complete. It is create-only: if
//!   two attempts finish, both return the same receipt.
//! - **No object is replaced.** An object is published by a create-only operation: a conditional put if it is no
//!   larger than a part, the conditional completion of a multipart upload on S3, a copy from `.staging/` elsewhere.
//!   If the key exists with the same bytes, the object is adopted. If the bytes differ, the archival fails with
//!   [`Error::Conflict`]. A remote store that is opened by a URL is tested first: if it could replace an object, the
//!   archival fails with [`Error::UnsafeStore`].
//! - **An archival can be interrupted at any point** and run again, by another process. The next attempt resumes from
//!   [`Progress::state`]: on S3 and Google Cloud it continues the upload, the download and the checks after the last
//!   part that the store confirmed.
//! - **URLs are not trusted.** [`fetch`] allows only `https`, the hosts of the account and public addresses, checks
//!   each redirect again, and enforces a size limit and a minimum throughput. URLs are secrets: no error or log
//!   contains one.
//! - **Checks reject errors that another download can fix**: a wrong length or digest, an error page. Bytes that look
//!   odd, such as an incomplete MP4, are archived with a warning in the receipt if a declared digest matches them, or if
//!   the same bytes arrive again. So is a complete video that does not match the task's record, unless the account
//!   [refuses](checks::Mismatch) it.
//! - **A download continues as long as the host serves the same bytes.** Where a host does not prove that with an ETag,
//!   the bytes are compared.
//!
//! # Overview
//!
//! - [`Archive`]: an object store and a key prefix, opened by a URL; [`ObjectOptions`]. [`Archive::probe`] tests it.
//! - [`Layout`], [`KeyTemplate`], [`AttemptKeys`]: the keys of objects.
//! - [`TaskArchival`], [`TaskSource`], [`UrlSource`], [`Progress`]: archiving a task.
//! - [`checks`]: checks of an object. [`fetch`]: downloads from untrusted URLs.
//! - [`receipt`]: reads and writes `manifest.json`, `task.json`, `outcome.json` and `erased.json`.
//! - [`erasure`]: deletes everything of a task, and keeps it from being archived again.
//! - [`audit`]: reads all receipts, verifies an archive, and finds what interrupted attempts left behind.
//! - [`links`]: links from a local page to objects.
//! - [`Error`]: errors, classified by how to react.
//!
//! # Example
//!
//! Archive the video at one URL:
//!
//! ```no_run
//! use secrecy::SecretString;
//! use seedance_archiver_archive::{
//!     Archive, AttemptKeys, Buffers, Error, KeyTemplate, Layout, ObjectKind, Progress, TaskArchival,
//!     TaskSource, TransferResources, UrlSource,
//!     checks::Mismatch,
//!     fetch::{UrlHosts, VideoClient},
//! };
//! use seedance_archiver_clock::Clock;
//! use seedance_archiver_proto::v1::{Manifest, VideoTask};
//! use uuid::Uuid;
//!
//! struct OneUrl(SecretString);
//!
//! impl TaskSource for OneUrl {
//!     type Error = Error;
//!
//!     fn urls(&self, _: ObjectKind) -> impl UrlSource<Error = Error> + Send {
//!         OneUrl(self.0.clone())
//!     }
//!
//!     async fn record(&self) -> String {
//!         r#"{"id": "cgt-1", "status": "succeeded"}"#.to_owned()
//!     }
//!
//!     fn skip(&self, _: ObjectKind, error: Error) -> Result<String, Error> {
//!         Err(error)
//!     }
//! }
//!
//! impl UrlSource for OneUrl {
//!     type Error = Error;
//!
//!     async fn first_url(&mut self) -> Result<SecretString, Error> {
//!         Ok(self.0.clone())
//!     }
//!
//!     async fn fresh_url(&mut self, rejected: Error) -> Result<SecretString, Error> {
//!         Err(rejected)
//!     }
//! }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let archive = Archive::open(&"s3://bucket/videos".parse()?)?;
//! let task = VideoTask { id: "cgt-1".into(), ..VideoTask::default() };
//! let layout = Layout::new(&archive.root, &KeyTemplate::default(), "default", &task);
//! let resources = TransferResources {
//!     client: VideoClient::new(UrlHosts::new(["volces.com"]))?,
//!     buffers: Buffers::default(),
//!     clock: Clock::default(),
//! };
//! let archival = TaskArchival {
//!     archive: &archive,
//!     keys: AttemptKeys { layout: &layout, attempt_id: Uuid::new_v4() },
//!     task: &task,
//!     mismatch: Mismatch::Warn,
//!     attempt: 1,
//!     resources: &resources,
//!     progress: &Progress::default(),
//! };
//! let url = SecretString::from("https://example.volces.com/video.mp4?X-Tos-Signature=…");
//! let manifest = archival.run(&OneUrl(url), Manifest::default()).await?;
//! println!("archived {} objects", manifest.objects.len());
//! # Ok(())
//! # }
//! ```
//!
//! See also `examples/verify.rs`, which verifies an archive.

pub mod audit;
pub mod checks;
pub mod erasure;
mod error;
pub mod fetch;
mod keys;
pub mod links;
pub mod lookup;
mod object;
mod permits;
pub mod receipt;
mod store;
mod transfer;

pub use error::Error;
pub use keys::{AttemptKeys, InvalidTemplate, KeyTemplate, Layout};
pub use object::{Format, ObjectKind};
pub use store::{
    Archive, Destinations, IncompleteUpload, ObjectOptions, OpenArchiveError, ProbeError,
    ProbeReport, StoreError,
};
pub use transfer::{
    ArchiveState, Buffers, PART_SIZE, Progress, TaskArchival, TaskSource, TransferResources,
    UrlSource,
};
