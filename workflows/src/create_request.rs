//! The body of a create request: checked as far as it is known, and passed on as it is.

use seedance_archiver_proto::v1::SubmittedRequest;
use serde_json::{Map, Value};

use crate::invalid_request::InvalidRequest;

/// The field of a request with the body.
const FIELD: &str = "request";

/// The body of a create request.
#[derive(Clone, Debug)]
pub struct CreateBody(Map<String, Value>);

impl CreateBody {
    /// Parses a body. Only `model` and `content` are required: the API checks the others.
    ///
    /// # Errors
    ///
    /// Returns an error if the body is not a JSON object, or lacks one of the two. The error does not quote the body, which
    /// contains the prompt.
    pub fn parse(body: &str) -> Result<Self, InvalidRequest> {
        let invalid = |problem: &str| Err(InvalidRequest::new(FIELD, problem));
        if body.trim().is_empty() {
            return invalid("is missing; set it to the body of the API's create request");
        }
        let fields = match serde_json::from_str(body) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => return invalid("must be a JSON object: the body of the API's create request"),
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                return invalid(&format!(
                    "is not JSON, at line {line}, column {column}; it must be the body of the API's create request"
                ));
            }
        };
        let body = Self(fields);
        if body.text("model").is_empty() {
            let problem = "is missing; set it to the id of a model";
            return Err(InvalidRequest::new(format!("{FIELD}.model"), problem));
        }
        let content = body.0.get("content").and_then(Value::as_array);
        if content.is_none_or(Vec::is_empty) {
            let problem = "is missing; set it to an array with the prompt, as in `[{\"type\": \"text\", \"text\": …}]`";
            return Err(InvalidRequest::new(format!("{FIELD}.content"), problem));
        }
        Ok(body)
    }

    /// Returns what a record shows of the request. `submitted_at` is in Unix seconds.
    pub fn submitted(&self, submitted_at: i64) -> SubmittedRequest {
        SubmittedRequest {
            model: self.text("model").to_owned(),
            service_tier: self.text("service_tier").to_owned(),
            safety_identifier: self.text("safety_identifier").to_owned(),
            submitted_at,
        }
    }

    /// Returns whether the request has a callback URL of the caller.
    pub fn has_callback_url(&self) -> bool {
        !self.text("callback_url").is_empty()
    }

    /// Returns the text of the body, with this callback URL unless it has one.
    pub fn into_text(mut self, callback_url: Option<String>) -> String {
        if let Some(url) = callback_url.filter(|_| !self.has_callback_url()) {
            self.0.insert("callback_url".to_owned(), url.into());
        }
        Value::Object(self.0).to_string()
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body() -> Value {
        json!({
            "model": "seedance-1-0-pro-250528",
            "content": [{"type": "text", "text": "a kite"}],
            "seed": 4_294_967_295_u64,
            "of_the_future": {"a": [1.5, null]},
        })
    }

    fn error(body: &str) -> String {
        CreateBody::parse(body).unwrap_err().to_string()
    }

    #[test]
    fn fields_that_are_not_known_pass_through() {
        let text = CreateBody::parse(&body().to_string())
            .unwrap()
            .into_text(None);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), body());
    }

    #[test]
    fn the_callback_url_is_added_unless_the_caller_set_one() {
        let url = || Some("https://archiver.example/callbacks/default/t/s".to_owned());
        let with_url = |body: Value| {
            let text = CreateBody::parse(&body.to_string())
                .unwrap()
                .into_text(url());
            serde_json::from_str::<Value>(&text).unwrap()["callback_url"].clone()
        };
        assert_eq!(with_url(body()), *url().unwrap());
        let mut own = body();
        own["callback_url"] = "https://caller.example/".into();
        assert_eq!(with_url(own), "https://caller.example/");
    }

    #[test]
    fn a_record_shows_the_model_the_tier_and_the_user_of_a_request() {
        let mut body = body();
        body["service_tier"] = "flex".into();
        body["safety_identifier"] = "user-7".into();
        let body = CreateBody::parse(&body.to_string()).unwrap();
        let submitted = SubmittedRequest {
            model: "seedance-1-0-pro-250528".into(),
            service_tier: "flex".into(),
            safety_identifier: "user-7".into(),
            submitted_at: 1_750_000_000,
        };
        assert_eq!(body.submitted(1_750_000_000), submitted);
    }

    #[test]
    fn an_error_names_the_field_and_does_not_quote_the_prompt() {
        assert!(error("").starts_with("`request` is missing"));
        assert!(error("[]").starts_with("`request` must be a JSON object"));
        let cut = error("{\"prompt\": \"a secret kite");
        assert!(cut.starts_with("`request` is not JSON, at line 1") && !cut.contains("kite"));
        let without = |name: &str| {
            let mut body = body();
            body.as_object_mut().unwrap().remove(name);
            error(&body.to_string())
        };
        assert!(without("model").starts_with("`request.model` is missing"));
        assert!(without("content").starts_with("`request.content` is missing"));
    }
}
