//! The object store of an archive: opens it, describes its capabilities, and uploads to it.

mod archive;
mod concurrency;
mod conditional_requests;
mod destinations;
mod error;
mod incomplete_uploads;
mod open;
mod options;
mod part_requests;
mod part_slots;
mod probe;
mod proofs;
mod put_part;
mod s3_settings;
mod sha256;
mod span;
mod tags;
mod upload;

pub use archive::Archive;
pub use destinations::Destinations;
pub use error::StoreError;
pub use incomplete_uploads::IncompleteUpload;
pub use open::OpenArchiveError;
pub use options::ObjectOptions;
pub use probe::{ProbeError, ProbeReport};

pub(crate) use incomplete_uploads::{abort_incomplete_uploads, list_incomplete_uploads};
pub(crate) use sha256::{sha256_of, sha256_of_opened};
pub(crate) use span::store_span;
pub(crate) use upload::{MAX_PARTS, SavedUpload, Upload};
