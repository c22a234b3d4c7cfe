//! What checks have found, a line each as it comes, or one document at the end.

use std::process::ExitCode;

use console::style;
use serde::Serialize;

use super::output::Output;
use crate::checkup::{Finding, Found};

/// Findings, and how they are printed.
#[derive(Debug, Serialize)]
pub(super) struct Findings {
    failed: usize,
    warnings: usize,
    findings: Vec<Finding>,
    #[serde(skip)]
    output: Output,
    #[serde(skip)]
    word: fn(Found) -> &'static str,
}

impl Findings {
    /// None yet. `word` says how each state is called.
    pub(super) fn new(output: Output, word: fn(Found) -> &'static str) -> Self {
        Self {
            failed: 0,
            warnings: 0,
            findings: Vec::new(),
            output,
            word,
        }
    }

    pub(super) fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            self.failed += usize::from(finding.state == Found::Failed);
            self.warnings += usize::from(finding.state == Found::Warning);
            if self.output == Output::Text {
                println!("{}", self.line(&finding));
            }
            self.findings.push(finding);
        }
    }

    fn line(&self, finding: &Finding) -> String {
        let word = format!("{:9}", (self.word)(finding.state));
        let word = match finding.state {
            Found::Ok | Found::Done => style(word).green(),
            Found::Warning => style(word).yellow(),
            Found::Failed => style(word).red(),
        };
        let Finding { name, found, .. } = finding;
        let fix = finding.fix.as_ref();
        let fix = fix.map(|fix| format!("; fix: {fix}")).unwrap_or_default();
        format!("{word} {name}: {found}{fix}")
    }

    /// Prints what is left to print. 1 where something failed.
    pub(super) fn end(self) -> anyhow::Result<ExitCode> {
        match self.output {
            Output::Json => println!("{}", serde_json::to_string_pretty(&self)?),
            Output::Text => println!(
                "{} looked at, {} failed, {} warnings",
                self.findings.len(),
                self.failed,
                self.warnings
            ),
        }
        Ok(ExitCode::from(u8::from(self.failed > 0)))
    }
}
