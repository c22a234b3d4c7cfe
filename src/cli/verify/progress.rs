//! The progress of a verification: a bar in a terminal, a line now and then elsewhere.

mod counts;

use std::{convert::Infallible, time::Duration};

use indicatif::ProgressBar;
use object_store::path::Path;
use parking_lot::Mutex;

use super::findings::Findings;
use crate::{
    archive::audit::{Finding, Observer, Verified},
    cli::{
        output::Output,
        progress::{LINE_INTERVAL, animate, style},
    },
};
use counts::Counts;

/// Time between two updates of the bar.
const BAR_INTERVAL: Duration = Duration::from_millis(500);

const LISTING: &str = "{spinner} {human_pos} receipts  {wide_msg}";
const LISTED: &str = "{spinner} {bar:10} {human_pos}/{human_len} receipts  {wide_msg}";
const SECOND_LINE: &str = "\n  {prefix}";

pub(super) struct Progress {
    bar: ProgressBar,
    counts: Mutex<Counts>,
    findings: Mutex<Findings>,
}

impl Progress {
    /// Shows the progress. The findings are for an output format.
    pub(super) fn start(output: Output) -> Self {
        Self {
            bar: animate(ProgressBar::no_length().with_style(style(LISTING))),
            counts: Mutex::default(),
            findings: Mutex::new(Findings::new(output)),
        }
    }

    /// Updates the bar, or prints a line, at intervals.
    pub(super) async fn show_regularly(&self) -> Infallible {
        let interval = match self.bar.is_hidden() {
            true => LINE_INTERVAL,
            false => BAR_INTERVAL,
        };
        loop {
            tokio::time::sleep(interval).await;
            self.show();
        }
    }

    fn show(&self) {
        let mut counts = self.counts.lock();
        counts.update_rate();
        let details = counts.details(self.findings.lock().len());
        let large_object = counts.large_object();
        if self.bar.is_hidden() {
            let object = large_object.map(|object| format!("; {object}"));
            let object = object.unwrap_or_default();
            errln!("{}: {details}{object}", counts.receipts_verified());
            return;
        }
        let first_line = if counts.is_listed() { LISTED } else { LISTING };
        let second_line = large_object.as_ref().map_or("", |_| SECOND_LINE);
        self.bar
            .set_style(style(&format!("{first_line}{second_line}")));
        self.bar.set_position(counts.receipts() as u64);
        self.bar.set_message(details);
        self.bar.set_prefix(large_object.unwrap_or_default());
    }

    pub(super) fn add_finding(&self, finding: Finding) {
        // A printed finding must not mix with the bar.
        self.bar.suspend(|| self.findings.lock().add(finding));
    }

    /// Removes the bar and returns the findings.
    pub(super) fn end(self) -> Findings {
        self.bar.finish_and_clear();
        self.findings.into_inner()
    }
}

impl Observer for Progress {
    fn on_listed(&self) {
        self.counts.lock().add_listed();
    }

    fn on_list_end(&self) {
        let listed = self.counts.lock().end_list();
        self.bar.set_length(listed as u64);
    }

    fn on_open(&self, key: &Path, size: u64) {
        self.counts.lock().open(key, size);
    }

    fn on_read(&self, key: &Path, bytes: u64) {
        self.counts.lock().add_bytes(key, bytes);
    }

    fn on_close(&self, key: &Path) {
        self.counts.lock().close(key);
    }

    fn on_verified(&self, verified: &Verified) {
        self.counts.lock().add_receipt(verified.objects);
        for finding in &verified.findings {
            self.add_finding(finding.clone());
        }
    }
}
