//! Errors that a video host returns with status 200.

use std::str::FromStr;

use axum::{
    http::header::{CONTENT_ENCODING, CONTENT_TYPE},
    response::{IntoResponse, Response},
};

/// An error that a host returns with status 200, instead of the video.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ErrorPage {
    /// XML, as object stores return it.
    #[default]
    Xml,
    /// XML that says that the URL expired.
    Expired,
    /// Plain text.
    Text,
    /// A JSON string.
    JsonString,
    /// An empty JSON array.
    JsonArray,
    /// A page that a proxy compressed.
    Gzip,
}

impl FromStr for ErrorPage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "xml" => Ok(Self::Xml),
            "expired" => Ok(Self::Expired),
            "text" => Ok(Self::Text),
            "json_string" => Ok(Self::JsonString),
            "json_array" => Ok(Self::JsonArray),
            "gzip" => Ok(Self::Gzip),
            _ => Err("must be xml, expired, text, json_string, json_array or gzip".into()),
        }
    }
}

impl IntoResponse for ErrorPage {
    fn into_response(self) -> Response {
        let page = |content_type: &'static str, body: &'static str| {
            ([(CONTENT_TYPE, content_type)], body).into_response()
        };
        match self {
            Self::Xml => page(
                "application/xml",
                "<Error><Code>InternalError</Code></Error>",
            ),
            Self::Expired => page(
                "application/xml",
                "<Error><Code>ExpiredToken</Code></Error>",
            ),
            Self::Text => page("text/plain", "not ready"),
            Self::JsonString => page("application/json", "\"not ready\""),
            Self::JsonArray => page("application/json", "[]"),
            // The header of gzip and an empty page.
            Self::Gzip => (
                [(CONTENT_TYPE, "text/html"), (CONTENT_ENCODING, "gzip")],
                &b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0"[..],
            )
                .into_response(),
        }
    }
}
