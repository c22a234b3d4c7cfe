//! Errors of a codec server.

use std::time::Duration;

/// Why a codec server did not encode or decode payloads.
#[derive(Debug, thiserror::Error)]
pub(super) enum CodecError {
    #[error("no response: {0}")]
    Unavailable(String),
    #[error("HTTP {0}")]
    Status(u16),
    #[error("request did not succeed within {} s, including retries", .0.as_secs())]
    Timeout(Duration),
    #[error("invalid response: {0}")]
    InvalidResponse(String),
}

impl CodecError {
    /// Returns whether a retry may succeed.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Status(status) => *status == 429 || *status >= 500,
            Self::InvalidResponse(_) | Self::Timeout(_) => false,
        }
    }
}
