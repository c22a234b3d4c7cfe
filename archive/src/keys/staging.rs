/// Prefix of objects that are not published yet, under the prefix in the archive URL.
pub(crate) const STAGING: &str = ".staging";
