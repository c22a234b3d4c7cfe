//! Prints the results of checks: a line for each when it arrives, or one document at the end.

use std::process::ExitCode;

use console::style;
use serde::Serialize;

use super::output::{Output, print_json};
use crate::{
    checkup::{CheckResult, CheckState},
    stdio,
};

/// The results of checks, and the format in which they are printed.
#[derive(Debug, Serialize)]
pub(super) struct Findings {
    failed: usize,
    warnings: usize,
    findings: Vec<CheckResult>,
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

    /// Adds results, and prints a line for each.
    pub(super) fn add(&mut self, results: impl IntoIterator<Item = CheckResult>) {
        for result in results {
            self.failed += usize::from(result.state == CheckState::Failed);
            self.warnings += usize::from(result.state == CheckState::Warning);
            if self.output == Output::Text {
                print(&result);
            }
            self.findings.push(result);
        }
    }

    /// Prints the totals, or the document. Returns exit code 1 if anything failed.
    pub(super) fn end(self) -> anyhow::Result<ExitCode> {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        match self.output {
            Output::Json => print_json(&self)?,
            Output::Text => {
                let (checks, failed, warnings) = (self.findings.len(), self.failed, self.warnings);
                outln!(
                    "{checks} check{}: {failed} failed, {warnings} warning{}",
                    plural(checks),
                    plural(warnings)
                );
            }
        }
        Ok(ExitCode::from(u8::from(self.failed > 0)))
    }
}

/// Prints a line. The texts may quote a server.
fn print(result: &CheckResult) {
    let state = match result.state {
        CheckState::Ok => style("ok       ").green(),
        CheckState::Created => style("created  ").green(),
        CheckState::Warning => style("warning  ").yellow(),
        CheckState::Failed => style("failed   ").red(),
    };
    let CheckResult { name, found, .. } = result;
    let fix = result.fix.as_ref();
    let fix = fix.map(|fix| format!("; fix: {fix}")).unwrap_or_default();
    stdio::print_labelled(state, &format!(" {name}: {found}{fix}"));
}
