//! Texts of which each character could be searched again and again.

use super::*;

/// If what follows a character is searched and not removed, the next such character must not search it again: each of these
/// texts would take minutes.
#[test]
fn a_text_of_a_mebibyte_is_read_once() {
    const LENGTH: usize = 1 << 20;
    for part in [
        "?",
        "a?",
        "token:/",
        "/?REDACTED\\n",
        "<token>REDACTED\\n",
        "token=REDACTED\\n",
        "cookie:REDACTED\\u{9}",
        "\\u{",
        "&#",
        "%25",
        "//a",
    ] {
        let text = part.repeat(LENGTH / part.len());
        assert!(secrets(&text) == text, "{part}");
    }
    let half = "1".repeat(LENGTH / 2);
    let text = format!("{half}:2{}", "@".repeat(LENGTH / 2));
    assert!(secrets(&text) == text, "times");
}
