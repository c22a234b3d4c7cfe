//! The reports of audits, one object each under `.audit/`. Their names begin with the time, so that the last is the newest.

use std::time::{Duration, SystemTime};

use futures::TryStreamExt;
use jiff::Timestamp;
use object_store::path::Path;
use seedance_archiver_proto::v1::AuditReport;

use crate::{Archive, Error, receipt::json};

/// Prefix of the reports, under the prefix of the archive.
const REPORTS: &str = ".audit";

/// Maximum number of reports that are read to find one that is valid.
const MAX_READS: usize = 5;

/// Maximum size of a report, in bytes.
const MAX_REPORT: u64 = 1024 * 1024;

/// How far the clock of the worker that named a report may be ahead.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(60 * 60);

/// Returns the key of a report.
pub fn report_key(archive: &Archive, name: &str) -> Path {
    archive.root.clone().join(REPORTS).join(name)
}

/// Returns the newest report. Skips a few invalid ones: what they say is then verified again. Skips those of the future too:
/// until its time comes, the report of a worker whose clock was ahead would hide every later one.
///
/// # Errors
///
/// Returns an error if the store fails.
pub async fn last_report(archive: &Archive, now: SystemTime) -> Result<Option<AuditReport>, Error> {
    let latest = latest_time(now);
    let prefix = archive.root.clone().join(REPORTS);
    let mut reports: Vec<_> = archive.store.list(Some(&prefix)).try_collect().await?;
    reports.retain(|object| {
        let name = object.location.filename().unwrap_or_default();
        let is_report = object.location.extension() == Some("json");
        is_report && name <= latest.as_str() && object.size <= MAX_REPORT
    });
    reports.sort_by(|a, b| b.location.cmp(&a.location));
    for report in reports.iter().take(MAX_READS) {
        let key = &report.location;
        let Some(stored) = json::read(archive, key, MAX_REPORT).await? else {
            continue;
        };
        match serde_json::from_slice(&stored.json) {
            Ok(report) => return Ok(Some(report)),
            Err(error) => tracing::warn!(%key, %error, "skipping an invalid report of an audit"),
        }
    }
    Ok(None)
}

/// Returns the latest time that can be in the name of a report, in its form.
fn latest_time(now: SystemTime) -> String {
    let latest = now.checked_add(MAX_CLOCK_SKEW);
    let latest = latest.and_then(|latest| Timestamp::try_from(latest).ok());
    let latest = latest.unwrap_or(Timestamp::MAX);
    latest.strftime("%Y-%m-%dT%H-%M-%S").to_string()
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;

    #[tokio::test]
    async fn a_report_of_the_future_hides_no_other() {
        let url = "memory:///".parse().unwrap();
        let archive = Archive::from_store(url, Arc::new(InMemory::new()));
        for (name, started_at) in [
            ("2026-08-28T06-27-11.204Z-0f3d9a51.json", 1),
            ("2026-09-28T06-27-11.204Z-0f3d9a51.json", 2),
        ] {
            let report = AuditReport {
                started_at,
                ..AuditReport::default()
            };
            write_report(&archive, name, &report).await.unwrap();
        }
        for (now, expected) in [
            ("2026-08-28T05:00:00Z", None),
            ("2026-08-28T06:00:00Z", Some(1)),
            ("2026-09-27T06:00:00Z", Some(1)),
            ("2026-09-28T06:00:00Z", Some(2)),
        ] {
            let time: Timestamp = now.parse().unwrap();
            let time = Duration::from_secs(time.as_second().unsigned_abs());
            let at = SystemTime::UNIX_EPOCH + time;
            let last = last_report(&archive, at).await.unwrap();
            assert_eq!(last.map(|report| report.started_at), expected, "{now}");
        }
    }
}
