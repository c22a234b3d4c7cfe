//! What can go wrong while a video is archived, by what the caller can do.

use seedance_archiver_proto::names::failure;

use super::OpenArchiveError;
use crate::fetch;

/// An error of the archive. Its text holds no signed URL.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The video URL does not work any more: a fresh one may.
    #[error("the video URL is refused: HTTP {0}")]
    UrlRefused(u16),
    /// The video URL points where the account does not allow: try again, once somebody has allowed it.
    #[error("{0}")]
    UrlNotAllowed(String),
    /// The video's host cannot be reached or is at fault: try again.
    #[error("the video cannot be fetched: {0}")]
    Source(String),
    /// The bytes are not a whole video: try again.
    #[error("not the video: {0}")]
    Corrupt(String),
    /// The bytes are not those of the ETag: try again, which tells whether it is an MD5 at all.
    #[error("not the video: its md5 is {found}, and {announced} was announced")]
    OtherMd5 {
        /// That of the bytes.
        found: String,
        /// What the ETag says.
        announced: String,
    },
    /// The store cannot be opened: try again, once somebody has mended it.
    #[error(transparent)]
    Open(#[from] OpenArchiveError),
    /// The store cannot be reached or refuses: try again.
    #[error("the archive's store: {0}")]
    Store(#[from] object_store::Error),
    /// A part could not be stored, for no reason of the store.
    #[error("the upload: {0}")]
    Upload(String),
    /// The archive holds something else under this name: a person has to look.
    #[error("{name} is in the archive with SHA-256 {archived}, the new video has {new}")]
    Conflict {
        /// File name of the object.
        name: String,
        /// Digest of what the archive holds.
        archived: String,
        /// Digest of what was to be stored.
        new: String,
    },
}

impl From<fetch::Error> for Error {
    fn from(error: fetch::Error) -> Self {
        match error {
            fetch::Error::Refused(why) => Self::UrlNotAllowed(why),
            fetch::Error::Unreachable(fault) => Self::Source(fault),
        }
    }
}

/// What a store has, or that it has no such object.
pub(super) fn found<T>(answer: object_store::Result<T>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Error {
    /// There is an object where none may be.
    pub(super) fn taken(key: &object_store::path::Path) -> Self {
        Self::Store(object_store::Error::AlreadyExists {
            path: key.to_string(),
            source: "it was there before".into(),
        })
    }

    /// Whether the store does not know what it was asked for.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Store(object_store::Error::NotFound { .. }))
    }

    /// Whether the store cannot do what it was asked for.
    pub(super) fn is_not_supported(&self) -> bool {
        use object_store::Error::{NotImplemented, NotSupported};
        matches!(
            self,
            Self::Store(NotSupported { .. } | NotImplemented { .. })
        )
    }

    /// Whether the store has an object where none may be.
    pub(super) fn is_taken(&self) -> bool {
        use object_store::Error::{AlreadyExists, Precondition};
        matches!(
            self,
            Self::Store(AlreadyExists { .. } | Precondition { .. })
        )
    }

    /// The public name of this failure.
    pub fn failure_type(&self) -> &'static str {
        match self {
            Self::UrlRefused(_) => failure::URL_EXPIRED,
            Self::UrlNotAllowed(_) => failure::URL_REFUSED,
            Self::Source(_) => failure::UPSTREAM_UNAVAILABLE,
            Self::Corrupt(_) | Self::OtherMd5 { .. } => failure::CORRUPT_VIDEO,
            Self::Open(_) | Self::Store(_) | Self::Upload(_) => failure::STORE_UNAVAILABLE,
            Self::Conflict { .. } => failure::STORE_CONFLICT,
        }
    }
}
