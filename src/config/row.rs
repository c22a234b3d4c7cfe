//! The rows of the tables of settings. A row defines a setting: its name, variable, description, format, and the
//! field that it writes. The reader, `config show` and the reference use the same rows.

use super::{
    Secret,
    format::{Format, RawValue},
};

/// A setting that is read into a field of the draft `D`.
pub(super) struct Row<D> {
    /// Name of the setting. A setting of an account is named like its TOML key, e.g. `windows.margin`.
    pub(super) name: &'static str,
    /// Environment variable of the setting; of an account, for the account `default`.
    pub(super) variable: Option<&'static str>,
    /// The default, if the reference has to describe it. `None` for the value in a new draft.
    pub(super) default: Option<&'static str>,
    /// The description, in Markdown.
    pub(super) doc: &'static str,
    pub(super) kind: Kind<D>,
}

/// How a setting is given.
pub(super) enum Kind<D> {
    /// By one value.
    Value(Box<dyn Field<D>>),
    /// By the secret itself, a file (`…_file`), or the name of a variable (`…_env`).
    Secret(fn(&mut D) -> &mut Option<Secret>),
    /// By a table with keys of the user's choice.
    Map(Map<D>),
}

/// A table with keys of the user's choice.
pub(super) struct Map<D> {
    pub(super) description: &'static str,
    pub(super) insert: fn(&mut D, key: &str, value: &str) -> Result<(), String>,
    pub(super) show: fn(&mut D) -> String,
}

/// A field of the draft `D`, with its format.
pub(super) trait Field<D> {
    fn set(&self, draft: &mut D, value: &RawValue) -> Result<(), String>;
    fn show(&self, draft: &mut D) -> String;
    fn description(&self) -> &str;
}

/// A key under which a setting can be given.
pub(super) struct Key {
    pub(super) name: String,
    pub(super) variable: Option<String>,
}

impl<D> Row<D> {
    /// Returns the row of a setting that is given by one value.
    pub(super) fn value<T: 'static>(
        name: &'static str,
        format: Format<T>,
        field: fn(&mut D) -> &mut T,
        doc: &'static str,
    ) -> Self
    where
        D: 'static,
    {
        let field = FormattedField { format, field };
        Self::new(name, Kind::Value(Box::new(field)), doc)
    }

    /// Returns the row of a secret.
    pub(super) fn secret(
        name: &'static str,
        field: fn(&mut D) -> &mut Option<Secret>,
        doc: &'static str,
    ) -> Self {
        Self::new(name, Kind::Secret(field), doc)
    }

    /// Returns the row of a table with keys of the user's choice.
    pub(super) fn map(name: &'static str, map: Map<D>, doc: &'static str) -> Self {
        Self::new(name, Kind::Map(map), doc)
    }

    fn new(name: &'static str, kind: Kind<D>, doc: &'static str) -> Self {
        Self {
            name,
            variable: None,
            default: None,
            doc,
            kind,
        }
    }

    /// Sets the environment variable of the setting. For a secret, `…_FILE` is a variable too.
    pub(super) fn variable(self, variable: &'static str) -> Self {
        Self {
            variable: Some(variable),
            ..self
        }
    }

    /// Describes the default.
    pub(super) fn default(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    /// Returns the keys under which the setting can be given: three for a secret, one for any other.
    pub(super) fn keys(&self) -> Vec<Key> {
        let key = |suffix: &str, variable: Option<String>| Key {
            name: format!("{}{suffix}", self.name),
            variable,
        };
        let variable = |suffix| self.variable.map(|name| format!("{name}{suffix}"));
        let mut keys = vec![key("", variable(""))];
        if let Kind::Secret(_) = self.kind {
            keys.push(key("_file", variable("_FILE")));
            keys.push(key("_env", None));
        }
        keys
    }
}

struct FormattedField<D, T> {
    format: Format<T>,
    field: fn(&mut D) -> &mut T,
}

impl<D, T: 'static> Field<D> for FormattedField<D, T> {
    fn set(&self, draft: &mut D, value: &RawValue) -> Result<(), String> {
        *(self.field)(draft) = self.format.parse(value)?;
        Ok(())
    }

    fn show(&self, draft: &mut D) -> String {
        self.format.show((self.field)(draft))
    }

    fn description(&self) -> &str {
        &self.format.description
    }
}
