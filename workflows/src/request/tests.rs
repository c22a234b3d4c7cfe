use temporalio_common::data_converters::{
    GenericPayloadConverter, PayloadConverter, SerializationContextData,
};

use temporalio_common::error::ApplicationFailure;

use super::*;

fn decode<T: Check + Contract + 'static>(json: &str) -> Result<T, InvalidRequest> {
    let payload = Payload {
        metadata: [("encoding".to_owned(), b"json/plain".to_vec())].into(),
        data: json.as_bytes().to_vec(),
        ..Payload::default()
    };
    let converter = PayloadConverter::default();
    let data = SerializationContextData::None;
    let context = SerializationContext::new(&data, &converter);
    converter
        .from_payloads::<Request<T>>(&context, vec![payload])
        .unwrap()
        .check()
}

fn fault(json: &str) -> String {
    decode::<VideoTaskLifecycleRequest>(json)
        .unwrap_err()
        .to_string()
}

#[test]
fn reads_what_a_caller_may_send() {
    let request = VideoTaskLifecycleRequest {
        task_id: "cgt-1".into(),
        ..Default::default()
    };
    for json in [
        r#"{"task_id": "cgt-1"}"#,
        r#"{"taskId": "cgt-1"}"#,
        r#"{"task_id": "cgt-1", "account": null, "field_of_the_future": {"a": [1]}}"#,
    ] {
        assert_eq!(decode(json), Ok(request.clone()), "{json}");
    }
}

#[test]
fn names_the_field_that_is_wrong() {
    assert!(fault("{}").starts_with("`task_id` is missing"));
    assert!(fault(r#"{"task_id": "  "}"#).starts_with("`task_id` is missing"));
    assert!(fault(r#"{"task_id": 7}"#).starts_with("`task_id` cannot be read: invalid type"));
    assert!(fault(r#"{"task_id": "a/b"}"#).starts_with("`task_id` has a slash"));
    assert!(fault(r#"{"task_id": "a\u0000b"}"#).contains("control character"));
    assert!(fault(r#"{"task_id": ".."}"#).starts_with("`task_id` is a path"));
    assert!(fault(r#"{"task_id": "a", "account": "../b"}"#).starts_with("`account` may contain"));
    assert!(fault("\"cgt-1\"").starts_with("`input` cannot be read"));
    assert!(fault(r#"{"task_id": "a"} b"#).starts_with("`input` cannot be read"));
    let archive = decode::<ArchiveVideoRequest>(r#"{"task": {"created_at": "soon"}}"#);
    assert!(
        archive
            .unwrap_err()
            .to_string()
            .starts_with("`task.created_at` cannot be read")
    );
    let archive = decode::<ArchiveVideoRequest>(r#"{"task": {}}"#);
    assert!(
        archive
            .unwrap_err()
            .to_string()
            .starts_with("`task.id` is missing")
    );
    let archive = decode::<ArchiveVideoRequest>("{}");
    assert!(
        archive
            .unwrap_err()
            .to_string()
            .starts_with("`task` is missing")
    );
}

#[test]
fn a_fault_repeats_no_signed_url_and_not_everything() {
    let url = "https://host.example/v.mp4?X-Tos-Signature=secret";
    let archive = decode::<ArchiveVideoRequest>(&format!(r#"{{"task": {{"content": "{url}"}}}}"#));
    let fault = archive.unwrap_err().to_string();
    assert!(
        fault.starts_with("`task.content` cannot be read"),
        "{fault}"
    );
    assert!(!fault.contains("secret"), "{fault}");
    let long = "x".repeat(1_000_000);
    assert!(fault_len(&format!(r#"{{"task_id": {{"{long}": 1}}}}"#)) < 1_000);
    assert!(fault_len(&format!(r#"{{"task_id": ["{long}"]}}"#)) < 1_000);
    assert!(fault_len(&format!(r#"["{long}"]"#)) < 1_000);
}

fn fault_len(json: &str) -> usize {
    fault(json).len()
}

#[test]
fn is_not_retried() {
    let failure = ApplicationFailure::from(InvalidRequest::new("task_id", "is missing"));
    assert!(failure.is_non_retryable());
    assert_eq!(failure.type_name(), Some("InvalidRequest"));
}

#[test]
fn a_page_to_sweep_is_one_that_the_service_has() {
    let fault = |page: &str| {
        let json = format!("{{\"page\": {page}}}");
        let fault = decode::<SweepVideoTaskPageRequest>(&json).unwrap_err();
        fault.to_string()
    };
    assert!(fault("null").starts_with("`page` is missing"));
    let no_tier = fault(r#"{"page_num": 1}"#);
    assert_eq!(no_tier, "`page.service_tier` must be one of default, flex");
    for number in [0, 501] {
        let fault = fault(&format!(
            r#"{{"service_tier": "flex", "page_num": {number}}}"#
        ));
        assert!(fault.starts_with("`page.page_num` must be a number from 1 to 500"));
    }
    let resumed = r#"{"resumed": {"next": {"service_tier": "fast", "page_num": 1}}}"#;
    let fault = decode::<SweepVideoTasksRequest>(resumed).unwrap_err();
    assert_eq!(fault.field, "resumed.next.service_tier");
    assert!(decode::<SweepVideoTasksRequest>("{}").is_ok());
}
