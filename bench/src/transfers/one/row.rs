//! The results of one tool with one source and one store.

use serde::Serialize;

use crate::{
    output, programs,
    transfers::{
        host::Source,
        sample::{Sample, median},
        store::StoreKind,
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::transfers) enum Tool {
    Curl,
    RcloneCopyurl,
    CurlIntoRclone,
    Archiver,
}

impl Tool {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Curl => "`curl -o`",
            Self::RcloneCopyurl => "`rclone copyurl`",
            Self::CurlIntoRclone => "`curl` into `rclone rcat`",
            Self::Archiver => "seedance-archiver",
        }
    }
}

#[derive(Debug, Serialize)]
pub(in crate::transfers) struct Row {
    pub(in crate::transfers) store: StoreKind,
    pub(in crate::transfers) source: Source,
    pub(in crate::transfers) tool: Tool,
    /// By run, `None` if it failed.
    pub(super) runs: Vec<Option<Sample>>,
    /// Why the first run that failed did.
    pub(super) error: Option<String>,
    /// Whether the reason is a program that is not installed.
    is_skipped: bool,
}

impl Row {
    fn new(store: StoreKind, source: Source, tool: Tool) -> Self {
        Self {
            store,
            source,
            tool,
            runs: Vec::new(),
            error: None,
            is_skipped: false,
        }
    }

    /// Adds a run, and prints it.
    pub(super) fn add(&mut self, sample: Sample) {
        self.print(&format!("{:.2} s", sample.seconds));
        self.runs.push(Some(sample));
    }

    /// Adds a run that failed, and prints why.
    pub(super) fn add_error(&mut self, error: &anyhow::Error) {
        let text = format!("{error:#}");
        self.print(&text);
        self.runs.push(None);
        if self.error.is_none() {
            self.error = Some(text);
            self.is_skipped = programs::is_missing(error);
        }
    }

    fn print(&self, result: &str) {
        let (source, store, tool) = (self.source.name(), self.store.name(), self.tool.name());
        let line = format!("  {source} to {store}, {tool}: {result}\n");
        // Whether anybody reads it changes no result.
        let _ = output::print(&line);
    }

    /// Returns whether a run failed although every program that it needs is installed.
    pub(in crate::transfers) fn is_failed(&self) -> bool {
        self.error.is_some() && !self.is_skipped
    }

    /// Returns the median of a value of the runs.
    pub(in crate::transfers) fn median(&self, value: impl Fn(&Sample) -> f64) -> Option<f64> {
        median(self.runs.iter().flatten().map(value))
    }

    /// Returns the median of how much of a value another row had in the same run, in units of this one.
    pub(super) fn ratio(&self, other: &Self, value: impl Fn(&Sample) -> f64) -> Option<f64> {
        let runs = self.runs.iter().zip(&other.runs);
        let pairs = runs.filter_map(|(own, other)| own.as_ref().zip(other.as_ref()));
        median(pairs.map(|(own, other)| value(other) / value(own)))
    }

    /// Returns whether this is the row to which those of its store and source are compared.
    pub(super) fn is_baseline(&self) -> bool {
        self.tool == baseline(self.store)
    }
}

fn baseline(store: StoreKind) -> Tool {
    match store {
        StoreKind::Disk => Tool::Curl,
        StoreKind::MinIo | StoreKind::MinIoTls => Tool::RcloneCopyurl,
    }
}

/// Returns all rows, without runs.
pub(super) fn all() -> Vec<Row> {
    let disk = [Tool::Curl, Tool::RcloneCopyurl, Tool::Archiver];
    let minio = [Tool::RcloneCopyurl, Tool::CurlIntoRclone, Tool::Archiver];
    let minio_tls = [Tool::RcloneCopyurl, Tool::Archiver];
    let mut rows = Vec::new();
    for source in Source::ALL {
        rows.extend(disk.map(|tool| Row::new(StoreKind::Disk, source, tool)));
        rows.extend(minio.map(|tool| Row::new(StoreKind::MinIo, source, tool)));
    }
    rows.extend(minio_tls.map(|tool| Row::new(StoreKind::MinIoTls, Source::Https, tool)));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seconds: &[f64]) -> Row {
        let mut row = Row::new(StoreKind::Disk, Source::Http, Tool::Curl);
        let sample = |seconds: &f64| Sample {
            seconds: *seconds,
            cpu_seconds: 1.0,
            peak_bytes: 1,
            store_cpu_seconds: None,
        };
        // Zero is a failed run.
        let runs = seconds.iter().map(|it| (*it > 0.0).then(|| sample(it)));
        row.runs = runs.collect();
        row
    }

    #[test]
    fn rows_are_compared_run_by_run() {
        let seconds = |sample: &Sample| sample.seconds;
        let base = row(&[1.0, 8.0, 3.0]);
        let own = row(&[2.0, 2.0, 3.0]);
        assert_eq!(own.ratio(&base, seconds), Some(1.0));
        assert_eq!(row(&[2.0, 0.0, 0.0]).ratio(&base, seconds), Some(0.5));
        assert_eq!(row(&[0.0, 0.0, 0.0]).ratio(&base, seconds), None);
        assert_eq!(base.median(seconds), Some(3.0));
    }

    #[test]
    fn every_store_and_source_has_a_baseline() {
        for row in all() {
            let is_baseline =
                |it: &&Row| it.is_baseline() && (it.store, it.source) == (row.store, row.source);
            assert_eq!(all().iter().filter(is_baseline).count(), 1, "{row:?}");
        }
    }
}
