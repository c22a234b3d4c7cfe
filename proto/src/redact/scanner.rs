//! Reads a text once and finds its secrets by what precedes them.

use std::{borrow::Cow, ops::Range};

use super::{
    escapes::Unit,
    extent::{
        Authority, REDACTED, enclosed, line, line_end, run, run_end, scalar, secret_element,
        skip_spaces, units, was_redacted,
    },
    names::Name,
    scope::Scope,
};

/// What the list of settings shows instead of a secret.
const PLACEHOLDERS: [&str; 2] = ["(none)", "(a secret)"];
/// Maximum length of the name of a parameter.
const MAX_PARAMETER: usize = 128;

/// Replaces the secrets in a text.
pub(super) fn redact(text: &str, scope: Scope) -> Cow<'_, str> {
    let mut scanner = Scanner {
        text,
        scope,
        redacted: String::new(),
        copied: 0,
        run: Run::default(),
        word: Word::default(),
        previous: ' ',
        slashes: 0,
        before_slashes: ' ',
    };
    let mut at = 0;
    while let Some(unit) = Unit::at(text, at) {
        at = unit.end;
        let secret = scanner.secret_at(unit);
        scanner.pass(unit);
        if let Some(secret) = secret {
            at = at.max(secret.end);
            scanner.replace(secret);
        }
    }
    scanner.finish()
}

struct Scanner<'a> {
    text: &'a str,
    scope: Scope,
    redacted: String,
    /// Up to here the text is in `redacted`.
    copied: usize,
    run: Run,
    word: Word,
    previous: char,
    /// Number of slashes just passed, and the character before them.
    slashes: usize,
    before_slashes: char,
}

/// What was passed since the last white space or quotation mark.
#[derive(Default)]
struct Run {
    start: usize,
    is_url: bool,
    /// Position of the first slash.
    slash: Option<usize>,
    /// Position of the first colon, unless a slash precedes it.
    colon: Option<usize>,
}

/// The last word that may be a name.
#[derive(Default)]
struct Word {
    name: Name,
    /// The character before the word.
    before: char,
    /// Whether white space follows the word.
    is_past: bool,
}

impl Scanner<'_> {
    /// Returns the extent of a secret that this character introduces.
    fn secret_at(&mut self, unit: Unit) -> Option<Range<usize>> {
        let is_text = self.scope == Scope::Text;
        let secret = match unit.character {
            '/' => self.user_info_after_slash(unit),
            '?' => self.query(unit),
            '#' if self.run.is_url => run(self.text, unit.end),
            '=' => self.parameter(unit),
            '@' if is_text => self.user_info_before(unit),
            ':' if is_text => self.header(unit),
            '"' | '\'' if is_text => self.field(unit),
            '<' if is_text => secret_element(self.text, unit.end),
            ' ' if is_text => self.authorization(unit),
            _ => None,
        };
        let secret = secret.filter(|it| !it.is_empty() && !was_redacted(self.text, it.start))?;
        match self.scope {
            Scope::Text => Some(secret.start..self.end_with_its_value(secret)),
            Scope::Urls => Some(secret),
        }
    }

    /// Returns where a secret ends. If it ends with the name of a credential whose value follows, as after `secret:`
    /// without a value, that value is a secret too. The name may be a part of the first one, so it is removed as well.
    fn end_with_its_value(&self, mut secret: Range<usize>) -> usize {
        while let Some(value) = self.value_after_name(&secret) {
            secret = value;
        }
        secret.end
    }

    /// Returns the extent of the value that follows a secret that ends with the name of a credential. `None` if it does
    /// not.
    fn value_after_name(&self, secret: &Range<usize>) -> Option<Range<usize>> {
        let is_separator = |unit: &Unit| matches!(unit.character, ':' | '=');
        let is_mark = |unit: &Unit| matches!(unit.character, '"' | '\'');
        let mut word = Name::default();
        let mut end = secret.end;
        for unit in units(self.text, secret.start).take_while(|unit| unit.end <= secret.end) {
            if is_separator(&unit) && unit.end == secret.end {
                end = unit.start;
            } else if !word.push(unit.character) {
                word.clear();
            }
        }
        if !word.is_credential() {
            return None;
        }
        if let Some(mark) = Unit::at(self.text, end).filter(is_mark) {
            end = mark.end;
        }
        let separator = Unit::at(self.text, skip_spaces(self.text, end)).filter(is_separator)?;
        let start = skip_spaces(self.text, separator.end);
        let value = enclosed(self.text, start).unwrap_or_else(|| match word.is_header() {
            true => start..line_end(self.text, start),
            false => start..run_end(self.text, start),
        });
        Some(value).filter(|value| !value.is_empty())
    }

    /// Recognizes a URL by the two or more slashes before its host. Returns its user name and password.
    fn user_info_after_slash(&mut self, unit: Unit) -> Option<Range<usize>> {
        if self.slashes == 0 || self.previous != '/' {
            return None;
        }
        let authority = Authority::at(self.text, unit.end);
        if self.before_slashes != ':' && !authority.is_host() {
            return None;
        }
        self.run.is_url = true;
        authority.user_info(self.text)
    }

    /// Returns the user name and the password before `@`, without a scheme.
    fn user_info_before(&self, unit: Unit) -> Option<Range<usize>> {
        let colon = self.run.colon.filter(|_| !self.run.is_url)?;
        let start = self.run.start.max(self.copied);
        let user = self.text.get(start..colon)?;
        let password = self.text.get(colon + 1..unit.start)?;
        let host = Unit::at(self.text, unit.end)?.character;
        let is_time = |text: &str| text.bytes().all(|it| it.is_ascii_digit() || it == b':');
        // The password first: of several of the same run, only one may be as long as the user.
        let is_other = || user.eq_ignore_ascii_case("mailto") || is_time(password) && is_time(user);
        if user.is_empty()
            || password.is_empty()
            || !(host.is_alphanumeric() || host == '[')
            || is_other()
        {
            return None;
        }
        // The password may contain the same character.
        let last = Authority::at(self.text, unit.end).at_sign();
        Some(start..last.unwrap_or(unit.start))
    }

    /// Returns the query after `?`: whatever follows in a URL, and in other text what looks like a query.
    fn query(&self, unit: Unit) -> Option<Range<usize>> {
        let rest = || units(self.text, unit.end);
        let first = rest().next().filter(|unit| !unit.is_end(self.text))?;
        let is_name = |unit: &Unit| {
            unit.character.is_ascii_alphanumeric() || "_-.~[]%+".contains(unit.character)
        };
        let has_parameter = || {
            let mut after_name = rest().take(MAX_PARAMETER).skip_while(is_name);
            after_name.next().is_some_and(|unit| unit.character == '=')
        };
        let is_query =
            self.run.is_url || self.run.slash.is_some() && is_name(&first) || has_parameter();
        is_query.then(|| run(self.text, unit.end)).flatten()
    }

    /// Returns the value of a parameter that is secret by its name.
    fn parameter(&self, unit: Unit) -> Option<Range<usize>> {
        let Word { name, before, .. } = &self.word;
        let is_in_query = matches!(before, '?' | '&');
        let is_secret = match self.scope {
            Scope::Text => name.is_secret_parameter(is_in_query),
            Scope::Urls => name.is_signature() || is_in_query && name.is_secret_parameter(true),
        };
        if !is_secret {
            return None;
        }
        let start = skip_spaces(self.text, unit.end);
        let value = self.text.get(start..)?;
        if PLACEHOLDERS.iter().any(|it| value.starts_with(it)) {
            return None;
        }
        enclosed(self.text, start).or_else(|| run(self.text, start))
    }

    /// Returns the value after the name of a header or a field without quotation marks.
    fn header(&self, unit: Unit) -> Option<Range<usize>> {
        let Word { name, is_past, .. } = &self.word;
        if *is_past || !name.is_credential() {
            return None;
        }
        let start = skip_spaces(self.text, unit.end);
        let is_attached = start == unit.end;
        if let Some(value) = enclosed(self.text, start) {
            return Some(value);
        }
        if name.is_header() {
            return line(self.text, start);
        }
        let is_path = is_attached && self.text.get(start..)?.starts_with([':', '/']);
        if is_path {
            return None;
        }
        let value = run(self.text, start)?;
        let text = self.text.get(value.clone())?;
        let is_secret = is_attached || name.has_no_sentence() || looks_random(text);
        is_secret.then_some(value)
    }

    /// Returns the value of a field whose name ends with this quotation mark.
    fn field(&self, unit: Unit) -> Option<Range<usize>> {
        let Word { name, is_past, .. } = &self.word;
        if *is_past || !name.is_credential() {
            return None;
        }
        let separator = Unit::at(self.text, skip_spaces(self.text, unit.end))?;
        if !matches!(separator.character, ':' | '=') {
            return None;
        }
        let start = skip_spaces(self.text, separator.end);
        enclosed(self.text, start).or_else(|| scalar(self.text, start))
    }

    /// Returns the credential after the name of an authorization scheme.
    fn authorization(&self, unit: Unit) -> Option<Range<usize>> {
        if self.word.is_past || !self.word.name.is_authorization_scheme() {
            return None;
        }
        let value = run(self.text, unit.end)?;
        let text = self.text.get(value.clone())?;
        let has_capital = without_redacted(text)
            .chars()
            .skip(1)
            .any(char::is_uppercase);
        (looks_random(text) || has_capital).then_some(value)
    }

    /// Remembers a character.
    fn pass(&mut self, unit: Unit) {
        let character = unit.character;
        if unit.is_end(self.text) {
            self.run = Run {
                start: unit.end,
                ..Run::default()
            };
        }
        match character {
            '/' => {
                if self.slashes == 0 {
                    self.before_slashes = self.previous;
                }
                self.slashes += 1;
                self.run.slash.get_or_insert(unit.start);
            }
            _ => self.slashes = 0,
        }
        if character == ':' && self.run.slash.is_none() && self.run.colon.is_none() {
            self.run.colon = Some(unit.start).filter(|_| unit.end == unit.start + 1);
        }
        self.word.pass(character, self.previous);
        self.previous = character;
    }

    fn replace(&mut self, secret: Range<usize>) {
        let before = self.text.get(self.copied..secret.start);
        self.redacted.push_str(before.unwrap_or_default());
        self.redacted.push_str(REDACTED);
        self.copied = secret.end;
        self.run.colon = None;
        self.run.slash = self.run.slash.filter(|slash| *slash < secret.start);
        self.word = Word::default();
        self.previous = 'D';
        self.slashes = 0;
    }
}

impl<'a> Scanner<'a> {
    fn finish(mut self) -> Cow<'a, str> {
        if self.copied == 0 && self.redacted.is_empty() {
            return Cow::Borrowed(self.text);
        }
        let rest = self.text.get(self.copied..);
        self.redacted.push_str(rest.unwrap_or_default());
        Cow::Owned(self.redacted)
    }
}

impl Word {
    fn pass(&mut self, character: char, previous: char) {
        if character.is_whitespace() {
            self.is_past = true;
            return;
        }
        if self.is_past {
            self.name.clear();
            self.is_past = false;
        }
        let is_first = self.name.is_empty();
        match self.name.push(character) {
            true if is_first => self.before = previous,
            true => {}
            false => self.name.clear(),
        }
    }
}

/// Returns a word without the text that replaced secrets in it, which must not make the rest look like a secret.
fn without_redacted(word: &str) -> String {
    word.replace(REDACTED, "")
}

/// Returns whether a word is a secret rather than part of a sentence.
fn looks_random(word: &str) -> bool {
    let word = without_redacted(word);
    let word = word.trim_matches(|it: char| it.is_ascii_punctuation());
    let has = |is: fn(&char) -> bool| word.chars().any(|it| is(&it));
    let is_mixed = has(char::is_ascii_digit) && has(char::is_ascii_alphabetic);
    word.len() >= 20 || word.len() >= 6 && is_mixed || word.contains("//")
}
