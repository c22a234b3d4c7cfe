//! Validation of account names.

/// Checks that a name can be used in workflow ids and object keys.
///
/// # Errors
///
/// Returns an error if the name contains another character, or is `.` or `..`. The error completes the sentence
/// "`account` …".
pub fn check(name: &str) -> Result<(), &'static str> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.chars().all(is_allowed) && name != "." && name != ".." {
        return Ok(());
    }
    Err("may contain only letters, digits, `-`, `_` and `.`")
}
