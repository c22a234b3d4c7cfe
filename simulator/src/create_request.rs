//! Parses requests that create a task.

use reqwest::Url;
use serde_json::{Map, Value};

use crate::{
    error::ApiError,
    script::{Image, Script},
};

/// Types of the items in `content`.
const CONTENT_ITEM_TYPES: [&str; 5] = ["text", "image_url", "video_url", "audio_url", "draft_task"];

/// The fields of a create request.
#[derive(Clone, Debug)]
pub(crate) struct CreateRequest(Map<String, Value>);

impl CreateRequest {
    /// Parses a request and the script in its prompt.
    pub(crate) fn parse(body: &[u8]) -> Result<(Self, Script), ApiError> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|error| ApiError::invalid("body", &format!("not JSON: {error}")))?;
        let Value::Object(fields) = body else {
            return Err(ApiError::invalid("body", "must be a JSON object"));
        };
        let request = Self(fields);
        if request.text("model").is_empty() {
            return Err(ApiError::missing("model"));
        }
        if !request.model().chars().all(is_model_character) {
            return Err(ApiError::invalid(
                "model",
                "may contain only letters, digits, `-`, `_` and `.`",
            ));
        }
        let mut script = Script {
            generate_audio: request.flag("generate_audio")?,
            last_frame: request.flag("return_last_frame")?.then_some(Image::Png),
            callback_url: request.callback_url()?,
            ..Script::default()
        };
        for prompt in request.prompts()? {
            script
                .apply_prompt(prompt)
                .map_err(|problem| ApiError::invalid("content.text", &problem))?;
        }
        Ok((request, script))
    }

    /// Returns the request of a task that is created in code, from a script alone.
    pub(crate) fn from_script(script: &Script) -> Self {
        let fields = [
            ("model", Value::from("seedance-1-5-pro-251215")),
            ("generate_audio", script.generate_audio.into()),
            (
                "service_tier",
                if script.flex { "flex" } else { "default" }.into(),
            ),
        ];
        Self(
            fields
                .map(|(name, value)| (name.to_owned(), value))
                .into_iter()
                .collect(),
        )
    }

    pub(crate) fn model(&self) -> &str {
        self.text("model")
    }

    pub(crate) fn service_tier(&self) -> &str {
        match self.text("service_tier") {
            "" => "default",
            tier => tier,
        }
    }

    /// Returns the task whose draft the video is made from.
    pub(crate) fn draft_task_id(&self) -> Option<&str> {
        let mut content = self.get("content")?.as_array()?.iter();
        content.find_map(|item| item["draft_task"]["id"].as_str())
    }

    /// Returns a field of the request, or `None` if it is absent or null.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn flag(&self, name: &str) -> Result<bool, ApiError> {
        let value = self.get(name).unwrap_or(&Value::Bool(false));
        value
            .as_bool()
            .ok_or_else(|| ApiError::invalid(name, "must be true or false"))
    }

    fn callback_url(&self) -> Result<Option<String>, ApiError> {
        let Some(value) = self.get("callback_url") else {
            return Ok(None);
        };
        value
            .as_str()
            .filter(|text| callback_url(text).is_some())
            .map(|text| Some(text.to_owned()))
            .ok_or_else(|| ApiError::invalid("callback_url", "must be an http or https URL"))
    }

    fn prompts(&self) -> Result<Vec<&str>, ApiError> {
        let content = self.get("content").and_then(Value::as_array);
        let content = content.filter(|items| !items.is_empty());
        let mut prompts = Vec::new();
        for item in content.ok_or_else(|| ApiError::missing("content"))? {
            let kind = item["type"].as_str().unwrap_or_default();
            if !CONTENT_ITEM_TYPES.contains(&kind) {
                let problem = format!("`{kind}` is not one of {}", CONTENT_ITEM_TYPES.join(", "));
                return Err(ApiError::invalid("content.type", &problem));
            }
            if item.get(kind).is_none() {
                return Err(ApiError::missing(&format!("content.{kind}")));
            }
            prompts.extend(item["text"].as_str());
        }
        Ok(prompts)
    }
}

/// Parses a callback URL. Returns `None` if it is not an http or https URL.
pub(crate) fn callback_url(text: &str) -> Option<Url> {
    Url::parse(text)
        .ok()
        .filter(|url| ["http", "https"].contains(&url.scheme()))
}

/// Returns whether a model may contain this character. Models become URL path segments, so other characters are
/// rejected.
fn is_model_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_.".contains(character)
}
