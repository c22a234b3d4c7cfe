//! The envelope in which gateways based on new-api return a record.

use seedance_archiver_proto::status;
use serde_json::{Value, json};

/// Wraps a record in the envelope.
pub(crate) fn wrap(mut record: Value) -> Value {
    let id = record["id"].take();
    record["id"] = format!("upstream-{}", id.as_str().unwrap_or_default()).into();
    let status = match record["status"].as_str().unwrap_or_default() {
        status::QUEUED => "QUEUED",
        status::RUNNING => "IN_PROGRESS",
        status::SUCCEEDED => "SUCCESS",
        _ => "FAILURE",
    };
    let fail_reason = record["error"]["message"].as_str().unwrap_or_default();
    json!({
        "code": "success",
        "message": "",
        "data": {
            "task_id": id,
            "status": status,
            "fail_reason": fail_reason,
            "data": record,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_repeats_the_status_and_error_of_the_record() {
        let record = json!({"id": "cgt-1", "status": "failed", "error": {"message": "no kites"}});
        let envelope = wrap(record.clone());
        assert_eq!(envelope["code"], "success");
        let data = &envelope["data"];
        assert_eq!(data["task_id"], "cgt-1");
        assert_eq!(data["status"], "FAILURE");
        assert_eq!(data["fail_reason"], "no kites");
        assert_eq!(data["data"]["id"], "upstream-cgt-1");
        assert_eq!(data["data"]["error"], record["error"]);
    }

    #[test]
    fn every_status_maps_to_a_gateway_status() {
        let name = |status| wrap(json!({"status": status}))["data"]["status"].clone();
        assert_eq!(name("queued"), "QUEUED");
        assert_eq!(name("running"), "IN_PROGRESS");
        assert_eq!(name("succeeded"), "SUCCESS");
        assert_eq!(name("expired"), "FAILURE");
        assert_eq!(name("cancelled"), "FAILURE");
    }
}
