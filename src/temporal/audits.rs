//! The audits of archives: the schedule that repeats them, and what became of them.
//!
//! - [`schedule`]: the Temporal Schedule of an archive.
//! - [`status`]: the last and the running audit.
//! - [`freshness`]: whether audits complete, for metrics.

pub(crate) mod freshness;
mod runs;
pub(crate) mod schedule;
pub(crate) mod status;
