//! Serde helpers for protobuf's JSON mapping: `null` is the default value, and 64-bit integers are numbers or
//! quoted.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

pub(crate) fn int64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(optional_int64(deserializer)?.unwrap_or_default())
}

pub(crate) fn optional_int64<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    Option::<Int64>::deserialize(deserializer)?
        .map(Int64::parse)
        .transpose()
}

pub(crate) fn int64_map<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, i64>, D::Error> {
    Option::<BTreeMap<String, Int64>>::deserialize(deserializer)?
        .unwrap_or_default()
        .into_iter()
        .map(|(key, value)| Ok((key, value.parse()?)))
        .collect()
}

/// Reads text that is itself JSON, and may be written as the JSON value.
pub(crate) fn text_of_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => String::new(),
        Value::String(text) => text,
        value => value.to_string(),
    })
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Int64 {
    Number(i64),
    Quoted(String),
}

impl Int64 {
    fn parse<E: Error>(self) -> Result<i64, E> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Quoted(text) => text
                .parse()
                .map_err(|_| E::custom(format!("`{text}` is not a 64-bit integer"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::v1::{GenerateVideoRequest, Usage, VideoTask, VideoTaskLifecycleRequest};

    #[test]
    fn serializes_with_the_names_and_number_types_of_the_api() {
        let task = VideoTask {
            id: "cgt-1".into(),
            created_at: 1_750_000_000,
            framespersecond: Some(24),
            generate_audio: Some(false),
            ..VideoTask::default()
        };
        let expected = json!({
            "id": "cgt-1", "created_at": 1750000000, "framespersecond": 24,
            "generate_audio": false,
        });
        assert_eq!(serde_json::to_value(task).unwrap(), expected);
    }

    #[test]
    fn parses_the_json_of_protobuf_serializers() {
        let request = json!({"taskId": "cgt-1", "account": null, "ofTheFuture": {"a": [1]}});
        let request: VideoTaskLifecycleRequest = serde_json::from_value(request).unwrap();
        assert_eq!(
            (request.task_id.as_str(), request.account.as_str()),
            ("cgt-1", "")
        );

        let task = json!({
            "createdAt": "1750000000", "seed": "4294967295", "frames": null, "tools": null,
            "usage": {"totalTokens": "7", "toolUsage": {"web_search": "2"}},
        });
        let task: VideoTask = serde_json::from_value(task).unwrap();
        let expected = VideoTask {
            created_at: 1_750_000_000,
            seed: Some(4_294_967_295),
            usage: Some(Usage {
                total_tokens: 7,
                tool_usage: [("web_search".to_owned(), 2)].into(),
                ..Usage::default()
            }),
            ..VideoTask::default()
        };
        assert_eq!(task, expected);
    }

    #[test]
    fn the_body_of_a_create_request_is_an_object_or_its_text() {
        let body = json!({"model": "m", "content": [], "seed": 4294967295_u64, "ofTheFuture": 1.5});
        for request in [body.clone(), json!(body.to_string())] {
            let request = json!({"request": request});
            let request: GenerateVideoRequest = serde_json::from_value(request).unwrap();
            let read: serde_json::Value = serde_json::from_str(&request.request).unwrap();
            assert_eq!(read, body);
        }
        let null: GenerateVideoRequest = serde_json::from_value(json!({"request": null})).unwrap();
        assert_eq!(null.request, "");
    }

    #[test]
    fn rejects_a_value_that_is_not_an_integer() {
        for number in [json!("soon"), json!(1.5), json!([])] {
            let task = serde_json::from_value::<VideoTask>(json!({"created_at": number}));
            assert!(task.is_err(), "{task:?}");
        }
    }
}
