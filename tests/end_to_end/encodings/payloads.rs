//! Payloads of requests and replies, and their encodings.

use anyhow::{Context, bail, ensure};
use seedance_archiver_workflows::encoding::{self, ContractMessage, Encoding};
use temporalio_common::{error::IncomingError, protos::temporal::api::common::v1::Payload};

/// Encodes a request with a field that this version does not know.
pub(super) fn encode_from_newer_caller<T: ContractMessage>(
    encoding: Encoding,
    request: &T,
) -> anyhow::Result<Payload> {
    let mut payload = encoding.encode(request)?;
    match encoding {
        // Field 9999, a string.
        Encoding::BinaryProtobuf => payload.data.extend([0xfa, 0xf0, 0x04, 3, b'n', b'e', b'w']),
        Encoding::JsonPlain | Encoding::JsonProtobuf => {
            let mut json: serde_json::Value = serde_json::from_slice(&payload.data)?;
            json["of_the_future"] = serde_json::json!({"a": [1]});
            payload.data = json.to_string().into_bytes();
        }
    }
    Ok(payload)
}

/// Decodes a reply, and checks its encoding and the message type in its metadata.
pub(super) fn decode_reply<T: ContractMessage>(
    expected: Encoding,
    reply: &Payload,
) -> anyhow::Result<T> {
    let metadata = |key: &str| {
        let value = reply.metadata.get(key);
        value.map(|value| String::from_utf8_lossy(value).into_owned())
    };
    ensure!(
        Encoding::from_payload(reply) == Some(expected),
        "{:?}",
        metadata("encoding")
    );
    let name = (expected != Encoding::JsonPlain).then(T::full_name);
    ensure!(
        metadata("messageType") == name,
        "{:?}",
        metadata("messageType")
    );
    Ok(encoding::decode(reply)?)
}

/// Returns the details of an application failure.
pub(super) fn details(failure: &IncomingError) -> anyhow::Result<Payload> {
    let IncomingError::Application(failure) = failure else {
        bail!("not an application failure: {failure:?}");
    };
    let details = failure.raw_details().and_then(|details| details.first());
    Ok(details.context("no details")?.clone())
}
