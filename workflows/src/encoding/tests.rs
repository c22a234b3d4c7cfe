use seedance_archiver_proto::v1::{AwaitVideoTaskRequest, QueryVideoTaskResult, VideoTask};

use super::*;

fn request() -> AwaitVideoTaskRequest {
    AwaitVideoTaskRequest {
        task_id: "cgt-1".into(),
        ..AwaitVideoTaskRequest::default()
    }
}

fn payload(encoding: Encoding) -> Payload {
    encoding.encode(&request()).unwrap()
}

fn error(payload: &Payload) -> String {
    let decoded = decode::<AwaitVideoTaskRequest>(payload);
    decoded.unwrap_err().to_string()
}

#[test]
fn a_message_is_read_in_each_encoding() {
    for (encoding, name) in
        Encoding::ALL
            .into_iter()
            .zip(["json/plain", "json/protobuf", "binary/protobuf"])
    {
        let payload = payload(encoding);
        assert_eq!(payload.metadata[ENCODING], name.as_bytes());
        assert_eq!(Encoding::from_payload(&payload), Some(encoding));
        assert_eq!(decode(&payload), Ok(request()), "{name}");
    }
}

#[test]
fn the_name_of_the_message_is_in_the_metadata_except_of_plain_json() {
    let name = |encoding| {
        let name = payload(encoding).metadata.remove(MESSAGE_TYPE);
        name.map(|name| String::from_utf8(name).unwrap())
    };
    let message = Some("seedance.archiver.v1.AwaitVideoTaskRequest".to_owned());
    let names = Encoding::ALL.map(name);
    assert_eq!(names, [None, message.clone(), message]);
}

#[test]
fn another_message_is_rejected() {
    for encoding in [Encoding::JsonProtobuf, Encoding::BinaryProtobuf] {
        let other = encoding.encode(&VideoTask::default()).unwrap();
        assert_eq!(
            error(&other),
            "`input` is a message `seedance.archiver.v1.VideoTask`, expected \
             `seedance.archiver.v1.AwaitVideoTaskRequest`"
        );
    }
    let mut plain = payload(Encoding::JsonPlain);
    let name = b"any".to_vec();
    plain.metadata.insert(MESSAGE_TYPE.to_owned(), name);
    assert_eq!(decode(&plain), Ok(request()), "plain JSON has no type");
}

#[test]
fn a_result_that_an_earlier_version_sent_is_read() {
    let task = VideoTask {
        id: "cgt-1".into(),
        ..VideoTask::default()
    };
    let earlier = Encoding::JsonProtobuf.encode(&task).unwrap();
    assert!(decode::<QueryVideoTaskResult>(&earlier).is_ok());
}

#[test]
fn an_unknown_encoding_is_rejected() {
    let mut payload = payload(Encoding::JsonPlain);
    let name = b"binary/encrypted".to_vec();
    payload.metadata.insert(ENCODING.to_owned(), name);
    assert_eq!(Encoding::from_payload(&payload), None);
    assert_eq!(
        error(&payload),
        "`input` is encoded as `binary/encrypted`; supported encodings: `json/plain`, \
         `json/protobuf`, `binary/protobuf`"
    );
    payload.metadata.clear();
    assert!(error(&payload).contains("encoded as `unknown`"));
}
