//! The request of `generate`, from a file, standard input or options.

use std::{io::Read, path::Path};

use anyhow::{Context, anyhow, bail};
use seedance_archiver_proto::v1::GenerateVideoRequest;
use seedance_archiver_workflows::{invalid_request::InvalidRequest, request::Check};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::args::Args;

/// Stands for standard input.
const STDIN: &str = "-";
/// Length of a default submission id, in characters.
const ID_LENGTH: usize = 32;

/// Reads and checks the request.
///
/// # Errors
///
/// Returns an error if the file cannot be read, or the request is invalid. The error does not quote the prompt.
pub(super) fn read(args: &Args) -> anyhow::Result<GenerateVideoRequest> {
    let (source, body) = body(args)?;
    if body.trim().is_empty() {
        bail!("{source} is empty; it must be the body of the API's create request");
    }
    let mut request = GenerateVideoRequest {
        request: body,
        account: args.account.clone(),
        submission_id: args.submission_id.clone().unwrap_or_default(),
        destination: args.destination.clone().unwrap_or_default(),
        ..GenerateVideoRequest::default()
    };
    request.check().map_err(|error| invalid(&source, &error))?;
    match &args.submission_id {
        Some(id) if id.is_empty() => bail!("--submission-id is empty"),
        Some(_) => {}
        None => request.submission_id = default_id(&request.account, &request.request)?,
    }
    Ok(request)
}

/// Returns the body, and where it is from, for errors.
fn body(args: &Args) -> anyhow::Result<(String, String)> {
    let (source, text) = match &args.request {
        None => {
            let content = json!([{"type": "text", "text": args.prompt}]);
            let body = json!({"model": args.model, "content": content});
            ("the request".to_owned(), body.to_string())
        }
        Some(path) if path == Path::new(STDIN) => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.context("cannot read the request from standard input")?;
            ("standard input".to_owned(), text)
        }
        Some(path) => {
            let source = format!("`{}`", path.display());
            let text = std::fs::read_to_string(path);
            let text = text.with_context(|| format!("cannot read the request from {source}"))?;
            (source, text)
        }
    };
    // Some editors begin a file with it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok((source, text.to_owned()))
}

/// Names the option or the field as the user wrote it.
fn invalid(source: &str, InvalidRequest { field, problem }: &InvalidRequest) -> anyhow::Error {
    match (field.as_str(), field.strip_prefix("request.")) {
        ("request", _) => anyhow!("{source} {problem}"),
        (_, Some(field)) => anyhow!("{source}: `{field}` {problem}"),
        (option, None) => anyhow!("--{} {problem}", option.replace('_', "-")),
    }
}

/// Returns the submission id of a request that has none: the same for the same request, however it is formatted.
fn default_id(account: &str, body: &str) -> anyhow::Result<String> {
    let mut body: Value = serde_json::from_str(body)?;
    body.sort_all_objects();
    let mut id = hex::encode(Sha256::digest(format!("{account}\n{body}")));
    id.truncate(ID_LENGTH);
    Ok(id)
}

#[cfg(test)]
mod tests {
    use seedance_archiver_proto::submission_id;

    use super::*;

    #[test]
    fn the_default_id_follows_from_the_account_and_the_request() {
        let id = |account, body| default_id(account, body).unwrap();
        let first = id(
            "default",
            r#"{"model": "m", "content": [{"a": 1, "b": 2}]}"#,
        );
        let formatted = r#"{ "content": [ {"b": 2, "a": 1} ], "model": "m" }"#;
        assert_eq!(first, id("default", formatted));
        assert_eq!(submission_id::check(&first), Ok(()));
        for (account, body) in [
            ("eu", formatted),
            (
                "default",
                r#"{"model": "m", "content": [{"a": 1, "b": 3}]}"#,
            ),
            (
                "default",
                r#"{"model": "m", "content": [{"a": 1, "b": 2}], "seed": 7}"#,
            ),
        ] {
            assert_ne!(first, id(account, body), "{account}: {body}");
        }
    }

    #[test]
    fn an_error_names_the_option_or_the_field() {
        let text = |field: &str| invalid("`r.json`", &InvalidRequest::new(field, "is wrong"));
        assert_eq!(text("request").to_string(), "`r.json` is wrong");
        assert_eq!(
            text("request.model").to_string(),
            "`r.json`: `model` is wrong"
        );
        assert_eq!(
            text("submission_id").to_string(),
            "--submission-id is wrong"
        );
    }
}
