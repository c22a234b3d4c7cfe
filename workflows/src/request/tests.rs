use temporalio_common::{
    data_converters::{GenericPayloadConverter, PayloadConverter, SerializationContextData},
    error::ApplicationFailure,
};

use super::*;

fn convert<T: ContractMessage + 'static>(payloads: Vec<Payload>) -> Request<T> {
    let converter = PayloadConverter::default();
    let data = SerializationContextData::None;
    let context = SerializationContext::new(&data, &converter);
    converter.from_payloads(&context, payloads).unwrap()
}

fn request<T: ContractMessage + 'static>(json: &str) -> Request<T> {
    convert(vec![Payload {
        metadata: [("encoding".to_owned(), b"json/plain".to_vec())].into(),
        data: json.as_bytes().to_vec(),
        ..Payload::default()
    }])
}

fn decode<T: Check + ContractMessage + 'static>(json: &str) -> Result<T, InvalidRequest> {
    request(json).check()
}

fn error(json: &str) -> String {
    decode::<VideoTaskLifecycleRequest>(json)
        .unwrap_err()
        .to_string()
}

#[test]
fn a_request_is_read_in_any_json_spelling() {
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
fn an_error_names_the_invalid_field() {
    assert!(error("{}").starts_with("`task_id` is missing"));
    assert!(error(r#"{"task_id": "  "}"#).starts_with("`task_id` is missing"));
    assert!(error(r#"{"task_id": 7}"#).starts_with("`task_id` cannot be decoded: invalid type"));
    assert!(error(r#"{"task_id": "a/b"}"#).starts_with("`task_id` contains a slash"));
    assert!(error(r#"{"task_id": "a\u0000b"}"#).contains("control character"));
    assert!(error(r#"{"task_id": ".."}"#).starts_with("`task_id` must not be"));
    assert!(error(r#"{"task_id": "a", "account": "../b"}"#).starts_with("`account` may contain"));
    assert!(error("\"cgt-1\"").starts_with("`input` cannot be decoded"));
    assert!(error(r#"{"task_id": "a"} b"#).starts_with("`input` cannot be decoded"));
    let archive = decode::<ArchiveVideoRequest>(r#"{"task": {"created_at": "soon"}}"#);
    assert!(
        archive
            .unwrap_err()
            .to_string()
            .starts_with("`task.created_at` cannot be decoded")
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
fn an_error_contains_no_signed_url_and_is_truncated() {
    let url = "https://host.example/v.mp4?X-Tos-Signature=secret";
    let archive = decode::<ArchiveVideoRequest>(&format!(r#"{{"task": {{"content": "{url}"}}}}"#));
    let error_text = archive.unwrap_err().to_string();
    assert!(
        error_text.starts_with("`task.content` cannot be decoded"),
        "{error_text}"
    );
    assert!(!error_text.contains("secret"), "{error_text}");
    let long = "x".repeat(1_000_000);
    assert!(error_len(&format!(r#"{{"task_id": {{"{long}": 1}}}}"#)) < 1_000);
    assert!(error_len(&format!(r#"{{"task_id": ["{long}"]}}"#)) < 1_000);
    assert!(error_len(&format!(r#"["{long}"]"#)) < 1_000);
}

fn error_len(json: &str) -> usize {
    error(json).len()
}

#[test]
fn an_invalid_request_is_not_retried() {
    let failure = ApplicationFailure::from(InvalidRequest::new("task_id", "is missing"));
    assert!(failure.is_non_retryable());
    assert_eq!(failure.type_name(), Some("InvalidRequest"));
}

#[test]
fn a_sweep_page_must_exist_in_the_service() {
    let error = |page: &str| {
        let json = format!("{{\"page\": {page}}}");
        let error = decode::<SweepVideoTaskPageRequest>(&json).unwrap_err();
        error.to_string()
    };
    assert!(error("null").starts_with("`page` is missing"));
    for number in [0, 501] {
        let error = error(&format!(
            r#"{{"service_tier": "flex", "page_num": {number}}}"#
        ));
        assert!(error.starts_with("`page.page_num` must be a number from 1 to 500"));
    }
    let resumed = r#"{"resumed": {"next": {"service_tier": "flex"}}}"#;
    let error = decode::<SweepVideoTasksRequest>(resumed).unwrap_err();
    assert_eq!(error.field, "resumed.next.page_num");
    let any_tier = r#"{"page": {"service_tier": "fast", "model": "m", "page_num": 1}}"#;
    assert!(decode::<SweepVideoTaskPageRequest>(any_tier).is_ok());
    assert!(decode::<SweepVideoTasksRequest>("{}").is_ok());
}

#[test]
fn the_account_of_an_invalid_request_is_known_if_it_is_valid() {
    let account = |json: &str| request::<VideoTaskLifecycleRequest>(json).account();
    assert_eq!(account(r#"{"account": "eu"}"#), "eu");
    assert_eq!(account(r#"{"account": "../b"}"#), "");
    assert_eq!(account("[]"), "");
}

/// Returns the first invalid field, or `none`.
fn field<T: Check + ContractMessage + 'static>(json: &str) -> String {
    decode::<T>(json).map_or_else(|error| error.field, |_| "none".to_owned())
}

#[test]
fn each_request_needs_a_valid_task_and_account() {
    let invalid = r#"{"account": "../b", "task_id": "a", "task": {"id": "a"}, "result": {}, "page": {"page_num": 1}}"#;
    for field in [
        field::<QueryVideoTaskRequest>(invalid),
        field::<CancelVideoTaskRequest>(invalid),
        field::<VideoTaskLifecycleRequest>(invalid),
        field::<VideoTaskSubmissionRequest>(invalid),
        field::<AwaitVideoTaskRequest>(invalid),
        field::<GetVideoTaskRequest>(invalid),
        field::<ArchiveVideoRequest>(invalid),
        field::<RecordOutcomeRequest>(invalid),
        field::<SweepVideoTasksRequest>(invalid),
        field::<SweepVideoTaskPageRequest>(invalid),
        field::<AccountWatcherRequest>(invalid),
        field::<WatchAccountRequest>(invalid),
    ] {
        assert_eq!(field, "account");
    }
    for field in [
        field::<QueryVideoTaskRequest>("{}"),
        field::<CancelVideoTaskRequest>("{}"),
        field::<AwaitVideoTaskRequest>("{}"),
        field::<GetVideoTaskRequest>("{}"),
        field::<SubmissionCreated>("{}"),
    ] {
        assert_eq!(field, "task_id");
    }
    let destination = r#"{"task_id": "a", "destination": "bucket"}"#;
    assert_eq!(field::<AwaitVideoTaskRequest>(destination), "destination");
    let no_destination = r#"{"task_id": "a", "destination": ""}"#;
    assert_eq!(field::<AwaitVideoTaskRequest>(no_destination), "none");
}

#[test]
fn a_request_that_creates_a_task_is_checked() {
    let body = r#""request": "{\"model\": \"m\", \"content\": [{}]}""#;
    for (fields, expected) in [
        (
            r#""submission_id": "order-7", "destination": "s3://bucket", "account": "eu""#,
            "none",
        ),
        (r#""submission_id": "a/b""#, "submission_id"),
        (r#""destination": "bucket""#, "destination"),
        (r#""account": "../b""#, "account"),
    ] {
        let json = format!("{{{body}, {fields}}}");
        assert_eq!(field::<GenerateVideoRequest>(&json), expected, "{json}");
        assert_eq!(field::<CreateVideoTaskRequest>(&json), expected, "{json}");
    }
    assert_eq!(field::<GenerateVideoRequest>("{}"), "request");
    assert_eq!(field::<CreateVideoTaskRequest>("{}"), "request");
}

#[test]
fn a_search_for_a_task_needs_the_time_of_its_request() {
    for (json, expected) in [
        ("{}", "submitted.submitted_at"),
        (
            r#"{"submitted": {"submitted_at": 0}}"#,
            "submitted.submitted_at",
        ),
        (r#"{"submitted": {"submitted_at": 1}}"#, "none"),
        (
            r#"{"submitted": {"submitted_at": 1}, "submission_id": "a/b"}"#,
            "submission_id",
        ),
        (
            r#"{"submitted": {"submitted_at": 1}, "account": "../b"}"#,
            "account",
        ),
    ] {
        assert_eq!(field::<FindSubmittedTaskRequest>(json), expected, "{json}");
    }
}

#[test]
fn the_share_of_an_audit_is_checked() {
    for (json, expected) in [
        ("{}", "none"),
        (r#"{"share": "1/30", "destination": "s3://bucket"}"#, "none"),
        (r#"{"share": "31/30"}"#, "share"),
        (r#"{"share": "half"}"#, "share"),
        (r#"{"destination": "bucket"}"#, "destination"),
    ] {
        assert_eq!(field::<AuditArchiveRequest>(json), expected, "{json}");
        assert_eq!(field::<AuditShareRequest>(json), expected, "{json}");
    }
}

#[test]
fn the_task_of_an_outcome_may_be_unknown() {
    let field = field::<RecordOutcomeRequest>;
    assert_eq!(field("{}"), "result");
    assert_eq!(field(r#"{"result": {}}"#), "none");
    assert_eq!(field(r#"{"result": {}, "task_id": "a/b"}"#), "task_id");
    assert_eq!(
        field(r#"{"result": {"task": {"id": "a/b"}}, "task_id": "a"}"#),
        "result.task.id"
    );
}

#[test]
fn the_id_of_an_event_needs_no_escaping_in_a_header() {
    let field = |json: &str| {
        let request = decode::<DeliverEventRequest>(json);
        request.map_or_else(|error| error.field, |_| "none".to_owned())
    };
    assert_eq!(field("{}"), "event");
    for id in ["", "a.b", "a b", "a\\nb", "é"] {
        let json = format!(r#"{{"event": {{"id": "{id}"}}}}"#);
        assert_eq!(field(&json), "event.id", "{id}");
    }
    assert_eq!(
        field(r#"{"event": {"id": "5f8a"}, "account": "a/b"}"#),
        "account"
    );
    assert_eq!(field(r#"{"event": {"id": "5f8a"}}"#), "none");
}

#[test]
fn a_request_is_one_argument() {
    let error = |payloads| {
        let request: Request<VideoTaskLifecycleRequest> = convert(payloads);
        request.check().unwrap_err().to_string()
    };
    assert_eq!(error(Vec::new()), "`input` must be one argument, not 0");
    let two = vec![Payload::default(), Payload::default()];
    assert_eq!(error(two), "`input` must be one argument, not 2");
}

#[test]
fn a_request_keeps_its_encoding() {
    for encoding in Encoding::ALL {
        let message = VideoTaskLifecycleRequest {
            task_id: "cgt-1".into(),
            ..VideoTaskLifecycleRequest::default()
        };
        let payload = encoding.encode(&message).unwrap();
        let request: Request<VideoTaskLifecycleRequest> = convert(vec![payload.clone()]);
        assert_eq!(request.encoding(), encoding);
        let converter = PayloadConverter::default();
        let data = SerializationContextData::None;
        let context = SerializationContext::new(&data, &converter);
        assert_eq!(request.to_payload(&context).unwrap(), payload);
    }
}
