//! The table of what was counted.

use std::fmt::Write;

use serde::Serialize;

/// Findings of a row that are printed.
const MAX_PRINTED: usize = 10;

/// One count.
#[derive(Clone, Debug, Serialize)]
pub(in crate::chaos) struct Row {
    pub(in crate::chaos) name: &'static str,
    pub(in crate::chaos) count: u64,
    /// Whether the count must be 0.
    pub(in crate::chaos) must_be_zero: bool,
    /// What was found.
    pub(in crate::chaos) findings: Vec<String>,
}

impl Row {
    /// Returns a row of things that must not be.
    pub(in crate::chaos) fn none_of(name: &'static str, findings: Vec<String>) -> Self {
        Self {
            name,
            count: findings.len() as u64,
            must_be_zero: true,
            findings,
        }
    }

    /// Returns a row of a number that must be 0.
    pub(in crate::chaos) fn none(name: &'static str, count: u64) -> Self {
        Self {
            must_be_zero: true,
            ..Self::of(name, count)
        }
    }

    /// Returns a row of a number that may be anything.
    pub(in crate::chaos) fn of(name: &'static str, count: u64) -> Self {
        Self {
            name,
            count,
            must_be_zero: false,
            findings: Vec::new(),
        }
    }

    fn is_missed(&self) -> bool {
        self.must_be_zero && self.count > 0
    }
}

#[derive(Debug, Default, Serialize)]
pub(in crate::chaos) struct Report {
    pub(in crate::chaos) rows: Vec<Row>,
}

impl Report {
    pub(in crate::chaos) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(in crate::chaos) fn add_all(&mut self, rows: impl IntoIterator<Item = Row>) {
        self.rows.extend(rows);
    }

    /// Returns whether every count that must be 0 is.
    pub(in crate::chaos) fn is_met(&self) -> bool {
        !self.rows.iter().any(Row::is_missed)
    }

    /// Returns the table, and what was found.
    pub(in crate::chaos) fn text(&self) -> String {
        let mut text = String::from("| | count | target |\n|---|---|---|\n");
        for row in &self.rows {
            let target = match (row.must_be_zero, row.is_missed()) {
                (false, _) => "",
                (true, false) => "0",
                (true, true) => "0, **missed**",
            };
            let _ = writeln!(text, "| {} | {} | {target} |", row.name, row.count);
        }
        for row in self.rows.iter().filter(|row| !row.findings.is_empty()) {
            let _ = writeln!(text, "\n{}:", row.name);
            for finding in row.findings.iter().take(MAX_PRINTED) {
                let _ = writeln!(text, "- {finding}");
            }
            if row.findings.len() > MAX_PRINTED {
                let _ = writeln!(text, "- and {} more", row.findings.len() - MAX_PRINTED);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_missed_by_one_finding_or_one_request() {
        let mut report = Report::default();
        report.add(Row::of("archived", 7));
        report.add(Row::none_of("corrupt", Vec::new()));
        report.add(Row::none("queries outside the query window", 0));
        assert!(report.is_met(), "{}", report.text());
        let mut misused = Report::default();
        misused.add(Row::none("queries outside the query window", 1));
        assert!(!misused.is_met());
        report.add(Row::none_of("corrupt", vec!["cgt-1: one byte".into()]));
        assert!(!report.is_met());
        let text = report.text();
        assert!(text.contains("| corrupt | 1 | 0, **missed** |"), "{text}");
        assert!(text.contains("- cgt-1: one byte"), "{text}");
    }
}
