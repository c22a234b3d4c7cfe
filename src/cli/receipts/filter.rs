//! Which receipts are printed.

use std::time::{Duration, SystemTime};

use anyhow::anyhow;
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::{time::unix_seconds, v1::Manifest};
use seedance_archiver_workflows::request;

use super::args::Args;

/// How much the clocks of workers and of the store may differ. A receipt is written after the time in it.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(24 * 60 * 60);

/// Selects receipts by their fields.
pub(super) struct Filter {
    since: Option<SystemTime>,
    account: Option<String>,
    model: Option<String>,
}

impl Filter {
    /// Returns the filter that the arguments describe.
    pub(super) fn new(args: &Args) -> anyhow::Result<Self> {
        if let Some(account) = &args.account {
            let checked = request::check_account(account);
            checked.map_err(|error| anyhow!("--account {}", error.problem))?;
        }
        let now = Clock::default().now();
        Ok(Self {
            since: args.since.and_then(|age| now.checked_sub(age)),
            account: args.account.clone(),
            model: args.model.clone(),
        })
    }

    /// Returns whether all receipts match.
    pub(super) fn is_empty(&self) -> bool {
        self.since.is_none() && self.account.is_none() && self.model.is_none()
    }

    /// Returns the time before which no object that matches was last modified: the others need not be read.
    pub(super) fn modified_since(&self) -> Option<SystemTime> {
        self.since?.checked_sub(CLOCK_TOLERANCE)
    }

    /// Returns whether a receipt matches.
    pub(super) fn matches(&self, manifest: &Manifest) -> bool {
        let is = |expected: &Option<String>, found: &str| {
            expected.as_ref().is_none_or(|expected| expected == found)
        };
        let since = self.since.map(unix_seconds);
        since.is_none_or(|since| manifest.archived_at >= since)
            && is(&self.account, &manifest.account)
            && is(&self.model, &manifest.model)
    }
}
