//! The token of an operation that a lifecycle backs.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Serialize;

/// Type of a token that names a workflow.
const WORKFLOW_RUN: u8 = 1;

/// The content of a token, in the form of other SDKs.
#[derive(Serialize)]
struct Content<'a> {
    #[serde(rename = "t")]
    kind: u8,
    #[serde(rename = "ns")]
    namespace: &'a str,
    #[serde(rename = "wid")]
    workflow_id: &'a str,
}

/// Returns the token of the operation that a workflow backs. The workflow id itself would not do: it has slashes, and
/// server 1.29 then does not find the operation that a caller cancels.
pub(super) fn of_workflow(namespace: &str, workflow_id: &str) -> String {
    let content = Content {
        kind: WORKFLOW_RUN,
        namespace,
        workflow_id,
    };
    // Strings and a number always have a JSON.
    let content = serde_json::to_vec(&content).unwrap_or_default();
    BASE64_URL_SAFE_NO_PAD.encode(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_the_form_of_other_sdks_and_is_one_segment_of_a_path() {
        let token = of_workflow("videos", "video-task/default/cgt-1?~");
        assert!(
            token
                .chars()
                .all(|it| it.is_ascii_alphanumeric() || "-_".contains(it)),
            "{token}"
        );
        let content = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap();
        assert_eq!(
            String::from_utf8(content).unwrap(),
            r#"{"t":1,"ns":"videos","wid":"video-task/default/cgt-1?~"}"#
        );
    }
}
