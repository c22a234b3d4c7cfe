//! The effective settings, each with its source, for `config show` and logs. Secrets are not shown.

use serde::Serialize;

use super::{
    Secret,
    format::NONE,
    row::{Kind, Row},
    source::{Source, Sources},
};

/// An effective setting.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// Name of the setting, e.g. `accounts.eu.base_url`.
    pub name: String,
    /// The value, or a placeholder for a secret.
    pub value: String,
    /// Where the setting comes from.
    pub source: Source,
}

const SECRET: &str = "(a secret)";
/// Placeholder of an invalid value, or of a value that belongs to an invalid account.
const INVALID: &str = "(cannot be used)";

/// Lists settings.
pub(super) struct Listing<'a> {
    sources: &'a Sources,
    settings: Vec<Setting>,
}

impl<'a> Listing<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self {
            sources,
            settings: Vec::new(),
        }
    }

    /// Lists the settings of a table. `prefix` comes before their names.
    pub(super) fn add_rows<D>(&mut self, rows: &[Row<D>], prefix: &str, draft: &mut D) {
        for row in rows {
            let (name, value) = show(row, draft, |name| {
                self.sources.has(&format!("{prefix}{name}"))
            });
            self.add(format!("{prefix}{name}"), value);
        }
    }

    /// Adds the settings that are given but not used, such as those of an invalid account, and returns all.
    pub(super) fn finish(mut self) -> Vec<Setting> {
        let is_listed = |name: &str| self.settings.iter().any(|setting| setting.name == name);
        let unused = self.sources.names().filter(|name| !is_listed(name));
        for name in unused.map(str::to_owned).collect::<Vec<_>>() {
            self.add(name, INVALID.to_owned());
        }
        self.settings
    }

    fn add(&mut self, name: String, value: String) {
        let (source, is_invalid) = self.sources.get(&name);
        self.settings.push(Setting {
            name,
            value: if is_invalid {
                INVALID.to_owned()
            } else {
                value
            },
            source,
        });
    }
}

/// Returns the default of a setting, as it is shown.
pub(super) fn show_default<D>(row: &Row<D>, draft: &mut D) -> String {
    show(row, draft, |_| false).1
}

/// Returns the name under which a setting is given, and its value.
fn show<D>(row: &Row<D>, draft: &mut D, is_given: impl Fn(&str) -> bool) -> (String, String) {
    let mut names = row.keys().into_iter().map(|key| key.name);
    let name = names.find(|name| is_given(name));
    let value = match &row.kind {
        Kind::Value(field) => field.show(draft),
        Kind::Map(map) => (map.show)(draft),
        Kind::Secret(field) => match field(draft) {
            Some(Secret::Value(_)) => SECRET.to_owned(),
            Some(Secret::File(path)) => path.display().to_string(),
            None => NONE.to_owned(),
        },
    };
    (name.unwrap_or_else(|| row.name.to_owned()), value)
}

#[cfg(test)]
mod tests;
