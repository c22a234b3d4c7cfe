//! The prefix of staged objects.

/// Prefix of objects that are not published yet, below the prefix in the archive URL.
pub(crate) const STAGING: &str = ".staging";
