//! Parses the settings in prompts.

use std::str::FromStr;

pub(crate) fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| "is not an integer or out of range".to_owned())
}

pub(crate) fn flag(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "must be true or false".to_owned())
}
