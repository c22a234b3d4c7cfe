use seedance_archiver_proto::v1::VideoTask;
use temporalio_common::data_converters::{
    GenericPayloadConverter, PayloadConverter, SerializationContextData,
};

use super::*;

fn task() -> VideoTask {
    VideoTask {
        id: "cgt-1".into(),
        ..VideoTask::default()
    }
}

/// Calls `f` with the context of a conversion.
fn convert<T>(f: impl FnOnce(&PayloadConverter, &SerializationContext<'_>) -> T) -> T {
    let converter = PayloadConverter::default();
    let data = SerializationContextData::None;
    f(&converter, &SerializationContext::new(&data, &converter))
}

#[test]
fn a_reply_has_the_encoding_of_its_request() {
    for encoding in Encoding::ALL {
        let reply = Reply::new(task(), encoding);
        let payload = convert(|_, context| reply.to_payload(context)).unwrap();
        assert_eq!(Encoding::from_payload(&payload), Some(encoding));
        let read: Reply<VideoTask> =
            convert(|converter, context| converter.from_payload(context, payload)).unwrap();
        assert_eq!(read, reply);
        assert_eq!(read.message(), &task());
        assert_eq!(read.into_message(), task());
    }
}

#[test]
fn an_argument_that_is_omitted_has_no_encoding() {
    let read = |payloads| {
        let argument: OptionalArgument =
            convert(|converter, context| converter.from_payloads(context, payloads)).unwrap();
        argument.encoding()
    };
    assert_eq!(read(Vec::new()), None);
    assert_eq!(read(vec![Payload::default()]), None);
    for encoding in Encoding::ALL {
        let payload = encoding.encode(&task()).unwrap();
        let argument: OptionalArgument =
            convert(|converter, context| converter.from_payload(context, payload.clone())).unwrap();
        assert_eq!(argument.encoding(), Some(encoding));
        assert_eq!(read(vec![payload]), Some(encoding));
    }
    let written = convert(|_, context| OptionalArgument::default().to_payloads(context));
    assert_eq!(written.unwrap(), Vec::new());
}
