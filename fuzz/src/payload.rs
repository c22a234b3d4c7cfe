//! Payloads of callers, in three encodings.

use seedance_archiver_proto::v1;
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
/// The indices of encodings.
const JSON: u8 = 0;
const JSON_WITH_NAME: u8 = 1;
const BINARY: u8 = 2;
const ENCRYPTED: u8 = 3;

/// Fields of every message. In the binary format, few of them contain the byte in whose place a secret is planted.
const SAMPLE: &str = r#"{
    "task_id": "cgt-7", "account": "eu", "destination": "s3://bucket/x", "submission_id": "order-7", "share": "2/30",
    "request": {"model": "seedance", "content": [{"type": "text", "text": "a kite"}], "seed": 7},
    "id": "cgt-7", "model": "seedance", "createdAt": "1787898431", "known_status": "queued", "seed": 7, "duration": 5,
    "content": {"video_url": "sealed:v2:AA"}, "total_tokens": 9, "tool_usage": {"web_search": "2"},
    "task": {"id": "cgt-7", "status": "succeeded", "content": {"video_url": "sealed:v2:AA"}, "tools": [{"type": "web"}]},
    "manifest": {"task_id": "cgt-7", "objects": [{"name": "video.mp4", "checks": [{"name": "mp4", "result": "passed"}]}]},
    "result": {"outcome": "lost", "reason": "url_expired", "task": {"id": "cgt-7"}, "warnings": ["two"]},
    "page": {"page_num": 7, "service_tier": "flex"}, "next": {"page_num": 8},
    "resumed": {"after": "2026", "task": {"id": "cgt-7"}, "next": {"page_num": 7}}, "state": {"after": "2026"},
    "report": {"share": "2/30", "finding_counts": {"missing": "2"}, "findings": [{"kind": "missing"}],
        "coverage": [{"to": "4294967296"}]},
    "event": {"id": "evt7", "type": "video.lost", "data": {"task_id": "cgt-7", "objects": [{"name": "video.mp4"}]}},
    "submitted": {"model": "seedance", "submitted_at": "1787898431"}, "submission": {"learned_from": "answer"},
    "completion_times": {"kinds": [{"model": "seedance", "seconds": [90, 91]}]}, "seconds": [90, 91],
    "kinds": [{"model": "seedance", "duration": 5}], "not_found": ["cgt-8"], "candidates": ["cgt-8"]
}"#;

/// A message of the contract.
struct Message {
    name: &'static str,
    check: fn(&Payload),
    /// Returns a message with some fields, in Protobuf's binary format.
    sample: fn() -> Payload,
}

macro_rules! messages {
    (requests: $($request:ident),*; others: $($other:ident),*;) => {
        /// The messages that are validated.
        pub const REQUESTS: &[&str] = &[$(stringify!($request)),*];

        /// Every message: what callers send and receive, what activities receive and return, what heartbeats contain, and
        /// the parts of these.
        const MESSAGES: &[Message] = &[
            $(Message {
                name: stringify!($request),
                check: check_request::<v1::$request>,
                sample: sample::<v1::$request>,
            },)*
            $(Message {
                name: stringify!($other),
                check: check_message::<v1::$other>,
                sample: sample::<v1::$other>,
            },)*
        ];
    };
}

messages! {
    requests:
        AccountWatcherRequest,
        ArchiveVideoRequest,
        AuditArchiveRequest,
        AuditShareRequest,
        AwaitVideoTaskRequest,
        CancelVideoTaskRequest,
        CreateVideoTaskRequest,
        DeliverEventRequest,
        FindSubmittedTaskRequest,
        GenerateVideoRequest,
        GetVideoTaskRequest,
        QueryVideoTaskRequest,
        RecordOutcomeRequest,
        SubmissionCreated,
        SweepVideoTaskPageRequest,
        SweepVideoTasksRequest,
        VideoTaskLifecycleRequest,
        VideoTaskSubmissionRequest,
        WatchAccountRequest;
    others:
        ArchiveProgress,
        ArchivedObject,
        AuditFinding,
        AuditReport,
        AuditShareResult,
        AuditState,
        AuditedPart,
        AwaitProgress,
        CancelVideoTaskResult,
        CompletionTimes,
        CreateProgress,
        CreateVideoTaskResult,
        DeliverEventResult,
        FindSubmittedTaskResult,
        GenerateVideoResult,
        GetVideoTaskResult,
        KindCompletionTimes,
        LifecycleProgress,
        LifecycleProgressRequest,
        LifecycleState,
        Manifest,
        Nudge,
        ObjectCheck,
        OutcomeRecord,
        QueryProgress,
        QueryVideoTaskResult,
        SubmissionStatus,
        SubmissionStatusRequest,
        SubmissionUnanswered,
        SubmittedRequest,
        SweepPage,
        SweepState,
        SweepVideoTaskPageResult,
        SweepVideoTasksResult,
        Tool,
        Usage,
        Verdict,
        VideoContent,
        VideoEvent,
        VideoEventData,
        VideoTask,
        VideoTaskClaimRequest,
        VideoTaskError,
        VideoTaskLifecycleResult,
        WatchAccountResult,
        WatcherProgress;
}

/// Returns the names of the messages that are checked.
pub fn names() -> impl Iterator<Item = &'static str> {
    MESSAGES.iter().map(|message| message.name)
}

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
    (MESSAGES[usize::from(message) % MESSAGES.len()].check)(&payload);
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

fn sample<T: ContractMessage>() -> Payload {
    // Empty if the message has another type under one of the names.
    let message: T = serde_json::from_str(SAMPLE).unwrap_or_default();
    Encoding::BinaryProtobuf.encode(&message).unwrap()
}

/// Returns every message in JSON and in the binary format, and more of those that callers send.
pub fn seeds() -> Vec<Vec<u8>> {
    let json = (0..)
        .zip(MESSAGES)
        .map(|(index, _)| seed(index, JSON, "", SAMPLE.as_bytes()));
    let binary = (0..)
        .zip(MESSAGES)
        .map(|(index, message)| seed(index, BINARY, "", &(message.sample)().data));
    json.chain(binary).chain(more_seeds()).collect()
}

fn more_seeds() -> Vec<Vec<u8>> {
    let json = br#"{"task_id": "cgt-1", "account": "eu", "taskId": "cgt-2", "destination": "s3://bucket/x"}"#;
    let task = br#"{"task": {"id": "cgt-1", "createdAt": "1787898431", "seed": 7, "content": {"video_url": "sealed:v2:AA"},
        "usage": {"tool_usage": {"web_search": "2"}}, "tools": [{"type": "a"}]}, "account": ""}"#;
    let manifest = br#"{"task_id": "cgt-1", "objects": [{"name": "video.mp4", "size_bytes": 7,
        "checks": [{"name": "mp4", "result": "passed"}]}], "seed": 1, "usage": null}"#;
    let lifecycle = "seedance.archiver.v1.VideoTaskLifecycleRequest";
    let messages: [(&str, u8, &str, &[u8]); 10] = [
        ("AwaitVideoTaskRequest", JSON, "", json),
        ("VideoTaskLifecycleRequest", JSON_WITH_NAME, lifecycle, json),
        (
            "QueryVideoTaskRequest",
            BINARY,
            "",
            b"\x0a\x05cgt-1\x12\x02eu",
        ),
        ("ArchiveVideoRequest", JSON, "", task),
        ("Manifest", JSON, "", manifest),
        (
            "GenerateVideoRequest",
            JSON,
            "",
            br#"{"request": "{\"model\": \"m\", \"content\": [\u0001]}"}"#,
        ),
        (
            "DeliverEventRequest",
            JSON,
            "",
            br#"{"event": {"id": "a/b"}}"#,
        ),
        ("AuditShareRequest", JSON, "", br#"{"share": "1/0"}"#),
        (
            "ArchiveVideoRequest",
            JSON,
            "",
            b"{\"task\": {\"content\": \"\x01\"}}",
        ),
        ("AwaitVideoTaskRequest", ENCRYPTED, "", b"\x01"),
    ];
    let seeds = messages.iter().map(|(name, encoding, message_type, data)| {
        let index = names().position(|it| it == *name).unwrap();
        seed(index as u8, *encoding, message_type, data)
    });
    seeds.collect()
}

fn seed(message: u8, encoding: u8, message_type: &str, data: &[u8]) -> Vec<u8> {
    [
        &[message, encoding],
        &short(message_type.as_bytes())[..],
        data,
    ]
    .concat()
}
