//! Where secrets are searched besides the evidence and the objects.

use std::path::PathBuf;

use super::{
    Evidence, Row,
    logs::{self, Secrets},
};

pub(in crate::chaos) struct Places {
    /// The directory of the run, with all logs.
    pub(in crate::chaos) directory: PathBuf,
}

impl Places {
    pub(super) fn check(
        &self,
        evidence: &Evidence,
        secrets: &Secrets<'_>,
    ) -> anyhow::Result<Vec<Row>> {
        let logs = logs::check(&self.directory, &evidence.incarnations, secrets)?;
        Ok(logs.into())
    }
}
