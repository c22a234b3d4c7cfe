//! The callback URL of a submission, from whose path the submission is known.

use secrecy::ExposeSecret;
use seedance_archiver_workflows::create_request::CreateBody;
use temporalio_sdk::activities::ActivityError;

use super::{super::failure, retry::RETRY_DELAY};
use crate::config::Account;

/// Returns the callback URL for a request, which contains the token of the account. `None` if the caller set one, or the
/// account has no public URL for callbacks.
pub(super) fn for_request(
    account: &Account,
    submission_id: &str,
    body: &CreateBody,
) -> Result<Option<String>, ActivityError> {
    let Some(callbacks) = account.callbacks.as_ref() else {
        return Ok(None);
    };
    let base = callbacks.url.as_ref().filter(|_| !body.has_callback_url());
    let Some(base) = base else {
        return Ok(None);
    };
    let token = callbacks.token.read().map_err(|error| {
        let message = format!("cannot read the callback token: {error}");
        failure::retryable(message, failure::UNAUTHORIZED, RETRY_DELAY)
    })?;
    let base = base.as_str().trim_end_matches('/');
    let name = account.name();
    let token = token.expose_secret();
    Ok(Some(format!(
        "{base}/callbacks/{name}/{token}/{submission_id}"
    )))
}
