//! Checks the request of an activity and looks up its account.

use seedance_archiver_workflows::{
    encoding::Encoding,
    invalid_request::InvalidRequest,
    request::{Check, Request},
};
use temporalio_sdk::activities::ActivityError;

use super::failure;

/// A valid request and the account that it names.
pub(super) struct CheckedRequest<R, A> {
    pub(super) request: R,
    /// The account, or the value that the activity keeps for it.
    pub(super) account: A,
    /// Encoding of the request. The result and failure details have the same.
    pub(super) encoding: Encoding,
}

impl<R: Check, A> CheckedRequest<R, A> {
    /// Checks a request. `find_account` looks up the account that it names.
    ///
    /// # Errors
    ///
    /// Returns an error if a field is invalid or the worker does not serve the account.
    pub(super) fn new(
        request: Request<R>,
        find_account: impl FnOnce(&R) -> Result<A, InvalidRequest>,
    ) -> Result<Self, ActivityError> {
        let encoding = request.encoding();
        let request = request.check().map_err(failure::invalid_request)?;
        let account = find_account(&request).map_err(failure::invalid_request)?;
        Ok(Self {
            request,
            account,
            encoding,
        })
    }
}
