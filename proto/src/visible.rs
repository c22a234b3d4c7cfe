//! Text from outside, as a person may see it: invisible characters that are pasted into a setting or an id, and
//! characters that would let a text forge lines or control a terminal.

use std::borrow::Cow;

/// Quotation marks of word processors, which belong to no id and no key.
const QUOTES: [char; 10] = [
    '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}', '\u{201c}', '\u{201d}', '\u{201e}', '\u{201f}',
    '\u{ab}', '\u{bb}',
];

/// Returns whether a character shows nothing, or only space, although it is not an ASCII space: byte-order marks,
/// zero-width characters, joiners, soft hyphens, no-break spaces, marks of direction, control characters.
pub fn is_invisible(character: char) -> bool {
    match character {
        ' ' => false,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        character => character.is_control() || character.is_whitespace(),
    }
}

/// Removes white space and invisible characters around a text.
pub fn trim(text: &str) -> &str {
    text.trim_matches(|character: char| character == ' ' || is_invisible(character))
}

/// Checks that a trimmed id, key or setting contains no character that cannot be meant: an invisible one, or a
/// quotation mark of a word processor.
///
/// # Errors
///
/// Returns an error that names the character by its code point and completes "the line …". It does not contain the
/// text.
pub fn check(text: &str) -> Result<(), String> {
    let is_strange = |character: &char| is_invisible(*character) || QUOTES.contains(character);
    match text.chars().find(is_strange) {
        Some(character) => Err(format!(
            "contains U+{:04X}; delete it",
            u32::from(character)
        )),
        None => Ok(()),
    }
}

/// Escapes the characters of a text that a terminal would obey, or that would make a text look like another one:
/// control characters, marks of direction and characters without width. Line breaks are escaped too. Joiners and
/// variation selectors, which belong to words and emoji, are kept.
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_except(text, |_| false)
}

/// Escapes a text as [`escape`] does, but keeps line breaks and tabs.
pub fn escape_lines(text: &str) -> Cow<'_, str> {
    escape_except(text, |character| matches!(character, '\n' | '\t'))
}

fn escape_except(text: &str, is_kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_escaped = |character: char| misleads(character) && !is_kept(character);
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match is_escaped(character) {
            true => escaped.extend(character.escape_default()),
            false => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

/// Returns whether a character controls a terminal or changes how the text around it looks.
pub fn misleads(character: char) -> bool {
    match character {
        // Joiners and variation selectors.
        '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' => false,
        // Parts of emoji, such as the flags of regions.
        '\u{e0020}'..='\u{e007f}' => false,
        '\u{2028}' | '\u{2029}' => true,
        character => {
            is_invisible(character) && (character.is_control() || !character.is_whitespace())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_around_a_text_are_removed() {
        for text in [
            "cgt-1",
            "\u{feff}cgt-1\r\n",
            "\u{200b} cgt-1\u{a0}\u{200d}",
            "\u{ad}\tcgt-1\u{2060}\u{180e}",
            "\u{202a}cgt-1\u{202c}\u{200e}",
            "\u{3000}cgt-1\u{2028}",
        ] {
            assert_eq!(trim(text), "cgt-1", "{text:?}");
        }
        assert_eq!(trim("\u{feff}\u{200b}"), "");
        assert_eq!(trim("two words"), "two words");
    }

    #[test]
    fn an_invisible_character_inside_a_text_is_named() {
        for (text, name) in [
            ("cgt\u{200b}-1", "U+200B"),
            ("cgt\u{feff}-1", "U+FEFF"),
            ("cgt\u{a0}-1", "U+00A0"),
            ("cgt\u{ad}-1", "U+00AD"),
            ("cgt\u{200d}-1", "U+200D"),
            ("cgt\r-1", "U+000D"),
            ("“cgt-1”", "U+201C"),
            ("‘cgt-1’", "U+2018"),
            ("cgt\u{e0041}-1", "U+E0041"),
        ] {
            let error = check(text).unwrap_err();
            assert_eq!(error, format!("contains {name}; delete it"));
        }
        for text in ["cgt-1", "two words", "密钥", "\"quoted\""] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        for (text, escaped) in [
            ("plain ü 视频", "plain ü 视频"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\u{202e}4pm", "\\u{202e}4pm"),
            ("\u{2066}a\u{2069}", "\\u{2066}a\\u{2069}"),
            ("a\u{2028}b", "a\\u{2028}b"),
            ("\u{200b}", "\\u{200b}"),
            ("\u{1f469}\u{200d}\u{1f680}", "\u{1f469}\u{200d}\u{1f680}"),
            ("no\u{a0}break", "no\u{a0}break"),
        ] {
            assert_eq!(escape(text), escaped);
        }
        assert_eq!(escape_lines("a\n\tb\r\u{1b}"), "a\n\tb\\r\\u{1b}");
    }
}
