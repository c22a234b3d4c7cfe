//! Where secrets are searched besides the evidence and the objects.

use std::path::PathBuf;

use super::{
    Evidence, Row, activities,
    logs::{self, Secrets},
    metadata,
};
use crate::chaos::pending::Said;

pub(in crate::chaos) struct Places {
    /// The directory of the run, with all logs.
    pub(in crate::chaos) directory: PathBuf,
    /// Where MinIO keeps the objects.
    pub(in crate::chaos) bucket: PathBuf,
    /// What pending activities said.
    pub(in crate::chaos) pending: Said,
}

impl Places {
    pub(super) fn check(
        &self,
        evidence: &Evidence,
        secrets: &Secrets<'_>,
    ) -> anyhow::Result<Vec<Row>> {
        let logs = logs::check(&self.directory, &evidence.incarnations, secrets)?;
        let metadata = metadata::check(&self.bucket, secrets.of_workers)?;
        let pending = activities::check(&self.pending, secrets.of_workers);
        Ok([logs, metadata, pending].concat())
    }
}
