//! The result of a verification.

use object_store::path::Path;
use reqwest::Url;
use serde::Serialize;

use super::findings::Findings;
use crate::{
    archive::audit::{Finding, Position, Verified},
    cli::text::count,
};

/// Counts receipts in the order of their keys, so that the counts of an interrupted verification and of the one that
/// continues it add up.
#[derive(Debug)]
pub(super) struct Report {
    receipts: usize,
    objects: usize,
    /// Receipts without findings.
    verified: usize,
    position: Position,
    /// Whether every receipt was listed and verified.
    is_complete: bool,
}

/// The document of `--output json`.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    archive_url: &'a str,
    receipts: usize,
    objects: usize,
    findings: &'a [Finding],
    is_complete: bool,
    /// All receipts up to this key are verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_up_to: Option<&'a str>,
}

impl Report {
    /// Returns the report of a verification that starts after a key.
    pub(super) fn new(after: Option<Path>) -> Self {
        Self {
            receipts: 0,
            objects: 0,
            verified: 0,
            position: Position::new(after),
            is_complete: false,
        }
    }

    /// Adds the next receipt. One that was deleted meanwhile does not count.
    pub(super) fn add(&mut self, receipt: Verified) {
        if !receipt.is_deleted() {
            self.receipts += 1;
            self.objects += receipt.objects;
            self.verified += usize::from(receipt.findings.is_empty());
        }
        self.position.advance_to(receipt.key);
    }

    /// Keeps the position, because receipts after it may be missing.
    pub(super) fn stop_position(&mut self) {
        self.position.stop();
    }

    /// Notes that all receipts in the list are verified. `is_listed`: all receipts are in the list.
    pub(super) fn end(&mut self, is_listed: bool) {
        self.is_complete = is_listed;
    }

    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Returns the key up to which all receipts are verified.
    pub(super) fn verified_up_to(&self) -> Option<&Path> {
        self.position.key()
    }

    pub(super) fn document<'a>(
        &'a self,
        archive_url: &'a Url,
        findings: &'a Findings,
    ) -> Document<'a> {
        Document {
            archive_url: archive_url.as_str(),
            receipts: self.receipts,
            objects: self.objects,
            findings: findings.kept(),
            is_complete: self.is_complete,
            verified_up_to: self.verified_up_to().map(Path::as_ref),
        }
    }

    /// Prints the counts.
    pub(super) fn print(&self, findings: &Findings) {
        let receipts = count(self.receipts, "receipt");
        let objects = count(self.objects, "object");
        let verified = self.verified;
        match self.receipts - verified {
            0 if findings.is_empty() => outln!("{receipts} with {objects}: {verified} verified"),
            failed => outln!(
                "{receipts} with {objects}: {verified} verified, {failed} failed ({})",
                count(findings.len(), "finding")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_that_was_deleted_meanwhile_is_not_verified() {
        let mut report = Report::new(None);
        for (key, objects) in [("a/manifest.json", 2), ("b/manifest.json", 0)] {
            report.add(Verified {
                key: Path::from(key),
                objects,
                bytes: 0,
                findings: Vec::new(),
            });
        }
        let counts = (report.receipts, report.objects, report.verified);
        assert_eq!(counts, (1, 2, 1));
        let last = report.verified_up_to().map(Path::as_ref);
        assert_eq!(last, Some("b/manifest.json"));
    }
}
