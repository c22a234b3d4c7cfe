//! Selects the format of logs.

use std::str::FromStr;

use crate::stdio;

/// Environment variable with the format of logs.
pub(crate) const LOG_FORMAT: &str = "SEEDANCE_LOG_FORMAT";

/// The format of logs.
#[derive(Clone, Copy, Debug, PartialEq, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum LogFormat {
    /// Lines of text.
    Text,
    /// A JSON object on each line.
    Json,
}

impl LogFormat {
    /// Returns the format that the environment sets, else text on a terminal and JSON elsewhere.
    ///
    /// An invalid value counts as unset: reading the configuration reports it.
    pub(super) fn from_environment() -> Self {
        let value = std::env::var(LOG_FORMAT).ok();
        let format = value.and_then(|value| value.parse().ok());
        format.unwrap_or_else(|| match stdio::stderr_is_terminal() {
            true => Self::Text,
            false => Self::Json,
        })
    }
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(value: &str) -> Result<Self, String> {
        match value.trim() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("must be `text` or `json`".to_owned()),
        }
    }
}
