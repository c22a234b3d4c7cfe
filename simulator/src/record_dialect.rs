//! Ways in which services and gateways differ from the documented API.

use std::str::FromStr;

use jiff::Timestamp;
use seedance_archiver_proto::status;
use serde_json::{Value, json};

/// How the record of a task differs from the documented one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RecordDialect {
    /// Times are in milliseconds.
    Milliseconds,
    /// Times are texts: RFC 3339.
    Dates,
    /// There are no times.
    Timeless,
    /// The URL of the video is in `metadata.url`.
    MetadataUrl,
    /// The URL of the video is in `content.result_url`.
    ResultUrl,
    /// The URL of the video is in a field that is not looked for: `clips[0].link`.
    UnknownUrl,
    /// The statuses are `submitted`, `processing`, `succeed`, `fail`, `terminated` and `timeout`.
    OtherWords,
    /// The status of a succeeded task is a word that no client knows.
    UnknownWord,
    /// The body has a byte order mark, a lone surrogate, a byte that is not UTF-8, and numbers that do not fit.
    StrictParsersRefuse,
    /// The record has a prompt of 2 MiB.
    Large,
    /// The record repeats the API key and a URL with a password.
    RepeatsSecrets,
    /// The record has no status, so that nobody can read it.
    Unreadable,
}

const NAMES: [(&str, RecordDialect); 12] = [
    ("milliseconds", RecordDialect::Milliseconds),
    ("dates", RecordDialect::Dates),
    ("timeless", RecordDialect::Timeless),
    ("metadata_url", RecordDialect::MetadataUrl),
    ("result_url", RecordDialect::ResultUrl),
    ("unknown_url", RecordDialect::UnknownUrl),
    ("other_words", RecordDialect::OtherWords),
    ("unknown_word", RecordDialect::UnknownWord),
    ("strict_parsers_refuse", RecordDialect::StrictParsersRefuse),
    ("large", RecordDialect::Large),
    ("repeats_secrets", RecordDialect::RepeatsSecrets),
    ("unreadable", RecordDialect::Unreadable),
];

impl FromStr for RecordDialect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = NAMES.iter().find(|(name, _)| *name == text);
        found.map(|(_, dialect)| *dialect).ok_or_else(|| {
            let names = NAMES.map(|(name, _)| name).join(", ");
            format!("must be one of {names}")
        })
    }
}

impl RecordDialect {
    /// Changes a record. `api_key` is the key that a careless service repeats in it.
    pub(crate) fn apply(self, record: &mut Value, api_key: &str) {
        match self {
            Self::Milliseconds => change_times(record, |time| json!(time * 1_000 + 771)),
            Self::Dates => change_times(record, |time| match Timestamp::from_second(time) {
                Ok(time) => json!(time.to_string()),
                Err(_) => Value::Null,
            }),
            Self::Timeless => change_times(record, |_| Value::Null),
            Self::MetadataUrl => move_url(record, |record, url| {
                record["metadata"] = json!({"url": url})
            }),
            Self::ResultUrl => move_url(record, |record, url| {
                record["content"]["result_url"] = url;
            }),
            Self::UnknownUrl => move_url(record, |record, url| {
                record["clips"] = json!([{"link": url}])
            }),
            Self::OtherWords => {
                let word = match record["status"].as_str().unwrap_or_default() {
                    status::QUEUED => "submitted",
                    status::RUNNING => "processing",
                    status::SUCCEEDED => "succeed",
                    status::FAILED => "fail",
                    status::CANCELLED => "terminated",
                    _ => "timeout",
                };
                record["status"] = word.into();
            }
            Self::UnknownWord if record["status"] == status::SUCCEEDED => {
                record["status"] = "delivered".into();
            }
            Self::Large => record["revised_prompt"] = "kite ".repeat(400 * 1024).into(),
            Self::RepeatsSecrets => {
                let message = format!("key {api_key} via http://user:password@proxy.example/x");
                record["note"] = message.clone().into();
                if record["status"] == status::FAILED {
                    record["error"]["message"] = message.into();
                }
            }
            Self::Unreadable => record["status"] = Value::Null,
            Self::UnknownWord | Self::StrictParsersRefuse => {}
        }
    }

    /// Returns the body of a response with a record.
    pub(crate) fn body(self, record: &Value) -> Vec<u8> {
        let json = record.to_string();
        match (self, json.strip_suffix('}')) {
            (Self::StrictParsersRefuse, Some(fields)) => [
                b"\xef\xbb\xbf",
                fields.as_bytes(),
                b",\"caption\":\"caf\xff \\ud800\",\"cost\":1e400,\"ticket\":12345678901234567890123}",
            ]
            .concat(),
            _ => json.into_bytes(),
        }
    }
}

fn change_times(record: &mut Value, change: impl Fn(i64) -> Value) {
    for name in ["created_at", "updated_at"] {
        if let Some(time) = record[name].as_i64() {
            record[name] = change(time);
        }
    }
}

fn move_url(record: &mut Value, place: impl Fn(&mut Value, Value)) {
    let url = record["content"]["video_url"].take();
    if url.is_string() {
        if let Some(content) = record["content"].as_object_mut() {
            content.remove("video_url");
        }
        place(record, url);
    }
}
