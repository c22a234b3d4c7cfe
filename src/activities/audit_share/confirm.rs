//! Confirms what a verification found.

use futures::{StreamExt, stream};
use object_store::path::Path;
use seedance_archiver_proto::names::failure::STORE_UNAVAILABLE;

use crate::{
    activities::transfer_error::TransferError,
    archive::{
        Archive,
        audit::{self, FindingKind, Verified, verify_receipt},
    },
};

/// Number of receipts of which one must be readable, if none was read before.
const MAX_CANDIDATES: usize = 5;

/// Returns whether the receipt or an object could not be read.
pub(super) fn is_unreadable(verified: &Verified) -> bool {
    let mut findings = verified.findings.iter();
    findings.any(|finding| finding.kind == FindingKind::Unreadable)
}

/// Verifies a receipt with findings again: its video may have been deleted meanwhile, or the connection failed. `readable`
/// is the last receipt that was read.
///
/// # Errors
///
/// Returns an error if the store is unavailable, so that nothing can be read: that is no finding.
pub(super) async fn confirm(
    archive: &Archive,
    verified: Verified,
    readable: Option<&Path>,
) -> Result<Verified, TransferError> {
    let mut findings = verified.findings.iter();
    if findings.all(|finding| finding.kind == FindingKind::InArchiveTier) {
        return Ok(verified);
    }
    let again = verify_receipt(archive, &verified.key, true).await;
    if !is_unreadable(&again) {
        return Ok(again);
    }
    check_store(archive, readable).await?;
    Ok(verify_receipt(archive, &verified.key, true).await)
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
        let mut findings = verified.findings.into_iter();
        match findings.find(|finding| finding.kind == FindingKind::Unreadable) {
            None => return Ok(()),
            Some(finding) => {
                problem = format!(
                    "{} of {} {}",
                    finding.object, finding.receipt, finding.problem
                );
            }
        }
    }
    let message = format!("archive store error: {problem}; nor can another receipt");
    Err(TransferError::retryable(message, STORE_UNAVAILABLE))
}
