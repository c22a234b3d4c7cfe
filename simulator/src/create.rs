//! Reads a create request.

use serde_json::{Map, Value};

use crate::{
    callbacks,
    error::ApiError,
    script::{Image, Script},
};

/// Kinds of content that a request may hold.
const CONTENT: [&str; 5] = ["text", "image_url", "video_url", "audio_url", "draft_task"];

/// What was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Request(Map<String, Value>);

impl Request {
    /// Reads a request and what its prompt says the task is to do.
    pub(crate) fn read(body: &[u8]) -> Result<(Self, Script), ApiError> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|error| ApiError::invalid("body", &format!("is not JSON: {error}")))?;
        let Value::Object(fields) = body else {
            return Err(ApiError::invalid("body", "is not a JSON object"));
        };
        let request = Self(fields);
        if request.text("model").is_empty() {
            return Err(ApiError::missing("model"));
        }
        if !request.model().chars().all(is_part_of_a_model) {
            return Err(ApiError::invalid("model", "is not the name of a model"));
        }
        let mut script = Script {
            generate_audio: request.flag("generate_audio")?,
            last_frame: request.flag("return_last_frame")?.then_some(Image::Png),
            callback_url: request.callback_url()?,
            ..Script::default()
        };
        for prompt in request.prompts()? {
            script
                .follow(prompt)
                .map_err(|fault| ApiError::invalid("content.text", &fault))?;
        }
        Ok((request, script))
    }

    /// The request that a script alone stands for.
    pub(crate) fn of(script: &Script) -> Self {
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

    /// A field as it was given.
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
            .ok_or_else(|| ApiError::invalid(name, "is not true or false"))
    }

    fn callback_url(&self) -> Result<Option<String>, ApiError> {
        let Some(value) = self.get("callback_url") else {
            return Ok(None);
        };
        value
            .as_str()
            .filter(|text| callbacks::callback_url(text).is_some())
            .map(|text| Some(text.to_owned()))
            .ok_or_else(|| ApiError::invalid("callback_url", "is not an http or https URL"))
    }

    fn prompts(&self) -> Result<Vec<&str>, ApiError> {
        let content = self.get("content").and_then(Value::as_array);
        let content = content.filter(|items| !items.is_empty());
        let mut prompts = Vec::new();
        for item in content.ok_or_else(|| ApiError::missing("content"))? {
            let kind = item["type"].as_str().unwrap_or_default();
            if !CONTENT.contains(&kind) {
                let fault = format!("is `{kind}`, not one of {}", CONTENT.join(", "));
                return Err(ApiError::invalid("content.type", &fault));
            }
            if item.get(kind).is_none() {
                return Err(ApiError::missing(&format!("content.{kind}")));
            }
            prompts.extend(item["text"].as_str());
        }
        Ok(prompts)
    }
}

/// The name becomes part of URLs.
fn is_part_of_a_model(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_.".contains(character)
}
