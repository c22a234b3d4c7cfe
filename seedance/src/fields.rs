//! The fields of a JSON object, each read as the type that it should have.

use serde_json::{Map, Value};

/// The fields of an object. Services differ in details, so absent, `null`, an empty string and a number in quotes all
/// occur.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(crate) fn text(self, name: &str) -> String {
        match self.0.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    /// Returns the first text that is not empty.
    pub(crate) fn first_text(self, names: &[&str]) -> String {
        let texts = names.iter().map(|name| self.text(name));
        texts
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or_default()
    }

    pub(crate) fn integer(self, name: &str) -> Option<i64> {
        integer(self.0.get(name)?)
    }

    pub(crate) fn integers(self) -> impl Iterator<Item = (String, i64)> {
        let fields = self.0.iter();
        fields.filter_map(|(name, value)| Some((name.clone(), integer(value)?)))
    }

    pub(crate) fn flag(self, name: &str) -> Option<bool> {
        match self.0.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => number.as_i64().map(|number| number != 0),
            Value::String(text) => text.trim().to_lowercase().parse().ok(),
            _ => None,
        }
    }

    pub(crate) fn object(self, name: &str) -> Option<Fields<'a>> {
        self.0.get(name)?.as_object().map(Fields)
    }

    pub(crate) fn objects(self, name: &str) -> impl Iterator<Item = Fields<'a>> {
        let items = self.0.get(name).and_then(Value::as_array);
        let objects = items.into_iter().flatten().filter_map(Value::as_object);
        objects.map(Fields)
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => {
            // Beyond 2^53 a float does not have the digits that the service sent.
            let is_exact =
                |float: f64| float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0;
            let integral = |float: f64| is_exact(float).then_some(float as i64);
            number
                .as_i64()
                .or_else(|| number.as_f64().and_then(integral))
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
