//! The messages against another implementation of protobuf, which reads JSON strictly: what it writes we
//! read, and what we write it reads, with every field of every message set.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Debug;

use prost::{Message, Name};
use prost_reflect::{
    DescriptorPool, DeserializeOptions, DynamicMessage, FieldDescriptor, Kind, MapKey,
    MessageDescriptor, SerializeOptions, Value,
};
use seedance_archiver_proto::v1::*;
use serde::{Serialize, de::DeserializeOwned};

/// A field that this version does not know: number 9999, a text.
const FROM_THE_FUTURE: &[u8] = &[0xfa, 0xf0, 0x04, 3, b'n', b'e', b'w'];

fn descriptors() -> DescriptorPool {
    let bytes: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
    DescriptorPool::decode(bytes).unwrap()
}

#[test]
fn each_message_is_read_and_written_as_others_do() {
    let mut checked = Vec::new();
    macro_rules! check {
        ($($message:ty),* $(,)?) => { $(check::<$message>(); checked.push(<$message>::full_name());)* };
    }
    check!(
        ArchiveProgress,
        ArchiveVideoRequest,
        ArchivedObject,
        AwaitProgress,
        AwaitVideoTaskRequest,
        CancelVideoTaskRequest,
        CancelVideoTaskResult,
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
        VideoTask,
        VideoTaskError,
        VideoTaskLifecycleRequest,
        VideoTaskLifecycleResult,
    );
    let mut all: Vec<_> = descriptors()
        .all_messages()
        .filter(|message| !message.is_map_entry())
        .map(|message| message.full_name().to_owned())
        .collect();
    all.sort();
    checked.sort();
    assert_eq!(checked, all, "a message is not checked");
}

fn check<T>()
where
    T: Message + Name + Default + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let descriptor = descriptors().get_message_by_name(&T::full_name()).unwrap();
    for theirs in [filled(&descriptor), DynamicMessage::new(descriptor.clone())] {
        let ours = T::decode(theirs.encode_to_vec().as_slice()).unwrap();
        assert_eq!(reread(&ours, &descriptor), theirs, "{}", T::full_name());
        for options in ways_to_write() {
            let json = json(&theirs, &options);
            let read: T = serde_json::from_str(&json).unwrap();
            assert_eq!(read, ours, "{json}");
        }
        let mut bytes = theirs.encode_to_vec();
        bytes.extend_from_slice(FROM_THE_FUTURE);
        assert_eq!(T::decode(bytes.as_slice()).unwrap(), ours);
    }
}

/// Our JSON, read by the other implementation, which refuses what it does not know.
fn reread<T: Serialize>(ours: &T, descriptor: &MessageDescriptor) -> DynamicMessage {
    let json = serde_json::to_string(ours).unwrap();
    let mut reader = serde_json::Deserializer::from_str(&json);
    let strict = DeserializeOptions::new().deny_unknown_fields(true);
    DynamicMessage::deserialize_with_options(descriptor.clone(), &mut reader, &strict).unwrap()
}

/// What the JSON mapping of protobuf leaves to writers.
fn ways_to_write() -> [SerializeOptions; 3] {
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

/// A message of this type in which every field says something.
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
        Kind::Bool => Value::Bool(true),
        Kind::Message(message) => Value::Message(filled(&message)),
        other => panic!("{other:?} is a kind of field that this test does not know"),
    };
    if field.is_list() {
        Value::List(vec![one.clone(), one])
    } else {
        one
    }
}
