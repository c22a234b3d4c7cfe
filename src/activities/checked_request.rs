//! Checks the request of an activity and looks up its account.

use seedance_archiver_clock::Clock;
use seedance_archiver_workflows::{
    encoding::Encoding,
    invalid_request::InvalidRequest,
    request::{Check, Request},
};
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{
    failure,
    unknown_account::{self, AwaitsAccount},
};

/// A valid request and the account that it names.
pub(super) struct CheckedRequest<R, A> {
    pub(super) request: R,
    /// The account, or the value that the activity keeps for it.
    pub(super) account: A,
    /// Encoding of the request. The result and failure details have the same.
    pub(super) encoding: Encoding,
}

impl<R: Check + AwaitsAccount, A> CheckedRequest<R, A> {
    /// Checks a request. `find_account` looks up the account that it names.
    ///
    /// # Errors
    ///
    /// Returns a non-retryable error if a field is invalid, and a retryable one if the worker does not serve the account.
    pub(super) fn new(
        ctx: &ActivityContext,
        clock: &Clock,
        request: Request<R>,
        find_account: impl FnOnce(&str) -> Result<A, InvalidRequest>,
    ) -> Result<Self, ActivityError> {
        let encoding = request.encoding();
        let request = request.check().map_err(failure::invalid_request)?;
        let account = find_account(request.account())
            .map_err(|error| unknown_account::failure(ctx, clock, &request, encoding, &error))?;
        Ok(Self {
            request,
            account,
            encoding,
        })
    }
}
