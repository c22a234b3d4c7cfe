//! Reads settings from an input into a draft, row by row. An error does not end the reading, so that all
//! errors are reported together.

use seedance_archiver_proto::visible;
use seedance_archiver_seedance::Secret;

use super::{
    error::ConfigError,
    format::RawValue,
    row::{Kind, Map, Row},
    source::{Source, Sources},
};

/// Where settings are given: the environment, or the table of an account in a file. Names of settings are as in
/// their rows.
pub(super) trait Input {
    /// Returns the name of a setting in the whole configuration, e.g. `accounts.eu.base_url`.
    fn full_name(&self, name: &str) -> String;

    /// Returns the name of a setting in this input: its variable, or its full name.
    fn label(&self, name: &str) -> String;

    /// Returns the value of a setting, and where it is given, or `None` if it is not given.
    fn value(&self, name: &str) -> Option<(RawValue<'_>, Source)>;

    /// Returns the keys and values of a table.
    ///
    /// # Errors
    ///
    /// Returns an error if the setting is not a table.
    fn entries(&self, name: &str) -> Result<Vec<(&str, RawValue<'_>)>, String>;

    /// Returns an environment variable. An empty one counts as not set.
    fn variable(&self, variable: &str) -> Option<String>;

    /// Returns an error about a setting. `problem` is a predicate after the setting's name, e.g. `must be a URL`.
    fn error(&self, name: &str, problem: &str) -> ConfigError;
}

/// The result of reading so far: the sources of settings, and all errors.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) sources: Sources,
    pub(super) errors: Vec<ConfigError>,
}

impl Reader {
    /// Reads settings into a draft. An invalid value leaves its field unchanged.
    pub(super) fn read<'r, D: 'static>(
        &mut self,
        rows: impl IntoIterator<Item = &'r Row<D>>,
        input: &dyn Input,
        draft: &mut D,
    ) {
        for row in rows {
            match &row.kind {
                Kind::Value(field) => {
                    self.read_value(input, row.name, |value| field.set(draft, value));
                }
                Kind::Secret(field) => *field(draft) = self.read_secret(input, row),
                Kind::Map(map) => self.read_map(input, row.name, map, draft),
            }
        }
    }

    /// Records an error about a setting.
    pub(super) fn error(&mut self, input: &dyn Input, name: &str, problem: impl AsRef<str>) {
        self.sources.set_invalid(&input.full_name(name));
        self.errors.push(input.error(name, problem.as_ref()));
    }

    /// Records that a setting of the input comes from a preset.
    pub(super) fn record_preset(&mut self, input: &dyn Input, name: &str, preset: &'static str) {
        let source = Source::Preset(preset);
        self.sources.record(input.full_name(name), source);
    }

    fn read_value<T>(
        &mut self,
        input: &dyn Input,
        name: &str,
        parse: impl FnOnce(&RawValue) -> Result<T, String>,
    ) -> Option<T> {
        let (value, source) = input.value(name)?;
        self.sources.record(input.full_name(name), source);
        parse(&value)
            .map_err(|problem| self.error(input, name, problem))
            .ok()
    }

    fn read_secret<D>(&mut self, input: &dyn Input, row: &Row<D>) -> Option<Secret> {
        let given = row.keys().into_iter().map(|key| key.name);
        let given: Vec<_> = given.filter(|name| input.value(name).is_some()).collect();
        match given.as_slice() {
            [] => None,
            [name] => self.read_value(input, name, |value| {
                let text = value.text()?;
                match name.strip_prefix(row.name) {
                    Some("_file") => secret_file(text),
                    Some("_env") => secret_variable(value.token()?, input),
                    _ => Ok(Secret::from(value.token()?.to_owned())),
                }
            }),
            [first, second, ..] => {
                for name in &given {
                    self.read_value(input, name, |_| Ok(()));
                }
                let second = input.label(second);
                let problem = format!("is set together with {second}; remove one of them");
                self.error(input, first, problem);
                None
            }
        }
    }

    fn read_map<D>(&mut self, input: &dyn Input, name: &str, map: &Map<D>, draft: &mut D) {
        if self.read_value(input, name, |_| Ok(())).is_none() {
            return;
        }
        let entries = match input.entries(name) {
            Ok(entries) => entries,
            Err(problem) => return self.error(input, name, problem),
        };
        for (key, value) in entries {
            let inserted = match value.text() {
                Ok(text) => (map.insert)(draft, key, text),
                Err(problem) => Err(problem),
            };
            if let Err(problem) = inserted {
                self.sources.set_invalid(&input.full_name(name));
                self.error(input, &format!("{name}.{key}"), problem);
            }
        }
    }
}

/// Returns a secret in a file. A file that is missing at the start is an error; later it may be replaced.
fn secret_file(path: &str) -> Result<Secret, String> {
    let secret = Secret::File(path.into());
    secret
        .read()
        .map_err(|error| format!("must name a file that contains a secret: {error}"))?;
    Ok(secret)
}

fn secret_variable(name: &str, input: &dyn Input) -> Result<Secret, String> {
    match input.variable(name) {
        Some(secret) => {
            let secret = visible::trim(&secret);
            visible::check(secret)
                .map_err(|problem| format!("names the variable {name}, which {problem}"))?;
            Ok(Secret::from(secret.to_owned()))
        }
        // The value may be the secret itself instead of a variable name, so the error does not repeat it.
        None if is_variable_name(name) => {
            Err(format!("names the variable {name}, which is not set"))
        }
        None => Err("must be the name of an environment variable, such as `EU_API_KEY`".to_owned()),
    }
}

fn is_variable_name(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.chars().all(is_allowed)
}
