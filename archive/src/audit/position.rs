//! The position up to which receipts are verified.

use object_store::path::Path;

/// The last key such that all receipts up to this key are verified.
#[derive(Clone, Debug)]
pub struct Position {
    key: Option<Path>,
    is_final: bool,
}

impl Position {
    /// Returns the position of a verification that starts after a key.
    pub fn new(after: Option<Path>) -> Self {
        Self {
            key: after,
            is_final: false,
        }
    }

    /// Moves to the next key. If the store does not list keys in order, as S3 Express One Zone does not, there is no
    /// position.
    pub fn advance_to(&mut self, key: Path) {
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
    pub fn stop(&mut self) {
        self.is_final = true;
    }

    /// Returns the last key up to which all receipts are verified.
    pub fn key(&self) -> Option<&Path> {
        self.key.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
