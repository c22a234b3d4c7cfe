//! The argument of `--after`.

use object_store::path::Path;

/// Parses a key. It need not exist.
pub(super) fn parse(text: &str) -> Result<Path, String> {
    match Path::parse(text) {
        Ok(key) if key.is_root() => Err("a key is not empty".to_owned()),
        Ok(key) => Ok(key),
        Err(_) => Err(
            "a key consists of names with a `/` between them; no name is empty, `.` or `..`, \
             or contains a control character"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_can_be_any_key() {
        for key in ["a", "a/b c/manifest.json", "default/2025", "-a", "ü/%2E"] {
            assert_eq!(parse(key).unwrap().as_ref(), key);
        }
        for invalid in ["", "/", "a//b", "a/../b", ".", "a\nb"] {
            assert!(parse(invalid).is_err(), "{invalid:?}");
        }
    }
}
