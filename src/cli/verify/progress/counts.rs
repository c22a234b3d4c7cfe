//! What was verified so far, as text.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use indicatif::{HumanBytes, HumanCount};
use object_store::path::Path;
use seedance_archiver_proto::visible;

use crate::cli::text::count;

/// Minimum size of an object that is shown while it is read.
const LARGE: u64 = 64 * 1024 * 1024;

/// Minimum time over which a rate is measured.
const RATE_INTERVAL: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub(super) struct Counts {
    listed: usize,
    is_listed: bool,
    receipts: usize,
    objects: usize,
    bytes: u64,
    /// The objects that are being read.
    reading: BTreeMap<Path, Object>,
    rate: Rate,
}

#[derive(Debug)]
struct Object {
    size: u64,
    read: u64,
}

#[derive(Debug)]
struct Rate {
    since: Instant,
    /// Bytes read before `since`.
    bytes: u64,
    per_second: f64,
}

impl Default for Rate {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            bytes: 0,
            per_second: 0.0,
        }
    }
}

impl Counts {
    pub(super) fn add_listed(&mut self) {
        self.listed += 1;
    }

    /// Returns the number of all receipts.
    pub(super) fn end_list(&mut self) -> usize {
        self.is_listed = true;
        self.listed
    }

    pub(super) fn is_listed(&self) -> bool {
        self.is_listed
    }

    pub(super) fn open(&mut self, key: &Path, size: u64) {
        self.reading.insert(key.clone(), Object { size, read: 0 });
    }

    pub(super) fn add_bytes(&mut self, key: &Path, bytes: u64) {
        self.bytes += bytes;
        if let Some(object) = self.reading.get_mut(key) {
            object.read += bytes;
        }
    }

    pub(super) fn close(&mut self, key: &Path) {
        self.reading.remove(key);
    }

    pub(super) fn add_receipt(&mut self, objects: usize) {
        self.receipts += 1;
        self.objects += objects;
    }

    pub(super) fn receipts(&self) -> usize {
        self.receipts
    }

    /// Measures the rate since the last time, or keeps the rate if that was a moment ago.
    pub(super) fn update_rate(&mut self) {
        let elapsed = self.rate.since.elapsed();
        if elapsed >= RATE_INTERVAL {
            self.rate = Rate {
                since: Instant::now(),
                bytes: self.bytes,
                per_second: (self.bytes - self.rate.bytes) as f64 / elapsed.as_secs_f64(),
            };
        }
    }

    /// Returns the number of receipts, e.g. `3 of 1,200 receipts verified`.
    pub(super) fn receipts_verified(&self) -> String {
        match self.is_listed {
            true => {
                let (verified, all) = (HumanCount(self.receipts as u64), self.listed);
                format!("{verified} of {} verified", count(all, "receipt"))
            }
            false => format!("{} verified", count(self.receipts, "receipt")),
        }
    }

    /// Returns the other numbers, the most important one first: the end may not fit into a line.
    pub(super) fn details(&self, findings: usize) -> String {
        let mut details = vec![count(findings, "finding"), count(self.objects, "object")];
        if self.bytes > 0 {
            details.push(HumanBytes(self.bytes).to_string());
            details.push(format!("{}/s", HumanBytes(self.rate.per_second as u64)));
        }
        details.join(", ")
    }

    /// Returns the object that is being read, if it is large.
    pub(super) fn large_object(&self) -> Option<String> {
        let largest = self.reading.iter().max_by_key(|(_, object)| object.size);
        let (key, Object { size, read }) = largest.filter(|(_, object)| object.size >= LARGE)?;
        let (read, size) = (HumanBytes(*read), HumanBytes(*size));
        Some(format!(
            "reading {read} of {size}: {}",
            visible::escape(key.as_ref())
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_and_large_objects_are_shown_once_they_are_known() {
        let mut counts = Counts::default();
        counts.add_listed();
        assert_eq!(counts.receipts_verified(), "0 receipts verified");
        assert_eq!(counts.details(0), "0 findings, 0 objects");
        counts.add_receipt(2);
        counts.add_listed();
        counts.end_list();
        assert_eq!(counts.receipts_verified(), "1 of 2 receipts verified");

        let (small, large) = (Path::from("a/task.json"), Path::from("b/video.mp4"));
        counts.open(&small, 1000);
        counts.open(&large, 2 * LARGE);
        counts.add_bytes(&large, LARGE);
        assert_eq!(counts.details(1), "1 finding, 2 objects, 64.00 MiB, 0 B/s");
        let reading = "reading 64.00 MiB of 128.00 MiB: b/video.mp4";
        assert_eq!(counts.large_object().as_deref(), Some(reading));
        counts.close(&large);
        assert_eq!(counts.large_object(), None);
    }
}
