//! The encodings of messages. A result has the encoding of its request.
//!
//! ```
//! use seedance_archiver_proto::v1::AwaitVideoTaskRequest;
//! use seedance_archiver_workflows::encoding::{Encoding, decode};
//!
//! let request = AwaitVideoTaskRequest { task_id: "cgt-1".into(), ..Default::default() };
//! let mut payload = Encoding::JsonPlain.encode(&request)?;
//! assert_eq!(payload.data, br#"{"task_id":"cgt-1"}"#);
//! assert_eq!(decode::<AwaitVideoTaskRequest>(&payload)?, request);
//!
//! payload.data = br#"{"task_id": 1}"#.to_vec();
//! let error = decode::<AwaitVideoTaskRequest>(&payload).unwrap_err();
//! assert!(error.to_string().starts_with("`task_id` cannot be decoded: "));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use prost::{Message, Name};
use seedance_archiver_proto::external;
use serde::{Serialize, de::DeserializeOwned};
use temporalio_common::{
    data_converters::PayloadConversionError, protos::temporal::api::common::v1::Payload,
};

use crate::invalid_request::InvalidRequest;

/// Metadata key of a payload: its encoding.
const ENCODING: &str = "encoding";
/// Metadata key of a payload: the full name of its message, from which the Python and TypeScript SDKs find the
/// type.
const MESSAGE_TYPE: &str = "messageType";
/// Maximum length of another system's text in an error, in characters.
const MAX_TEXT: usize = 400;

/// How a message is encoded in a payload.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Encoding {
    /// JSON, as callers without generated types write it.
    #[default]
    JsonPlain,
    /// The same JSON, with the name of the message in the metadata.
    JsonProtobuf,
    /// Protobuf's binary format, with the name of the message in the metadata.
    BinaryProtobuf,
}

/// A message of the contract: a type of `seedance_archiver_proto::v1`.
pub trait ContractMessage: Message + Name + Default + Serialize + DeserializeOwned {}

impl<T: Message + Name + Default + Serialize + DeserializeOwned> ContractMessage for T {}

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 3] = [Self::JsonPlain, Self::JsonProtobuf, Self::BinaryProtobuf];

    /// Returns the name of the encoding in the metadata of a payload.
    pub fn name(self) -> &'static str {
        match self {
            Self::JsonPlain => "json/plain",
            Self::JsonProtobuf => "json/protobuf",
            Self::BinaryProtobuf => "binary/protobuf",
        }
    }

    /// Returns the encoding of a payload, or `None` if it has another encoding, or none.
    pub fn from_payload(payload: &Payload) -> Option<Self> {
        let name = payload.metadata.get(ENCODING)?;
        Self::ALL
            .into_iter()
            .find(|encoding| encoding.name().as_bytes() == name)
    }

    /// Encodes a message.
    ///
    /// # Errors
    ///
    /// Returns an error if the message cannot be written as JSON, which no message of the contract causes.
    pub fn encode<T: ContractMessage>(
        self,
        message: &T,
    ) -> Result<Payload, PayloadConversionError> {
        let data = match self {
            Self::BinaryProtobuf => message.encode_to_vec(),
            Self::JsonPlain | Self::JsonProtobuf => serde_json::to_vec(message)
                .map_err(|error| PayloadConversionError::EncodingError(error.into()))?,
        };
        let mut payload = Payload {
            metadata: [(ENCODING.to_owned(), self.name().into())].into(),
            data,
            ..Payload::default()
        };
        if self != Self::JsonPlain {
            let name = T::full_name().into_bytes();
            payload.metadata.insert(MESSAGE_TYPE.to_owned(), name);
        }
        Ok(payload)
    }
}

/// Decodes a message from a payload of any encoding. Unknown fields are ignored.
///
/// # Errors
///
/// Returns an error if the encoding is unknown, if the metadata names another message, or if the data cannot
/// be decoded. The error names the field by its path, e.g. `task.created_at`, or `input` for the whole payload,
/// and contains no secret.
pub fn decode<T: ContractMessage>(payload: &Payload) -> Result<T, InvalidRequest> {
    let Some(encoding) = Encoding::from_payload(payload) else {
        let known = Encoding::ALL.map(Encoding::name).join("`, `");
        let other = text(payload, ENCODING).unwrap_or_else(|| "unknown".into());
        let problem = format!("is encoded as `{other}`; supported encodings: `{known}`");
        return Err(InvalidRequest::new("input", problem));
    };
    // Protobuf's binary format decodes many other messages without an error.
    match text(payload, MESSAGE_TYPE) {
        Some(name) if encoding != Encoding::JsonPlain && !is_name_of::<T>(&name) => {
            let problem = format!("is a message `{name}`, expected `{}`", T::full_name());
            Err(InvalidRequest::new("input", problem))
        }
        _ if encoding == Encoding::BinaryProtobuf => T::decode(payload.data.as_slice())
            .map_err(|error| InvalidRequest::new("input", not_decodable(&error))),
        _ => from_json(&payload.data),
    }
}

/// Messages that an earlier version sent under another name: the current name and the earlier one.
const EARLIER_NAMES: [(&str, &str); 1] = [(
    "seedance.archiver.v1.QueryVideoTaskResult",
    "seedance.archiver.v1.VideoTask",
)];

fn is_name_of<T: Name>(name: &str) -> bool {
    let current = T::full_name();
    name == current || EARLIER_NAMES.contains(&(current.as_str(), name))
}

fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, InvalidRequest> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let message = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field = match error.path().to_string() {
            path if path == "." || path == "?" => "input".to_owned(),
            path => path,
        };
        InvalidRequest::new(field, not_decodable(error.inner()))
    })?;
    match reader.end() {
        Ok(()) => Ok(message),
        Err(error) => Err(InvalidRequest::new("input", not_decodable(&error))),
    }
}

/// Returns the problem that a decoder found. Its text repeats the invalid value, which may be a signed URL or very
/// long.
fn not_decodable(error: &impl ToString) -> String {
    let error = external::line(&error.to_string(), MAX_TEXT);
    format!("cannot be decoded: {error}")
}

fn text(payload: &Payload, key: &str) -> Option<String> {
    let value = payload.metadata.get(key)?;
    let value = String::from_utf8_lossy(value);
    Some(external::line(&value, MAX_TEXT))
}

#[cfg(test)]
mod tests;
