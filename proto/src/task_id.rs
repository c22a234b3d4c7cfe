//! What a task id may look like.

/// Longest id accepted, in bytes: the id is part of workflow ids and object keys, which have limits.
pub const MAX_LEN: usize = 200;

/// Checks that an id is one that the service could have given and that is safe in a workflow id, a
/// URL path and an object key. The error completes the sentence "`task_id` …".
pub fn check(task_id: &str) -> Result<(), &'static str> {
    if task_id.trim().is_empty() {
        return Err("is missing: give the id that the create call returned, `cgt-…`");
    }
    if task_id.len() > MAX_LEN {
        return Err("is longer than 200 bytes");
    }
    if task_id
        .chars()
        .any(|c| c.is_control() || c == '/' || c == '\\')
    {
        return Err("has a slash or a control character, which no task id has");
    }
    if task_id == "." || task_id == ".." {
        return Err("is a path, not a task id");
    }
    Ok(())
}
