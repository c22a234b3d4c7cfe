//! The findings of a verification.

use seedance_archiver_proto::visible;

use crate::{archive::audit::Finding, cli::output::Output};

/// Prints findings as they come, or keeps them for the document of `--output json`.
#[derive(Debug)]
pub(super) struct Findings {
    output: Output,
    count: usize,
    kept: Vec<Finding>,
}

impl Findings {
    pub(super) fn new(output: Output) -> Self {
        Self {
            output,
            count: 0,
            kept: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, finding: Finding) {
        self.count += 1;
        match self.output {
            Output::Json => self.kept.push(finding),
            Output::Text => print(&finding),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Sorts the findings by the keys of their receipts: they come in the order in which receipts are completed.
    pub(super) fn sort(&mut self) {
        self.kept.sort_by(|a, b| a.receipt.cmp(&b.receipt));
    }

    /// Returns the findings for a document.
    pub(super) fn kept(&self) -> &[Finding] {
        &self.kept
    }
}

fn print(finding: &Finding) {
    let Finding {
        receipt,
        object,
        problem,
        ..
    } = finding;
    let line = format!("{receipt}: {object} {problem}");
    outln!("{}", visible::escape(&line));
}
