//! The error of a worker that cannot serve its accounts.

use crate::archive::OpenArchiveError;

/// Why a worker cannot serve its accounts.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The archive cannot be opened with the options of an account.
    #[error(transparent)]
    Archive(#[from] OpenArchiveError),
    /// The HTTP client cannot be created.
    #[error("cannot create the HTTP client: {0}")]
    Http(String),
}
