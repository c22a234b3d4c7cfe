//! The reports of audits, one object each under `.audit/`. Their names begin with the time, so that the last is the newest.

use futures::TryStreamExt;
use object_store::path::Path;
use seedance_archiver_proto::v1::AuditReport;

use crate::{Archive, Error, receipt::json};

/// Prefix of the reports, under the prefix of the archive.
const REPORTS: &str = ".audit";

/// Maximum number of reports that are read to find one that is valid.
const MAX_READS: usize = 5;

/// Maximum size of a report, in bytes.
const MAX_REPORT: u64 = 1024 * 1024;

/// Returns the key of a report.
pub fn report_key(archive: &Archive, name: &str) -> Path {
    archive.root.clone().join(REPORTS).join(name)
}

/// Returns the newest report. Skips a few invalid ones: what they say is then verified again.
///
/// # Errors
///
/// Returns an error if the store fails.
pub async fn last_report(archive: &Archive) -> Result<Option<AuditReport>, Error> {
    let prefix = archive.root.clone().join(REPORTS);
    let mut reports: Vec<_> = archive.store.list(Some(&prefix)).try_collect().await?;
    reports.retain(|object| {
        let is_report = object.location.extension() == Some("json");
        is_report && object.size <= MAX_REPORT
    });
    reports.sort_by(|a, b| b.location.cmp(&a.location));
    for report in reports.iter().take(MAX_READS) {
        let key = &report.location;
        let Some(stored) = json::read(archive, key).await? else {
            continue;
        };
        match serde_json::from_slice(&stored.json) {
            Ok(report) => return Ok(Some(report)),
            Err(error) => tracing::warn!(%key, %error, "skipping an invalid report of an audit"),
        }
    }
    Ok(None)
}

/// Writes a report. If it exists, an earlier attempt wrote it.
///
/// # Errors
///
/// Returns an error if the store fails.
pub async fn write_report(
    archive: &Archive,
    name: &str,
    report: &AuditReport,
) -> Result<(), Error> {
    let key = report_key(archive, name);
    let json = json::to_json(&key, report)?;
    match json::put(archive, &key, json, None).await {
        Err(error) if !error.is_already_exists() => Err(error),
        _ => Ok(()),
    }
}
