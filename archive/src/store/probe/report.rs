use super::ProbeError;

/// The result of a probe.
#[derive(Debug, Default)]
pub struct ProbeReport {
    /// What the store rejected or did wrong. Empty if everything works.
    pub problems: Vec<ProbeError>,
    /// Keys of test objects that could not be deleted.
    pub left: Vec<String>,
}

impl ProbeReport {
    /// Returns the problems for which nothing can be archived.
    pub fn blocking(&self) -> impl Iterator<Item = &ProbeError> {
        self.problems
            .iter()
            .filter(|problem| problem.blocks_archiving())
    }
}
