//! The accounts file: TOML with a table `[accounts.NAME]` for each account.

use std::{collections::BTreeSet, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    error::ConfigError,
    format::RawValue,
    reader::{Input, Reader},
    source::Source,
};

/// The text of a file.
pub(super) struct File<'a> {
    name: &'a str,
    text: &'a str,
    variable: &'a dyn Fn(&str) -> Option<String>,
}

/// The table of an account.
pub(super) struct AccountTable<'a> {
    pub(super) name: &'a str,
    file: &'a File<'a>,
    span: Range<usize>,
    table: &'a DeTable<'a>,
}

impl<'a> File<'a> {
    /// Returns a file with this name and text. `variable` returns an environment variable.
    pub(super) fn new(
        name: &'a str,
        text: &'a str,
        variable: &'a dyn Fn(&str) -> Option<String>,
    ) -> Self {
        Self {
            name,
            text,
            variable,
        }
    }

    /// Parses the file. Returns `None` if it is invalid TOML, and reports every error. The valid part has no meaning: a
    /// missing quotation mark turns a secret into a key, whose name would be shown.
    pub(super) fn parse(&self, reader: &mut Reader) -> Option<DeTable<'a>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        let is_valid = errors.is_empty();
        for error in errors {
            let span = error.span().unwrap_or_default();
            // The full error would quote the line.
            let problem = format!("invalid TOML: {}", error.message());
            reader.errors.push(self.error(&span, problem));
        }
        is_valid.then(|| table.into_inner())
    }

    /// Returns the tables of the accounts.
    pub(super) fn accounts(
        &'a self,
        root: &'a DeTable<'a>,
        reader: &mut Reader,
    ) -> Vec<AccountTable<'a>> {
        let accounts = root.get("accounts").map(Spanned::get_ref);
        let Some(DeValue::Table(accounts)) = accounts else {
            let problem = "accounts must be a table; add `[accounts.NAME]` for each account";
            reader.errors.push(self.error(&(0..0), problem));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (name, value) in accounts {
            let name: &str = name.get_ref();
            match value.get_ref() {
                DeValue::Table(table) => tables.push(AccountTable {
                    name,
                    file: self,
                    span: value.span(),
                    table,
                }),
                _ => {
                    let problem = format!("accounts.{name} must be a table");
                    reader.errors.push(self.error(&value.span(), problem));
                }
            }
        }
        tables
    }

    fn error(&self, span: &Range<usize>, problem: impl Into<String>) -> ConfigError {
        ConfigError {
            source: self.source(span),
            problem: problem.into(),
        }
    }

    fn source(&self, span: &Range<usize>) -> Source {
        let before = self.text.get(..span.start).unwrap_or_default();
        Source::Line {
            file: self.name.to_owned(),
            line: before.matches('\n').count() + 1,
        }
    }
}

impl AccountTable<'_> {
    /// Reports the keys that are in none of the `known` settings.
    pub(super) fn check_keys(&self, known: &[String], reader: &mut Reader) {
        self.check_keys_in(self.table, "", known, reader);
    }

    fn check_keys_in(
        &self,
        table: &DeTable<'_>,
        prefix: &str,
        known: &[String],
        reader: &mut Reader,
    ) {
        for (key, value) in table {
            let name = format!("{prefix}{}", key.get_ref());
            let section = format!("{name}.");
            // A quoted key with a dot is not a path.
            let is_plain = !key.get_ref().contains('.');
            if is_plain && known.contains(&name) {
                continue;
            }
            let is_section = is_plain && known.iter().any(|known| known.starts_with(&section));
            match value.get_ref() {
                DeValue::Table(table) if is_section => {
                    self.check_keys_in(table, &section, known, reader);
                }
                _ if is_section => self.report(reader, value.span(), &name, "must be a table"),
                _ => {
                    let known = keys_under(prefix, known).join(", ");
                    let problem = format!("is an unknown key; known keys: {known}");
                    self.report(reader, key.span(), &name, &problem);
                }
            }
        }
    }

    fn report(&self, reader: &mut Reader, span: Range<usize>, name: &str, problem: &str) {
        let problem = format!("{} {problem}", self.full_name(name));
        reader.errors.push(self.file.error(&span, problem));
    }

    /// Returns the span of a setting, or of the innermost table that would contain it.
    fn span_of(&self, name: &str) -> Range<usize> {
        let (mut table, mut span, mut rest) = (self.table, self.span.clone(), name);
        loop {
            // The keys of a map may contain dots.
            if let Some(value) = table.get(rest) {
                return value.span();
            }
            let Some((key, after)) = rest.split_once('.') else {
                return span;
            };
            match table.get(key).map(|value| (value.span(), value.get_ref())) {
                Some((inner, DeValue::Table(next))) => {
                    (table, span, rest) = (next, inner, after);
                }
                _ => return span,
            }
        }
    }

    fn get(&self, name: &str) -> Option<&Spanned<DeValue<'_>>> {
        let mut keys = name.split('.');
        let mut value = self.table.get(keys.next()?)?;
        for key in keys {
            let DeValue::Table(table) = value.get_ref() else {
                return None;
            };
            value = table.get(key)?;
        }
        Some(value)
    }
}

impl Input for AccountTable<'_> {
    fn full_name(&self, name: &str) -> String {
        let account = format!("accounts.{}", self.name);
        match name {
            "" => account,
            name => format!("{account}.{name}"),
        }
    }

    fn label(&self, name: &str) -> String {
        name.to_owned()
    }

    fn value(&self, name: &str) -> Option<(RawValue<'_>, Source)> {
        let value = self.get(name)?;
        let source = self.file.source(&value.span());
        Some((RawValue::Toml(value.get_ref()), source))
    }

    fn entries(&self, name: &str) -> Result<Vec<(&str, RawValue<'_>)>, String> {
        let Some(DeValue::Table(table)) = self.get(name).map(Spanned::get_ref) else {
            return Err("must be a table".to_owned());
        };
        let mut entries = Vec::new();
        for (key, value) in table {
            let key: &str = key.get_ref();
            entries.push((key, RawValue::Toml(value.get_ref())));
        }
        Ok(entries)
    }

    fn variable(&self, variable: &str) -> Option<String> {
        (self.file.variable)(variable).filter(|value| !value.trim().is_empty())
    }

    fn error(&self, name: &str, problem: &str) -> ConfigError {
        let problem = format!("{} {problem}", self.full_name(name));
        self.file.error(&self.span_of(name), problem)
    }
}

/// Returns the keys of the table with this prefix.
fn keys_under<'k>(prefix: &str, known: &'k [String]) -> Vec<&'k str> {
    let keys = known.iter().filter_map(|name| name.strip_prefix(prefix));
    let keys = keys.filter_map(|name| name.split('.').next());
    keys.collect::<BTreeSet<_>>().into_iter().collect()
}
