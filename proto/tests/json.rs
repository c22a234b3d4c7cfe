//! Compatibility with another protobuf implementation, whose JSON parser is strict. Each implementation parses
//! what the other serializes, with every field of every message set.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Debug;

use prost::{Message, Name};
use prost_reflect::{
    DescriptorPool, DeserializeOptions, DynamicMessage, FieldDescriptor, Kind, MapKey,
    MessageDescriptor, SerializeOptions, Value,
};
use seedance_archiver_proto::{FILE_DESCRIPTOR_SET, v1::*};
use serde::{Serialize, de::DeserializeOwned};

/// An unknown field: number 9999, a string.
const UNKNOWN_FIELD: &[u8] = &[0xfa, 0xf0, 0x04, 3, b'n', b'e', b'w'];

fn descriptors() -> DescriptorPool {
    DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap()
}

#[test]
fn every_message_is_compatible_with_another_implementation() {
    let mut checked = Vec::new();
    macro_rules! check {
        ($($message:ty),* $(,)?) => { $(check::<$message>(); checked.push(<$message>::full_name());)* };
    }
    check!(
        AccountWatcherRequest,
        ArchiveProgress,
        ArchiveVideoRequest,
        ArchivedObject,
        AuditArchiveRequest,
        AuditFinding,
        AuditReport,
        AuditShareRequest,
        AuditShareResult,
        AuditState,
        AuditedPart,
        AwaitProgress,
        AwaitVideoTaskRequest,
        CancelVideoTaskRequest,
        CancelVideoTaskResult,
        CompletionTimes,
        CreateProgress,
        CreateVideoTaskRequest,
        CreateVideoTaskResult,
        DeliverEventRequest,
        DeliverEventResult,
        FindSubmittedTaskRequest,
        FindSubmittedTaskResult,
        GenerateVideoRequest,
        GenerateVideoResult,
        GetVideoTaskRequest,
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
        QueryVideoTaskRequest,
        QueryVideoTaskResult,
        RecordOutcomeRequest,
        SubmissionCreated,
        SubmissionStatus,
        SubmissionStatusRequest,
        SubmissionUnanswered,
        SubmittedRequest,
        SweepPage,
        SweepState,
        SweepVideoTaskPageRequest,
        SweepVideoTaskPageResult,
        SweepVideoTasksRequest,
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
        VideoTaskLifecycleRequest,
        VideoTaskLifecycleResult,
        VideoTaskSubmissionRequest,
        WatchAccountRequest,
        WatchAccountResult,
        WatcherProgress,
    );
    let mut all: Vec<_> = descriptors()
        .all_messages()
        .filter(|message| !message.is_map_entry())
        .map(|message| message.full_name().to_owned())
        .collect();
    all.sort();
    checked.sort();
    assert_eq!(checked, all, "a message is missing in the list above");
}

fn check<T>()
where
    T: Message + Name + Default + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let descriptor = descriptors().get_message_by_name(&T::full_name()).unwrap();
    for theirs in [filled(&descriptor), DynamicMessage::new(descriptor.clone())] {
        let ours = T::decode(theirs.encode_to_vec().as_slice()).unwrap();
        assert_eq!(parse_ours(&ours, &descriptor), theirs, "{}", T::full_name());
        for options in serializer_options() {
            let json = json(&theirs, &options);
            let read: T = serde_json::from_str(&json).unwrap();
            assert_eq!(read, ours, "{json}");
        }
        let mut bytes = theirs.encode_to_vec();
        bytes.extend_from_slice(UNKNOWN_FIELD);
        assert_eq!(T::decode(bytes.as_slice()).unwrap(), ours);
    }
}

/// Parses our JSON with the other implementation, which rejects unknown fields.
fn parse_ours<T: Serialize>(ours: &T, descriptor: &MessageDescriptor) -> DynamicMessage {
    let json = serde_json::to_string(ours).unwrap();
    let mut reader = serde_json::Deserializer::from_str(&json);
    let strict = DeserializeOptions::new().deny_unknown_fields(true);
    DynamicMessage::deserialize_with_options(descriptor.clone(), &mut reader, &strict).unwrap()
}

/// Returns the variants of JSON that protobuf's mapping allows.
fn serializer_options() -> [SerializeOptions; 3] {
    let standard = SerializeOptions::new();
    [
        standard.clone(),
        standard
            .clone()
            .use_proto_field_name(true)
            .stringify_64_bit_integers(false),
        standard.skip_default_fields(false),
    ]
}

fn json(message: &DynamicMessage, options: &SerializeOptions) -> String {
    let mut json = Vec::new();
    message
        .serialize_with_options(&mut serde_json::Serializer::new(&mut json), options)
        .unwrap();
    String::from_utf8(json).unwrap()
}

/// Returns a message of this type in which every field is set.
fn filled(descriptor: &MessageDescriptor) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        message.set_field(&field, value(&field));
    }
    message
}

fn value(field: &FieldDescriptor) -> Value {
    if field.is_map() {
        let key = MapKey::String("web_search".into());
        return Value::Map([(key, Value::I64(2))].into());
    }
    let one = match field.kind() {
        Kind::String => Value::String(format!("{} \u{1f3ac} \"", field.name())),
        Kind::Int64 => Value::I64(i64::MIN + i64::from(field.number())),
        Kind::Uint32 => Value::U32(u32::MAX - field.number()),
        Kind::Bool => Value::Bool(true),
        Kind::Message(message) => Value::Message(filled(&message)),
        other => panic!("the test does not support fields of the kind {other:?}"),
    };
    if field.is_list() {
        Value::List(vec![one.clone(), one])
    } else {
        one
    }
}
