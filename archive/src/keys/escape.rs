//! Values of a task in the names of directories.

use object_store::path::PathPart;
use sha2::{Digest, Sha256};

/// Maximum length of a value that somebody else may choose freely, in bytes, when it is escaped. Stores allow 1024 bytes a
/// key, and file systems 255 a name.
const MAX_FREE: usize = 128;

/// Escapes a value, so that it can neither add nor leave a directory.
pub(super) fn escape(value: &str, if_empty: &str) -> String {
    let value = if value.is_empty() { if_empty } else { value };
    PathPart::from(value).as_ref().to_owned()
}

/// Escapes a value of any length. A long one becomes its SHA-256, because a key that is too long would lose the video.
pub(super) fn escape_free(value: &str, if_empty: &str) -> String {
    let escaped = escape(value, if_empty);
    match escaped.len() {
        0..=MAX_FREE => escaped,
        _ => format!("sha256-{}", hex::encode(Sha256::digest(value))),
    }
}

/// Returns a name as a part of a key. Values in it are escaped already.
pub(super) fn escaped_part(name: &str) -> PathPart<'_> {
    PathPart::parse(name).unwrap_or_else(|_| PathPart::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_any_length_is_a_name_of_a_directory() {
        assert_eq!(escape_free("", "none"), "none");
        assert_eq!(escape_free("user-7", "none"), "user-7");
        assert_eq!(escape_free("a/b \"*\" ü", "none"), "a%2Fb %22%2A%22 %C3%BC");
        let longest = "x".repeat(MAX_FREE);
        assert_eq!(escape_free(&longest, "none"), longest);
        let names = ["x", "ü", "/", "\u{0}", "🎬"].map(|char| {
            let name = escape_free(&char.repeat(65_536), "none");
            assert!(name.starts_with("sha256-") && name.len() == 71, "{name}");
            name
        });
        assert!(names.iter().skip(1).all(|name| *name != names[0]));
    }
}
