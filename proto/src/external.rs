//! Text that somebody else wrote: an error of a store, a body of an API, a field of a record, the value of a header.
//!
//! Whatever enters a failure, a heartbeat, a log or an object passes one of these functions. They remove secrets, and
//! bound the length: Temporal fails an activity for good if its failure or its result is too large, whatever its retry
//! policy says. Applying them again changes nothing in a text that was not cut, so a text may pass several of them.

use std::borrow::Cow;

use crate::{redact, visible};

/// Maximum length of a text that a message quotes, in characters.
pub const MAX_QUOTE: usize = 1_000;
/// Maximum length of a message, in characters.
pub const MAX_MESSAGE: usize = 2_000;
/// Maximum number of bytes that are read of a text, far beyond what is kept of it.
const MAX_READ: usize = 256 * 1024;
/// Maximum length of a word that is not cut where the reading ends.
const MAX_WORD: usize = 4 * 1024;

/// Returns a text as a message quotes it: on one line, without secrets, and at most [`MAX_QUOTE`] characters long.
pub fn quote(text: &str) -> String {
    line(text, MAX_QUOTE)
}

/// Returns a whole message: on one line, without secrets, and at most [`MAX_MESSAGE`] characters long.
pub fn message(text: &str) -> String {
    line(text, MAX_MESSAGE)
}

/// Returns a text on one line, without secrets, and at most `max` characters long.
pub fn line(text: &str, max: usize) -> String {
    let (head, missing) = head(text);
    let safe = redact::secrets(head);
    match visible::escape(&safe) {
        Cow::Borrowed(line) => bounded(line, max, missing),
        // An escaped control character no longer ends a word, so that there may be another secret.
        Cow::Owned(line) => bounded(&redact::secrets(&line), max, missing),
    }
}

/// Returns the value of a field without secrets, and at most `max` characters long. Line breaks are kept.
pub fn field(text: &str, max: usize) -> String {
    let (head, missing) = head(text);
    bounded(&redact::secrets(head), max, missing)
}

/// Returns the part of a text that is read, and the number of characters after it. It ends between two words, so that no
/// user name is read without the `@` after its password.
fn head(text: &str) -> (&str, usize) {
    let limit = text.floor_char_boundary(MAX_READ);
    if limit == text.len() {
        return (text, 0);
    }
    let window = text.floor_char_boundary(MAX_READ - MAX_WORD);
    let space = text[window..limit].rfind(char::is_whitespace);
    let (head, rest) = text.split_at(space.map_or(limit, |space| window + space));
    (head, rest.chars().count())
}

/// Cuts a text to at most `max` characters. The end says how many are missing, with those that were not read.
fn bounded(text: &str, max: usize, missing: usize) -> String {
    let count = text.chars().count();
    if missing == 0 && count <= max {
        return text.to_owned();
    }
    let total = count + missing;
    let mark = |missing: usize| format!("… ({missing} more characters)");
    let kept = max.saturating_sub(mark(total).chars().count()).min(count);
    let kept_text: String = text.chars().take(kept).collect();
    kept_text + &mark(total - kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        let text = "é".repeat(3_000_000);
        let message = message(&text);
        assert_eq!(message.chars().count(), MAX_MESSAGE);
        assert!(
            message.ends_with("… (2998027 more characters)"),
            "{}",
            &message[3_900..]
        );
        assert_eq!(line("four", 4), "four");
    }

    #[test]
    fn a_message_is_one_line_without_secrets() {
        let text = "403:\n<Token-0>secret</Token-0>\r\u{1b}[2J";
        assert_eq!(
            message(text),
            "403:\\n<Token-0>REDACTED</Token-0>\\r\\u{1b}[2J"
        );
        assert_eq!(field("one\ntwo", 100), "one\ntwo");
    }

    #[test]
    fn nothing_is_changed_twice() {
        for text in [
            "word ".repeat(1_000),
            "line\n".repeat(1_000),
            "https://a.example/v?b=c ".repeat(500),
            "403 for https://a.example/v?b=c\nRequest id: 5".to_owned(),
            "Authorization: Bearer a\r\nHost: a.example".to_owned(),
            "token=a\tb \"key\": 1, user:a\u{17}b@a.example".to_owned(),
        ] {
            let once = message(&text);
            assert_eq!(message(&once), once);
        }
    }

    #[test]
    fn a_line_after_a_secret_is_kept() {
        for (text, expected) in [
            (
                "403 for https://a.example/v?b=c\nRequest id: 5",
                "403 for https://a.example/v?REDACTED\\nRequest id: 5",
            ),
            (
                "Authorization: Bearer a\r\nHost: a.example",
                "Authorization: REDACTED\\r\\nHost: a.example",
            ),
            (
                "api_key: sk-1234567\u{2028}end",
                "api_key: REDACTED\\u{2028}end",
            ),
        ] {
            assert_eq!(message(text), expected);
            assert_eq!(message(expected), expected);
        }
    }

    #[test]
    fn a_password_where_the_reading_ends_is_removed() {
        // Removing the first URL brings the end of what is read into what is kept.
        let url = format!("https://a.example/v?{}", "x".repeat(MAX_READ - 120));
        for before in 0..120 {
            let text = format!("{url} {} http://user:ZZZZ@b.example ", "y".repeat(before));
            let text = text + &"end ".repeat(1_000);
            assert!(!quote(&text).contains('Z'), "{before}");
        }
    }

    #[test]
    fn a_secret_at_the_cut_is_removed() {
        for before in MAX_QUOTE - 60..=MAX_QUOTE {
            let text = format!(
                "{} https://a.example/v?X-Tos-Signature=ZZZZ",
                "x".repeat(before)
            );
            assert!(!quote(&text).contains('Z'), "{before}");
        }
    }
}
