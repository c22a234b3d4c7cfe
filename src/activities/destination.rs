//! Opens the archive of a request.

use seedance_archiver_workflows::invalid_request::InvalidRequest;

use super::transfer_error::TransferError;
use crate::archive::{self, Archive, OpenArchiveError};

/// Opens the archive at `destination`, a URL. If it is empty, returns `default`, the archive of the worker.
///
/// # Errors
///
/// [`TransferError::Invalid`] if the URL names no supported store. Other errors may be transient.
pub(super) fn open(default: &Archive, destination: &str) -> Result<Archive, TransferError> {
    default.at(destination).map_err(|error| match error {
        OpenArchiveError::Unsupported(_)
        | OpenArchiveError::Reserved { .. }
        | OpenArchiveError::Option { .. } => {
            TransferError::Invalid(InvalidRequest::new("destination", error.to_string()))
        }
        error => archive::Error::from(error).into(),
    })
}
