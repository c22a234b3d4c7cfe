//! Reads the error in a response of the API or of whatever answered in its place.

use serde_json::{Map, Value};

use crate::{ErrorMeaning, fields::Fields, json};

const CODE: [&str; 8] = [
    "code",
    "Code",
    "error_code",
    "errorCode",
    "err_code",
    "errcode",
    "errno",
    "CodeN",
];
const MESSAGE: [&str; 11] = [
    "message",
    "Message",
    "msg",
    "error_message",
    "error_msg",
    "errorMessage",
    "err_msg",
    "errmsg",
    "error_description",
    "detail",
    "reason",
];

/// Words of a 404 that is about something on the way to the task.
const ON_THE_WAY: [&str; 8] = [
    "route",
    "deployment",
    "backend",
    "upstream",
    "page not found",
    "url",
    "path",
    "endpoint",
];

/// Words of errors of something on the way to the API, which may have forwarded the request.
const OF_PROXIES: [&str; 4] = ["upstream", "gateway", "proxy", "backend"];

/// Parts of codes of requests that are invalid, or whose content is not allowed.
const INVALID: [&str; 5] = [
    "invalidparameter",
    "missingparameter",
    "invalidrequest",
    "invalidargument",
    "sensitivecontent",
];

/// The error in a response.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ErrorBody {
    /// The code, e.g. `RateLimitExceeded.EndpointRPMExceeded`. May be empty.
    code: String,
    /// The message. May be empty.
    message: String,
    /// The type, e.g. `invalid_request_error`. Usually empty.
    kind: String,
    /// Whether the error has the form of the API's: an object with a code and a message, or an object in `error`.
    has_form_of_api: bool,
}

/// What the code of an error means, whatever the HTTP status is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Meaning {
    NotFound,
    RateLimited,
    Unauthorized,
}

impl ErrorBody {
    /// Reads the error. Returns `None` if the body is not a JSON object with an error.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let answer = json::read_json(body)?;
        Self::in_answer(answer.as_object()?)
    }

    /// Returns the error in the object of a response.
    pub(crate) fn in_answer(answer: &Map<String, Value>) -> Option<Self> {
        let (error, is_nested) = match nested(answer) {
            Some(error) => (error, true),
            None => (answer, false),
        };
        let fields = Fields(error);
        let code = fields.first_text(&CODE);
        let mut message = fields.first_text(&MESSAGE);
        if message.is_empty() {
            message = Fields(answer).text("error");
        }
        if code.is_empty() && message.is_empty() {
            return None;
        }
        // The number is the HTTP status, which anything on the way repeats.
        let has_word = code.contains(|c: char| c.is_alphabetic());
        Some(Self {
            has_form_of_api: is_nested || has_word && !message.is_empty(),
            code,
            message,
            kind: fields.text("type"),
        })
    }

    /// Returns the error as `code: message`.
    pub(crate) fn text(&self) -> String {
        match (self.code.as_str(), self.message.as_str()) {
            ("", message) => message.to_owned(),
            (code, "") => code.to_owned(),
            (code, message) => format!("{code}: {message}"),
        }
    }

    /// Returns whether a 404 with this error is about the task. Anything on the way to the API can return 404 too:
    /// an ingress without a backend, a gateway without a route.
    pub(crate) fn is_about_task(&self) -> bool {
        let text = self.text().to_lowercase();
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        let is_about_the_way = || ON_THE_WAY.iter().any(|word| text.contains(word));
        words.any(|word| word == "task" || word == "taskid")
            || self.has_form_of_api && !is_about_the_way()
    }

    /// Returns what an error of the API means for the request. `None` if something else answered, which may have forwarded
    /// the request.
    pub(crate) fn meaning_for_request(&self) -> Option<ErrorMeaning> {
        if !self.has_form_of_api {
            return None;
        }
        let is_invalid = || {
            let word = self.word();
            INVALID.iter().any(|it| word.contains(it))
        };
        match self.meaning() {
            Some(Meaning::RateLimited) => Some(ErrorMeaning::RateLimited),
            Some(Meaning::Unauthorized) => Some(ErrorMeaning::Unauthorized),
            _ if is_invalid() => Some(ErrorMeaning::Invalid),
            _ if self.may_be_of_proxy() => None,
            _ => Some(ErrorMeaning::Other),
        }
    }

    /// Returns whether a proxy may have answered: the error names one, or has neither a code nor the type of an invalid request.
    fn may_be_of_proxy(&self) -> bool {
        let text = format!("{} {} {}", self.code, self.kind, self.message).to_lowercase();
        let has_code = self.code.contains(|c: char| c.is_alphabetic());
        OF_PROXIES.iter().any(|word| text.contains(word))
            || !has_code && self.kind != "invalid_request_error"
    }

    /// Returns the part of the code before the first dot, in lower case.
    fn word(&self) -> String {
        let code = self.code.split('.').next().unwrap_or_default();
        let word: String = code.chars().filter(|c| c.is_alphanumeric()).collect();
        word.to_lowercase()
    }

    /// Returns what the code means, if it is a known one. Only the part before the first dot counts.
    pub(crate) fn meaning(&self) -> Option<Meaning> {
        let word = self.word();
        let means = |words: &[&str]| words.iter().any(|it| word.contains(it));
        if means(&["notfound", "notexist", "nosuch"]) {
            Some(Meaning::NotFound)
        } else if means(&[
            "ratelimit",
            "toomanyrequests",
            "throttl",
            "requestburst",
            "quotaexceeded",
            "limitexceeded",
            "serveroverloaded",
        ]) {
            Some(Meaning::RateLimited)
        } else if means(&[
            "authenticat",
            "unauthorized",
            "apikey",
            "accessdenied",
            "forbidden",
            "accountstatus",
            "accountoverdue",
            "operationdenied",
            "permissiondenied",
        ]) {
            Some(Meaning::Unauthorized)
        } else {
            None
        }
    }
}

fn nested(answer: &Map<String, Value>) -> Option<&Map<String, Value>> {
    let direct = ["error", "Error", "err"]
        .iter()
        .find_map(|name| answer.get(*name)?.as_object());
    direct
        .or_else(|| answer.get("ResponseMetadata")?.get("Error")?.as_object())
        .or_else(|| answer.get("errors")?.as_array()?.first()?.as_object())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Option<ErrorBody> {
        ErrorBody::read(body.to_string().as_bytes())
    }

    #[test]
    fn the_error_is_read_in_every_known_form() {
        for body in [
            json!({"error": {"code": "Code", "message": "why", "param": "", "type": "T"}}),
            json!({"code": "Code", "message": "why"}),
            json!({"code": "Code", "msg": "why", "data": null}),
            json!({"ResponseMetadata": {"Error": {"Code": "Code", "Message": "why", "CodeN": 7}}}),
            json!({"errors": [{"code": "Code", "detail": "why"}]}),
            json!({"errorCode": "Code", "errorMessage": "why"}),
        ] {
            let error = read(body.clone()).unwrap();
            assert_eq!(error.text(), "Code: why", "{body}");
            assert!(error.has_form_of_api, "{body}");
        }
        assert_eq!(read(json!({"error": "why"})).unwrap().text(), "why");
        assert_eq!(
            read(json!({"error": {"code": "Code"}})).unwrap().text(),
            "Code"
        );
        for body in [
            json!({}),
            json!([]),
            json!({"id": "cgt-1", "status": "queued"}),
        ] {
            assert_eq!(read(body.clone()), None, "{body}");
        }
        assert_eq!(ErrorBody::read(b"default backend - 404"), None);
    }

    #[test]
    fn only_an_error_of_the_api_is_about_the_task() {
        let is_about_task = |body: Value| read(body).is_some_and(|error| error.is_about_task());
        for body in [
            json!({"error": {"code": "NotFound.Task", "message": "the task is not found"}}),
            json!({"error": {"message": "no such task", "type": "invalid_request_error"}}),
            json!({"code": "task_not_exist", "message": "task_not_exist"}),
            json!({"code": 404, "message": "Task does not exist"}),
            json!({"detail": "task cgt-1 not found"}),
        ] {
            assert!(is_about_task(body.clone()), "{body}");
        }
        for body in [
            json!({"message": "no Route matched with those values"}),
            json!({"detail": "Not Found"}),
            json!({"timestamp": 1, "status": 404, "error": "Not Found", "path": "/api"}),
            json!({"statusCode": 404, "message": "Resource not found"}),
            json!({"code": 404, "message": "Not Found"}),
            json!({"error_msg": "404 Route Not Found"}),
            json!({"message": "Cannot GET /api/v3/contents/generations/tasks/cgt-1"}),
            json!({"error": {"code": "DEPLOYMENT_NOT_FOUND", "message": "no such deployment"}}),
            json!({}),
        ] {
            assert!(!is_about_task(body.clone()), "{body}");
        }
    }

    #[test]
    fn only_an_error_of_the_api_says_something_about_the_request() {
        let meaning = |body: Value| read(body).unwrap().meaning_for_request();
        let of = |code: &str| meaning(json!({"error": {"code": code, "message": "why"}}));
        for code in [
            "InvalidParameter.Ratio",
            "MissingParameter",
            "InputTextSensitiveContentDetected",
        ] {
            assert_eq!(of(code), Some(ErrorMeaning::Invalid), "{code}");
        }
        assert_eq!(of("ServerOverloaded"), Some(ErrorMeaning::RateLimited));
        assert_eq!(of("AccountOverdueError"), Some(ErrorMeaning::Unauthorized));
        assert_eq!(of("InternalServiceError"), Some(ErrorMeaning::Other));
        let typed = |kind: &str| meaning(json!({"error": {"message": "why", "type": kind}}));
        assert_eq!(typed("invalid_request_error"), Some(ErrorMeaning::Other));
        for body in [
            json!({"message": "no Route matched"}),
            json!({"error": {"message": "upstream request failed", "type": "proxy_error"}}),
            json!({"error": {"message": "why", "type": "new_api_error", "code": 400}}),
            json!({"error": {"code": "bad_response", "message": "from the upstream"}}),
            json!({"code": "do_request_failed", "message": "gateway timeout"}),
        ] {
            assert_eq!(meaning(body.clone()), None, "{body}");
        }
    }

    #[test]
    fn the_code_has_a_meaning_of_its_own() {
        let meaning = |code: &str| {
            read(json!({"code": code, "message": "why"}))
                .unwrap()
                .meaning()
        };
        assert_eq!(meaning("NotFound.Task"), Some(Meaning::NotFound));
        assert_eq!(meaning("task_not_exist"), Some(Meaning::NotFound));
        for code in [
            "RateLimitExceeded.EndpointRPMExceeded",
            "RequestBurstTooFast",
            "SetLimitExceeded",
        ] {
            assert_eq!(meaning(code), Some(Meaning::RateLimited), "{code}");
        }
        for code in [
            "AuthenticationError",
            "InvalidApiKey",
            "OperationDenied.ServiceNotOpen",
        ] {
            assert_eq!(meaning(code), Some(Meaning::Unauthorized), "{code}");
        }
        assert_eq!(meaning("InvalidParameter.TaskId"), None);
        assert_eq!(meaning("fail_to_fetch_task"), None);
    }
}
