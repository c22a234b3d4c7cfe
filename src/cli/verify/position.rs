//! The position up to which receipts are verified.

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

/// The last key such that all receipts up to this key are verified.
#[derive(Debug)]
pub(super) struct Position {
    key: Option<Path>,
    is_final: bool,
}

impl Position {
    /// Returns the position of a verification that starts after a key.
    pub(super) fn new(after: Option<Path>) -> Self {
        Self {
            key: after,
            is_final: false,
        }
    }

    /// Moves to the next key. If the store does not list keys in order, as S3 Express One Zone does not, there is no
    /// position.
    pub(super) fn advance_to(&mut self, key: Path) {
        if self.is_final {
            return;
        }
        if self.key.as_ref() < Some(&key) {
            self.key = Some(key);
        } else {
            self.key = None;
            self.is_final = true;
        }
    }

    /// Stays where it is, because receipts after it may be missing in the list.
    pub(super) fn stop(&mut self) {
        self.is_final = true;
    }

    pub(super) fn key(&self) -> Option<&Path> {
        self.key.as_ref()
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

    #[test]
    fn a_position_moves_while_keys_are_in_order() {
        let mut position = Position::new(None);
        position.advance_to(Path::from("a/b"));
        position.advance_to(Path::from("b"));
        assert_eq!(position.key(), Some(&Path::from("b")));
        position.advance_to(Path::from("a/c"));
        assert_eq!(position.key(), None);
        position.advance_to(Path::from("c"));
        assert_eq!(position.key(), None);
    }

    #[test]
    fn a_position_does_not_pass_receipts_that_were_not_listed() {
        let mut position = Position::new(Some(Path::from("a")));
        position.stop();
        position.advance_to(Path::from("b"));
        assert_eq!(position.key(), Some(&Path::from("a")));
    }
}
