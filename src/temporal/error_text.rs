//! Readable texts of the SDK's errors and failures.
//!
//! Both are nested, and each layer repeats the one below it ("Server error: code: …") or adds nothing
//! ("activity failed"). The innermost one is the cause.

use std::error::Error;

use temporalio_client::tonic::Status;
use temporalio_common::error::IncomingError;

/// Returns the text of the innermost cause of an error.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    match cause.downcast_ref::<Status>() {
        Some(status) if status.message().is_empty() => status.code().to_string(),
        Some(status) => status.message().to_owned(),
        None => cause.to_string(),
    }
}

/// Returns the message of the innermost cause of a workflow's failure.
pub(crate) fn from_failure(failure: &IncomingError) -> String {
    let mut failure = failure.failure();
    while let Some(cause) = &failure.cause {
        failure = cause;
    }
    failure.message.clone()
}

#[cfg(test)]
mod tests {
    use std::io;

    use temporalio_client::errors::ClientError;

    use super::*;

    #[test]
    fn a_status_is_shown_by_its_message() {
        let error = ClientError::Rpc(Status::permission_denied("Request unauthorized."));
        assert_eq!(innermost(&error), "Request unauthorized.");
        let error = ClientError::Rpc(Status::unavailable(""));
        assert_eq!(innermost(&error), "The service is currently unavailable");
    }

    #[test]
    fn the_cause_of_a_status_is_shown_instead_of_the_status() {
        let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused");
        let error = ClientError::Rpc(Status::from_error(Box::new(refused)));
        assert_eq!(innermost(&error), "connection refused");
    }
}
