//! Settings that are given by environment variables.

use super::{
    error::ConfigError,
    format::RawValue,
    reader::Input,
    row::{Key, Row},
    source::Source,
};

/// The variables of a table of settings.
pub(super) struct Environment<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    prefix: &'static str,
    keys: Vec<Key>,
}

impl<'a> Environment<'a> {
    /// Returns the variables of `rows`. `prefix` comes before the names of the settings; `variable` returns an
    /// environment variable.
    pub(super) fn new<D>(
        variable: &'a dyn Fn(&str) -> Option<String>,
        prefix: &'static str,
        rows: &[Row<D>],
    ) -> Self {
        Self {
            variable,
            prefix,
            keys: rows.iter().flat_map(Row::keys).collect(),
        }
    }

    /// Returns the name of the first setting whose variable is set.
    pub(super) fn first_given(&self) -> Option<&str> {
        let mut names = self.keys.iter().map(|key| key.name.as_str());
        names.find(|name| self.is_given(name))
    }

    /// Returns whether the variable of a setting is set.
    pub(super) fn is_given(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    fn variable_of(&self, name: &str) -> Option<&str> {
        let key = self.keys.iter().find(|key| key.name == name)?;
        key.variable.as_deref()
    }
}

impl Input for Environment<'_> {
    fn full_name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn label(&self, name: &str) -> String {
        let variable = self.variable_of(name).map(str::to_owned);
        variable.unwrap_or_else(|| self.full_name(name))
    }

    fn value(&self, name: &str) -> Option<(RawValue<'_>, Source)> {
        let variable = self.variable_of(name)?;
        let value = RawValue::Variable(self.variable(variable)?);
        Some((value, Source::Variable(variable.to_owned())))
    }

    fn entries(&self, _: &str) -> Result<Vec<(&str, RawValue<'_>)>, String> {
        Err("can only be set in the accounts file".to_owned())
    }

    fn variable(&self, variable: &str) -> Option<String> {
        (self.variable)(variable).filter(|value| !value.trim().is_empty())
    }

    fn error(&self, name: &str, problem: &str) -> ConfigError {
        ConfigError {
            source: Source::Variable(self.label(name)),
            problem: problem.to_owned(),
        }
    }
}
