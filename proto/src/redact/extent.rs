//! Where a secret ends. When in doubt, further.
//!
//! Whoever searches for an end that may be far away replaces everything up to it. Nothing is searched twice, so that the
//! time is linear: a service can send texts of megabytes.

use std::ops::Range;

use super::{escapes::Unit, names::Name};

/// Maximum distance at which something is searched that may not be there, so that the time stays linear.
const MAX_DISTANCE: usize = 256;

/// What a secret is replaced by.
pub(super) const REDACTED: &str = "REDACTED";
/// How the escape of a control character starts.
const ESCAPES: [&str; 4] = ["\\n", "\\r", "\\t", "\\u{"];

/// Returns whether a secret was removed here, and the control character after it was escaped since. What follows is no
/// part of the secret.
pub(super) fn was_redacted(text: &str, at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    let after = rest.strip_prefix(REDACTED);
    after.is_some_and(|after| ESCAPES.iter().any(|escape| after.starts_with(escape)))
}

/// Returns the extent of what has no white space and no quotation mark. `None` if it was redacted.
pub(super) fn run(text: &str, at: usize) -> Option<Range<usize>> {
    (!was_redacted(text, at)).then(|| at..run_end(text, at))
}

/// Returns the extent of the rest of the line. `None` if it was redacted.
pub(super) fn line(text: &str, at: usize) -> Option<Range<usize>> {
    (!was_redacted(text, at)).then(|| at..line_end(text, at))
}

/// Returns the characters from a position.
pub(super) fn units(text: &str, at: usize) -> impl Iterator<Item = Unit> {
    let first = Unit::at(text, at);
    std::iter::successors(first, |unit| Unit::at(text, unit.end))
}

/// Returns the position of the next white space or quotation mark.
pub(super) fn run_end(text: &str, at: usize) -> usize {
    let end = units(text, at).find(|unit| unit.is_end(text));
    end.map_or(text.len(), |unit| unit.start)
}

/// Returns the end of the line.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    rest.find(char::is_control)
        .map_or(text.len(), |length| at + length)
}

/// Returns the position after spaces.
pub(super) fn skip_spaces(text: &str, at: usize) -> usize {
    let space = |unit: &Unit| unit.character.is_whitespace();
    let last = units(text, at).take_while(space).last();
    last.map_or(at, |unit| unit.end)
}

/// Returns the extent of a value that is in quotation marks or brackets, without the marks. `None` if it is not.
pub(super) fn enclosed(text: &str, at: usize) -> Option<Range<usize>> {
    let first = Unit::at(text, at)?;
    match first.character {
        '"' | '\'' => {
            // Inside, the mark is escaped once more.
            let mark = text.get(first.start..first.end);
            let end = units(text, first.end).find(|unit| text.get(unit.start..unit.end) == mark);
            Some(first.end..end.map_or(text.len(), |unit| unit.start))
        }
        '{' | '[' => {
            let mut depth = 0_usize;
            let end = units(text, at).find(|unit| {
                match unit.character {
                    '{' | '[' => depth += 1,
                    '}' | ']' => depth -= 1,
                    _ => {}
                }
                depth == 0
            });
            Some(at..end.map_or(text.len(), |unit| unit.end))
        }
        _ => None,
    }
}

/// Returns the extent of a number or a word in JSON, or of whatever has no white space. `None` if it is `null`, `true` or
/// `false`, or empty.
pub(super) fn scalar(text: &str, at: usize) -> Option<Range<usize>> {
    let is_plain =
        |unit: &Unit| unit.character.is_alphanumeric() || "._+-".contains(unit.character);
    let last = units(text, at).take_while(is_plain).last();
    let end = last.map_or(at, |unit| unit.end);
    let next = Unit::at(text, end);
    let ends = next.is_none_or(|unit| unit.is_end(text) || ",}]".contains(unit.character));
    let end = if ends { end } else { run_end(text, at) };
    let word = text.get(at..end)?;
    (!["", "null", "true", "false"].contains(&word)).then_some(at..end)
}

/// Returns the extent of the content of an element that holds a secret. `at` is after `<`. An element without an end, in
/// a text that was cut, extends to the end of the text.
pub(super) fn secret_element(text: &str, at: usize) -> Option<Range<usize>> {
    let (name, after_name) = tag_name(text, at);
    if !name.is_credential() {
        return None;
    }
    let mut attributes = None;
    let mut previous = ' ';
    let tag = units(text, after_name).take(MAX_DISTANCE);
    let mut tag = tag.take_while(|unit| unit.character != '<');
    let tag_end = tag.find(|unit| {
        let is_end = unit.character == '>';
        if !is_end {
            attributes.get_or_insert(*unit);
            previous = unit.character;
        }
        is_end
    })?;
    let start = match attributes {
        None => tag_end.end,
        Some(_) if previous == '/' => return None,
        // An attribute may be the secret.
        Some(space) if space.character.is_whitespace() => space.end,
        Some(_) => return None,
    };
    if was_redacted(text, start) {
        return None;
    }
    let mut before = None;
    let end = units(text, tag_end.end).find_map(|unit| {
        let opening = before
            .replace(unit)
            .filter(|it: &Unit| it.character == '<')?;
        let closes = unit.character == '/' && tag_name(text, unit.end).0.is_credential();
        closes.then_some(opening.start)
    });
    Some(start..end.unwrap_or(text.len()))
}

/// Returns the name of an element, without its prefix, and the position after it.
fn tag_name(text: &str, at: usize) -> (Name, usize) {
    let mut name = Name::default();
    let mut end = at;
    for unit in units(text, at).take(MAX_DISTANCE) {
        match unit.character {
            ':' => name.clear(),
            character if name.push(character) => {}
            _ => break,
        }
        end = unit.end;
    }
    (name, end)
}

/// The part of a URL between `//` and the path.
pub(super) struct Authority {
    start: usize,
    end: usize,
    /// Position of the `@` after the user name and the password.
    at_sign: Option<usize>,
    has_dot: bool,
    has_port: bool,
    /// Whether what follows the last colon is not a port.
    has_invalid_port: bool,
}

impl Authority {
    pub(super) fn at(text: &str, start: usize) -> Self {
        let mut authority = Self {
            start,
            end: start,
            at_sign: None,
            has_dot: false,
            has_port: false,
            has_invalid_port: false,
        };
        for unit in units(text, start) {
            if unit.is_end(text) || matches!(unit.character, '/' | '?' | '#' | '\\') {
                break;
            }
            match unit.character {
                '@' => {
                    authority.at_sign = Some(unit.start);
                    authority.has_invalid_port = false;
                }
                '.' => authority.has_dot = true,
                ':' | ']' => {
                    authority.has_port = true;
                    authority.has_invalid_port = false;
                }
                character => {
                    authority.has_invalid_port |= authority.has_port && !character.is_ascii_digit();
                }
            }
            authority.end = unit.end;
        }
        authority
    }

    /// Returns the extent of the user name and the password. A password may contain the characters that end an
    /// authority, although they should be escaped: what precedes them is no port then.
    pub(super) fn user_info(&self, text: &str) -> Option<Range<usize>> {
        let at_sign = self.at_sign.or_else(|| {
            let rest = units(text, self.end).take(MAX_DISTANCE);
            let run = rest.take_while(|unit| !unit.is_end(text));
            let signs = run.filter(|unit| unit.character == '@' && self.has_invalid_port);
            signs.last().map(|unit| unit.start)
        })?;
        Some(self.start..at_sign).filter(|range| !range.is_empty())
    }

    /// Returns the position of the last `@`, if there is one.
    pub(super) fn at_sign(&self) -> Option<usize> {
        self.at_sign
    }

    /// Returns whether this looks like a host, although no scheme precedes it.
    pub(super) fn is_host(&self) -> bool {
        self.has_dot || self.has_port || self.at_sign.is_some()
    }
}
