//! Confirms what a verification found.

use futures::{StreamExt, stream};
use object_store::path::Path;
use seedance_archiver_proto::names::{self, failure::STORE_UNAVAILABLE};

use crate::{
    activities::transfer_error::TransferError,
    archive::{
        Archive,
        audit::{self, Finding, FindingKind, Verified, verify_receipt},
    },
};

/// Number of receipts of which one must be readable, if none was read before.
const MAX_CANDIDATES: usize = 5;

/// Returns whether the store returned the receipt and everything that it names.
pub(super) fn proves_that_the_store_reads(verified: &Verified) -> bool {
    !has_vanished(verified) && !is_unreadable(verified)
}

/// Returns whether the receipt was listed, and does not exist. It may have been erased meanwhile.
fn has_vanished(verified: &Verified) -> bool {
    let is_lost = |finding: &Finding| {
        finding.kind == FindingKind::Missing && finding.object == names::MANIFEST
    };
    verified.is_deleted() || verified.findings.iter().any(is_lost)
}

/// Returns whether the receipt or an object could not be read.
fn is_unreadable(verified: &Verified) -> bool {
    let mut findings = verified.findings.iter();
    findings.any(|finding| finding.kind == FindingKind::Unreadable)
}

/// Returns whether a store that fails for a moment can have caused the result. Whatever is between the worker and the store
/// may answer that nothing exists.
fn is_doubtful(verified: &Verified) -> bool {
    let mut findings = verified.findings.iter();
    has_vanished(verified) || findings.any(|finding| finding.kind != FindingKind::InArchiveTier)
}

/// Verifies a receipt again if the result is doubtful: its video may have been deleted meanwhile, or the connection failed.
/// `readable` is the last receipt that was read.
///
/// # Errors
///
/// Returns an error if the store is unavailable, so that nothing can be read: that is no finding.
pub(super) async fn confirm(
    archive: &Archive,
    verified: Verified,
    readable: Option<&Path>,
) -> Result<Verified, TransferError> {
    if !is_doubtful(&verified) {
        return Ok(verified);
    }
    let mut again = verify_receipt(archive, &verified.key, true).await;
    if is_unreadable(&again) {
        check_store(archive, readable).await?;
        again = verify_receipt(archive, &verified.key, true).await;
    }
    // The store must return what it returned before after it returned something else.
    if is_doubtful(&again) {
        check_store(archive, readable).await?;
    }
    Ok(again)
}

/// Checks that the store returns what it returned before, or at least one of the first receipts.
async fn check_store(archive: &Archive, readable: Option<&Path>) -> Result<(), TransferError> {
    let mut problem = "no receipt can be read".to_owned();
    let mut candidates = match readable {
        Some(readable) => stream::iter([Ok(readable.clone())]).boxed(),
        None => audit::receipts(archive, None).take(MAX_CANDIDATES).boxed(),
    };
    while let Some(candidate) = candidates.next().await {
        let verified = verify_receipt(archive, &candidate?, false).await;
        if proves_that_the_store_reads(&verified) {
            return Ok(());
        }
        problem = problem_of(&verified);
    }
    let message = format!("archive store error: {problem}; nor can another receipt");
    Err(TransferError::retryable(message, STORE_UNAVAILABLE))
}

/// Returns why a receipt does not prove that the store can be read.
fn problem_of(verified: &Verified) -> String {
    let mut findings = verified.findings.iter();
    match findings.find(|finding| finding.kind == FindingKind::Unreadable) {
        Some(finding) => format!(
            "{} of {} {}",
            finding.object, finding.receipt, finding.problem
        ),
        None => format!("{} was listed, but does not exist", verified.key),
    }
}
