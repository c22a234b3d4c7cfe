//! One character of a text, however it is escaped.
//!
//! A URL or a field may be quoted in JSON, XML, HTML or the query of another URL, and several of these at once. The
//! parsers read characters, so a separator is one in every form: `&`, `%26`, `%2526`, `\u0026`, `&amp;`.

/// Maximum number of times that one escape is escaped itself.
const MAX_NESTING: usize = 8;

/// A character at a position of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unit {
    pub(super) character: char,
    /// Position of its first byte.
    pub(super) start: usize,
    /// Position after its last byte.
    pub(super) end: usize,
}

impl Unit {
    /// Returns the character at a position, or `None` at the end of the text.
    pub(super) fn at(text: &str, start: usize) -> Option<Self> {
        let rest = text.get(start..)?;
        let first = rest.chars().next()?;
        let escape = match first {
            '%' => percent(rest),
            '\\' => backslash(rest),
            '&' => entity(rest),
            _ => None,
        };
        let (character, length) = escape.unwrap_or((first, first.len_utf8()));
        Some(Self {
            character,
            start,
            end: start + length,
        })
    }

    /// Returns whether the character ends whatever has no white space, such as a URL: white space, a control
    /// character or a quotation mark. An escaped one may be part of it. The mark after a backslash ends a string in JSON.
    pub(super) fn is_end(self, text: &str) -> bool {
        let last = text.get(..self.end).and_then(|read| read.chars().last());
        last.is_some_and(|last| {
            last.is_whitespace() || last.is_control() || matches!(last, '"' | '`' | '<' | '>')
        })
    }
}

/// Reads `%XX`, whose `%` may be escaped as `%25`.
fn percent(text: &str) -> Option<(char, usize)> {
    let mut digits = text.get(1..)?;
    for _ in 0..MAX_NESTING {
        match digits.strip_prefix("25") {
            Some(inner) if ascii(inner).is_some() => digits = inner,
            _ => break,
        }
    }
    Some((ascii(digits)?, text.len() - digits.len() + 2))
}

/// Reads the ASCII character with this code of two hexadecimal digits.
fn ascii(digits: &str) -> Option<char> {
    let code = hexadecimal(digits.get(..2)?)?;
    char::from_u32(code).filter(char::is_ascii)
}

/// Reads `\/`, `\"`, `\'`, `\xXX`, `\uXXXX` or `\u{XX}`, whose backslash may be escaped too.
fn backslash(text: &str) -> Option<(char, usize)> {
    let backslashes = text.bytes().take(2 * MAX_NESTING);
    let backslashes = backslashes.take_while(|byte| *byte == b'\\').count();
    let escaped = text.get(backslashes..)?;
    let (character, length) = match escaped.as_bytes().first()? {
        b'/' => ('/', 1),
        b'"' => ('"', 1),
        b'\'' => ('\'', 1),
        b'x' => (char::from_u32(hexadecimal(escaped.get(1..3)?)?)?, 3),
        b'u' => unicode(escaped)?,
        _ => return None,
    };
    Some((character, backslashes + length))
}

fn unicode(text: &str) -> Option<(char, usize)> {
    let (digits, length) = match text.get(1..)?.strip_prefix('{') {
        Some(braced) => {
            let mut head = braced.bytes().take(MAX_NESTING + 1);
            let digits = braced.get(..head.position(|byte| byte == b'}')?)?;
            (digits, digits.len() + "u{}".len())
        }
        None => (text.get(1..5)?, 5),
    };
    // Half of a surrogate pair is no separator.
    let character = char::from_u32(hexadecimal(digits)?).unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((character, length))
}

/// Reads an entity of XML or HTML, whose `&` may be escaped as `&amp;`.
fn entity(text: &str) -> Option<(char, usize)> {
    const NAMED: [(&str, char); 10] = [
        ("quot;", '"'),
        ("apos;", '\''),
        ("lt;", '<'),
        ("gt;", '>'),
        ("sol;", '/'),
        ("quest;", '?'),
        ("equals;", '='),
        ("colon;", ':'),
        ("num;", '#'),
        ("commat;", '@'),
    ];
    let mut name = text.get(1..)?;
    for _ in 0..MAX_NESTING {
        match name.strip_prefix("amp;") {
            Some(inner) => name = inner,
            None => break,
        }
    }
    let before = text.len() - name.len();
    let named = NAMED.iter().find(|(entity, _)| name.starts_with(entity));
    if let Some((entity, character)) = named {
        return Some((*character, before + entity.len()));
    }
    numbered(name)
        .map(|(character, length)| (character, before + length))
        .or_else(|| (before > 1).then_some(('&', before)))
}

fn numbered(name: &str) -> Option<(char, usize)> {
    let head = name.as_bytes().iter().take(MAX_NESTING + 2);
    let end = head.into_iter().position(|byte| *byte == b';')?;
    let number = name.get(..end)?.strip_prefix('#')?;
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => hexadecimal(digits),
        None => number.parse().ok(),
    };
    Some((char::from_u32(code?)?, end + 1))
}

fn hexadecimal(digits: &str) -> Option<u32> {
    let is_number = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_hexdigit());
    is_number
        .then(|| u32::from_str_radix(digits, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_read_in_every_form() {
        for (character, forms) in [
            (
                '&',
                &[
                    "&",
                    "%26",
                    "%2526",
                    "%252526",
                    "\\u0026",
                    "\\\\u0026",
                    "\\x26",
                    "\\u{26}",
                    "&amp;",
                    "&amp;amp;",
                    "&#38;",
                    "&#x26;",
                    "&amp;#38;",
                ][..],
            ),
            (
                '/',
                &["/", "%2F", "%2f", "\\/", "\\\\/", "\\u002f", "&#x2F;"],
            ),
            (
                '"',
                &["\"", "\\\"", "\\\\\\\"", "%22", "&quot;", "&amp;quot;"],
            ),
            ('?', &["?", "%3F", "%253f", "\\u003F", "&quest;"]),
        ] {
            for form in forms {
                let unit = Unit::at(form, 0).unwrap();
                assert_eq!(
                    (unit.character, unit.end),
                    (character, form.len()),
                    "{form}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_escape_is_read_as_it_is() {
        for text in [
            "%", "%2", "%zz", "%é", "\\", "\\n", "\\u12", "&", "& b", "&#;", "é",
        ] {
            let unit = Unit::at(text, 0).unwrap();
            let first = text.chars().next().unwrap();
            assert_eq!(
                (unit.character, unit.end),
                (first, first.len_utf8()),
                "{text}"
            );
        }
        assert_eq!(Unit::at("a", 1), None);
    }

    #[test]
    fn an_escaped_quotation_mark_ends_no_url_unless_json_escaped_it() {
        let is_end = |text: &str| Unit::at(text, 0).is_some_and(|unit| unit.is_end(text));
        for text in [" ", "\n", "\u{3000}", "\"", "\\\"", "<", "\u{1b}"] {
            assert!(is_end(text), "{text:?}");
        }
        for text in ["a", "'", "%22", "%20", "&quot;", "&lt;", "\\u0020"] {
            assert!(!is_end(text), "{text:?}");
        }
    }
}
