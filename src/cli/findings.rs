//! Prints findings: a line for each as it comes, or one document at the end.

use std::process::ExitCode;

use console::style;
use serde::Serialize;

use super::output::{Output, print_json};
use crate::checkup::{Finding, FindingState};

/// Findings, and how they are printed.
#[derive(Debug, Serialize)]
pub(super) struct Findings {
    failed: usize,
    warnings: usize,
    findings: Vec<Finding>,
    #[serde(skip)]
    output: Output,
}

impl Findings {
    pub(super) fn new(output: Output) -> Self {
        Self {
            failed: 0,
            warnings: 0,
            findings: Vec::new(),
            output,
        }
    }

    /// Adds findings, and prints a line for each.
    pub(super) fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            self.failed += usize::from(finding.state == FindingState::Failed);
            self.warnings += usize::from(finding.state == FindingState::Warning);
            if self.output == Output::Text {
                println!("{}", line(&finding));
            }
            self.findings.push(finding);
        }
    }

    /// Prints the totals, or the document. Returns exit code 1 if anything failed.
    pub(super) fn end(self) -> anyhow::Result<ExitCode> {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        match self.output {
            Output::Json => print_json(&self)?,
            Output::Text => {
                let (checks, failed, warnings) = (self.findings.len(), self.failed, self.warnings);
                println!(
                    "{checks} check{}: {failed} failed, {warnings} warning{}",
                    plural(checks),
                    plural(warnings)
                );
            }
        }
        Ok(ExitCode::from(u8::from(self.failed > 0)))
    }
}

fn line(finding: &Finding) -> String {
    let state = match finding.state {
        FindingState::Ok => style("ok       ").green(),
        FindingState::Created => style("created  ").green(),
        FindingState::Warning => style("warning  ").yellow(),
        FindingState::Failed => style("failed   ").red(),
    };
    let Finding { name, found, .. } = finding;
    let fix = finding.fix.as_ref();
    let fix = fix.map(|fix| format!("; fix: {fix}")).unwrap_or_default();
    format!("{state} {name}: {found}{fix}")
}
