//! What an account name may look like.

/// Checks the name of an account, which is part of workflow ids and object keys.
///
/// # Errors
///
/// The error completes the sentence "`account` …".
pub fn check(name: &str) -> Result<(), &'static str> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.chars().all(is_allowed) && name != "." && name != ".." {
        return Ok(());
    }
    Err("may contain only letters, digits, `-`, `_` and `.`")
}
