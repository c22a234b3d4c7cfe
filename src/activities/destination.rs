//! Where the videos of a request go: to its destination if the account allows it, otherwise to the archive of the
//! worker.

use std::time::Duration;

use reqwest::Url;
use seedance_archiver_policy::{
    destinations::{self, Problem},
    transfers::{Finding, History},
};
use seedance_archiver_proto::names::failure::{DESTINATION_NOT_ALLOWED, STORE_UNAVAILABLE};
use seedance_archiver_workflows::invalid_request::InvalidRequest;

use super::{archive_job::ArchiveJob, transfer_error::TransferError};
use crate::{
    archive::{self, Archive},
    config::Account,
};

/// The archive of an attempt.
pub(super) struct Chosen {
    pub(super) archive: Archive,
    /// Why the destination of the request was given up. `None` if this is the destination.
    pub(super) given_up: Option<String>,
}

/// Opens the destination of a request. If it is empty, returns `own`, the archive of the worker.
///
/// # Errors
///
/// [`TransferError::Invalid`] if the destination is not a URL. Other errors may be transient: another worker may allow
/// the destination, and a store may come back.
pub(super) fn open(
    account: &Account,
    own: &Archive,
    destination: &str,
) -> Result<Archive, TransferError> {
    if destination.is_empty() {
        return Ok(own.clone());
    }
    let url = parse(destination).map_err(TransferError::Invalid)?;
    if let Some(problem) = not_allowed(account, own.url(), &url) {
        return Err(TransferError::retryable(problem, DESTINATION_NOT_ALLOWED));
    }
    own.at(&url)
        .map_err(|error| archive::Error::from(error).into())
}

/// Returns why a video cannot go to a destination, as far as that is known without the store. `own` is the URL of the
/// worker's archive.
pub(super) fn problem(account: &Account, own: &Url, destination: &str) -> Option<String> {
    if destination.is_empty() {
        return None;
    }
    match parse(destination) {
        Ok(url) => not_allowed(account, own, &url),
        Err(error) => Some(error.to_string()),
    }
}

/// Returns why an account does not allow a destination. `own` is the URL of the worker's archive.
fn not_allowed(account: &Account, own: &Url, destination: &Url) -> Option<String> {
    let name = account.name();
    let is_allowed = account.archive.destinations.allow(own, destination);
    (!is_allowed).then(|| {
        format!(
            "account `{name}` does not allow the destination `{destination}`; add it to `archive.destinations`"
        )
    })
}

/// Parses a destination, and checks what does not depend on the account.
fn parse(destination: &str) -> Result<Url, InvalidRequest> {
    let invalid = |problem| InvalidRequest::new("destination", problem);
    let url = Url::parse(destination)
        .map_err(|error| invalid(format!("must be an archive URL: {error}")))?;
    Archive::check_url(&url).map_err(|error| invalid(error.to_string()))?;
    Ok(url)
}

/// Chooses the archive of an attempt to archive a video: the destination, or `own` if the destination has failed for
/// too long. `given_up` is why an earlier attempt chose `own`: it may have stored objects there, so the next ones choose
/// it too.
///
/// # Errors
///
/// Returns the errors of [`open`].
pub(super) fn choose(
    own: &Archive,
    destination: &str,
    job: &ArchiveJob,
    history: &History,
    given_up: Option<String>,
) -> Result<Chosen, TransferError> {
    let choose_own = |given_up| Chosen {
        archive: own.clone(),
        given_up,
    };
    if destination.is_empty() || given_up.is_some() {
        return Ok(choose_own(given_up));
    }
    let opened = open(&job.account, own, destination);
    let problem = match &opened {
        Ok(archive) if archive.url() == own.url() => None,
        Ok(_) => last_store_failure(history).map(|text| (Problem::Failing, text)),
        Err(TransferError::Retryable(error)) => {
            let problem = match error.failure_type {
                DESTINATION_NOT_ALLOWED => Problem::NotAllowed,
                _ => Problem::Failing,
            };
            Some((problem, error.message.clone()))
        }
        // A lifecycle of version 0.1.0 may have such a destination. Its video must not be lost.
        Err(TransferError::Invalid(error)) => Some((Problem::NotAllowed, error.to_string())),
        Err(_) => None,
    };
    match problem {
        Some((problem, text))
            if destinations::is_given_up(problem, lasted(problem, history), job.url_left()) =>
        {
            Ok(choose_own(Some(format!(
                "archived in the archive of the worker instead of `{destination}`: {text}"
            ))))
        }
        Some((Problem::NotAllowed, text)) => {
            Err(TransferError::retryable(text, DESTINATION_NOT_ALLOWED))
        }
        _ => opened.map(|archive| Chosen {
            archive,
            given_up: None,
        }),
    }
}

/// Returns for how long attempts met a problem, zero if the last one did not.
fn lasted(problem: Problem, history: &History) -> Duration {
    let failure_type = match problem {
        Problem::NotAllowed => DESTINATION_NOT_ALLOWED,
        Problem::Failing => STORE_UNAVAILABLE,
    };
    let last = history.findings().last();
    let last = last.filter(|finding| finding.failure_type == failure_type);
    last.map(Finding::lasted).unwrap_or_default()
}

/// Returns the message of the last failure, if the store failed.
fn last_store_failure(history: &History) -> Option<String> {
    let last = history.findings().last()?;
    (last.failure_type == STORE_UNAVAILABLE).then(|| last.last_message.clone())
}
