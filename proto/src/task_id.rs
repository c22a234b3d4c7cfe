//! Validation of task ids.

/// Maximum length of an id, in bytes. The id is part of workflow ids and object keys, which have limits.
pub const MAX_LEN: usize = 200;

/// Checks that an id can be used in a workflow id, a URL path and an object key.
///
/// # Errors
///
/// Returns an error if the id is empty, too long, or contains characters that are not allowed. The error
/// completes the sentence "`task_id` …".
pub fn check(task_id: &str) -> Result<(), &'static str> {
    if task_id.trim().is_empty() {
        return Err("is missing; set it to the id that the create call returned (`cgt-…`)");
    }
    if task_id.len() > MAX_LEN {
        return Err("is longer than 200 bytes");
    }
    if task_id
        .chars()
        .any(|c| c.is_control() || c == '/' || c == '\\')
    {
        return Err("contains a slash, a backslash or a control character");
    }
    if task_id == "." || task_id == ".." {
        return Err("must not be `.` or `..`");
    }
    Ok(())
}
