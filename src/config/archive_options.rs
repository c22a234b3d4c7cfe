//! The archive options of an account.

use seedance_archiver_archive::{Destinations, KeyTemplate, ObjectOptions, checks::Mismatch};

/// How the videos of an account are archived.
#[derive(Clone, Debug, Default)]
pub struct ArchiveOptions {
    /// Options of the objects.
    pub objects: ObjectOptions,
    /// Where requests may send videos.
    pub destinations: Destinations,
    /// Template of each task's prefix.
    pub keys: KeyTemplate,
    /// What to do with a valid video that does not match its task record.
    pub mismatch: Mismatch,
}
