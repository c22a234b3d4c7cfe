//! The object store of an archive: opening it, its capabilities and its multipart uploads.

mod archive;
mod conditional_complete;
mod open;
mod options;
mod probe;
mod sha256;
mod span;
mod unfinished_uploads;
mod upload;

pub use archive::Archive;
pub use open::OpenArchiveError;
pub use options::ObjectOptions;
pub use probe::ProbeError;
pub use unfinished_uploads::UnfinishedUpload;

pub(crate) use sha256::sha256_of;
pub(crate) use span::store_span;
pub(crate) use unfinished_uploads::{abort_unfinished_uploads, list_unfinished_uploads};
pub(crate) use upload::{SavedUpload, Upload};
