//! The results of all parts, as a file.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    options::{Options, Part},
    tools,
};
use crate::{output, programs};

/// Programs whose versions are written down.
const PROGRAMS: [&str; 2] = ["curl", "rclone"];

/// What was measured so far.
pub(super) struct Report {
    path: PathBuf,
    content: Map<String, Value>,
    failed: Vec<&'static str>,
}

impl Report {
    pub(super) fn new(options: &Options) -> anyhow::Result<Self> {
        let versions = PROGRAMS.iter().map(|program| {
            let version = tools::version(program);
            ((*program).to_owned(), version.into())
        });
        let content = [
            ("options".to_owned(), serde_json::to_value(options)?),
            ("versions".to_owned(), Value::Object(versions.collect())),
        ];
        Ok(Self {
            path: options.out.clone(),
            content: content.into_iter().collect(),
            failed: Vec::new(),
        })
    }

    /// Writes the results of a part, so that they are kept if a later one is interrupted.
    pub(super) fn set(&mut self, part: Part, results: &impl Serialize) -> anyhow::Result<()> {
        let results = serde_json::to_value(results)?;
        self.content.insert(part.name().to_owned(), results);
        output::write(&self.path, &serde_json::to_string_pretty(&self.content)?)
    }

    /// Writes why a part, or some of it, could not be measured.
    pub(super) fn set_error(&mut self, part: Part, error: &anyhow::Error) -> anyhow::Result<()> {
        let what = match programs::is_missing(error) {
            true => "skipped",
            false => {
                self.set_failed(part);
                "failed"
            }
        };
        output::print(&format!("{} {what}: {error:#}\n", part.name()))?;
        self.set(part, &serde_json::json!({ "error": format!("{error:#}") }))
    }

    pub(super) fn set_failed(&mut self, part: Part) {
        self.failed.push(part.name());
    }

    /// Returns an error if a part, or some of it, could not be measured.
    pub(super) fn result(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.failed.is_empty(), "failed: {}", self.failed.join(", "));
        Ok(())
    }
}
