//! Validation of submission ids.

/// Maximum length of an id, in bytes. The id is part of workflow ids and of the callback URL.
pub const MAX_LEN: usize = 128;

/// Checks that an id can be used in a workflow id and in a URL path without escapes.
///
/// # Errors
///
/// Returns an error if the id is empty, too long, `.` or `..`, or contains another character. The error completes the
/// sentence "`submission_id` …".
pub fn check(id: &str) -> Result<(), &'static str> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    if id.is_empty() {
        return Err("is missing");
    }
    if id.len() > MAX_LEN {
        return Err("is longer than 128 bytes");
    }
    if id.chars().all(is_allowed) && id != "." && id != ".." {
        return Ok(());
    }
    Err("may contain only letters, digits, `-`, `_`, `.` and `~`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_needs_no_escapes_in_a_url() {
        assert!(check("order-7_a.b~c").is_ok() && check(&"a".repeat(128)).is_ok());
        for id in ["", ".", "..", "a/b", "a b", "é", "a?b", "a%2f"] {
            assert!(check(id).is_err(), "{id}");
        }
        assert!(check(&"a".repeat(129)).is_err());
    }
}
