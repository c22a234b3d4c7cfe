//! Where objects are before they are published.

/// Prefix of objects that are not published yet.
pub(crate) const STAGING: &str = ".staging";
