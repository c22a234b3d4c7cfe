//! Payloads of callers, in three encodings.

use seedance_archiver_proto::v1::{
    ArchiveVideoRequest, AwaitVideoTaskRequest, Manifest, QueryVideoTaskRequest,
    QueryVideoTaskResult, RecordOutcomeRequest, SweepVideoTaskPageRequest, SweepVideoTasksRequest,
    VideoTask, VideoTaskLifecycleRequest, VideoTaskLifecycleResult,
};
use seedance_archiver_workflows::{
    encoding::{ContractMessage, Encoding, decode},
    request::{Check, Request},
};
use temporalio_common::protos::temporal::api::common::v1::Payload;

use crate::{
    input::{Input, short},
    secrets,
};

/// Maximum length of an error, in characters.
const MAX_ERROR: usize = 4_000;
const ENCODINGS: [&str; 5] = [
    "json/plain",
    "json/protobuf",
    "binary/protobuf",
    "binary/encrypted",
    "",
];

/// A message that can be decoded is the same in every encoding. Otherwise the error is one bounded line without the signed
/// URLs in the payload.
pub fn check(input: &[u8]) {
    if secrets::is_in_bytes(input) {
        return;
    }
    let mut input = Input::new(input);
    let message = input.byte();
    let encoding = *input.pick(&ENCODINGS);
    let message_type = input.short().to_vec();
    let mut payload = Payload {
        metadata: [("encoding".to_owned(), encoding.as_bytes().to_vec())].into(),
        data: secrets::plant(input.rest()),
        ..Payload::default()
    };
    if !message_type.is_empty() {
        payload
            .metadata
            .insert("messageType".to_owned(), secrets::plant(&message_type));
    }
    match message % 11 {
        0 => check_request::<AwaitVideoTaskRequest>(&payload),
        1 => check_request::<VideoTaskLifecycleRequest>(&payload),
        2 => check_request::<ArchiveVideoRequest>(&payload),
        3 => check_request::<QueryVideoTaskRequest>(&payload),
        4 => check_request::<RecordOutcomeRequest>(&payload),
        5 => check_request::<SweepVideoTasksRequest>(&payload),
        6 => check_request::<SweepVideoTaskPageRequest>(&payload),
        7 => check_message::<VideoTaskLifecycleResult>(&payload),
        8 => check_message::<QueryVideoTaskResult>(&payload),
        9 => check_message::<Manifest>(&payload),
        _ => check_message::<VideoTask>(&payload),
    }
}

fn check_request<T: ContractMessage + Check>(payload: &Payload) {
    check_message::<T>(payload);
    if let Ok(message) = decode::<T>(payload)
        && let Err(error) = Request::from(message).check()
    {
        check_error(&error.to_string());
    }
}

fn check_message<T: ContractMessage>(payload: &Payload) {
    let message: T = match decode(payload) {
        Ok(message) => message,
        Err(error) => return check_error(&error.to_string()),
    };
    for encoding in Encoding::ALL {
        let encoded = encoding.encode(&message).unwrap();
        assert_eq!(Encoding::from_payload(&encoded), Some(encoding));
        let decoded: T = decode(&encoded).unwrap();
        // The order of a map's entries is not part of a message.
        assert_eq!(
            serde_json::to_value(&decoded).unwrap(),
            serde_json::to_value(&message).unwrap()
        );
        assert_eq!(decoded.encoded_len(), message.encoded_len());
    }
}

fn check_error(error: &str) {
    assert!(error.chars().count() <= MAX_ERROR, "{error}");
    assert!(!error.contains(char::is_control), "{error:?}");
    assert!(!secrets::is_in(error), "{error}");
}

/// Returns a message in each encoding, and invalid ones.
pub fn seeds() -> Vec<Vec<u8>> {
    let json = br#"{"task_id": "cgt-1", "account": "eu", "taskId": "cgt-2", "destination": "s3://bucket/x"}"#;
    let task = br#"{"task": {"id": "cgt-1", "createdAt": "1787898431", "seed": 7, "content": {"video_url": "sealed:v2:AA"},
        "usage": {"tool_usage": {"web_search": "2"}}, "tools": [{"type": "a"}]}, "account": ""}"#;
    let manifest = br#"{"task_id": "cgt-1", "objects": [{"name": "video.mp4", "size_bytes": 7,
        "checks": [{"name": "mp4", "result": "passed"}]}], "seed": 1, "usage": null}"#;
    let page = br#"{"page": {"page_num": 1, "service_tier": "flex"}}"#;
    let messages: [(u8, u8, &[u8], &[u8]); 8] = [
        (0, 0, b"", json),
        (
            1,
            1,
            b"seedance.archiver.v1.VideoTaskLifecycleRequest",
            json,
        ),
        (3, 2, b"", b"\x0a\x05cgt-1\x12\x02eu"),
        (2, 0, b"", task),
        (6, 0, b"", page),
        (9, 0, b"", manifest),
        (2, 0, b"", b"{\"task\": {\"content\": \"\x01\"}}"),
        (0, 3, b"", b"\x01"),
    ];
    let seeds = messages.iter().map(|(message, encoding, name, data)| {
        [&[*message, *encoding], &short(name)[..], data].concat()
    });
    seeds.collect()
}
