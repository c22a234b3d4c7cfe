//! The encodings in which messages travel. A caller chooses one; what it gets comes in the same.
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
//! assert!(error.to_string().starts_with("`task_id` cannot be read: "));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use prost::{Message, Name};
use seedance_archiver_proto::redact;
use serde::{Serialize, de::DeserializeOwned};
use temporalio_common::{
    data_converters::PayloadConversionError, protos::temporal::api::common::v1::Payload,
};

use crate::invalid_request::InvalidRequest;

/// Metadata that names the encoding of a payload.
const ENCODING: &str = "encoding";
/// Metadata that names the message in it, by which Python and TypeScript find its type.
const MESSAGE_TYPE: &str = "messageType";
/// Longest text of a fault that a decoder found, in characters.
const MAX_FAULT: usize = 400;

/// How a message is encoded in a payload.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Encoding {
    /// JSON, as a caller without the generated types writes it.
    #[default]
    JsonPlain,
    /// Protobuf's JSON, with the name of the message beside it. It is the same JSON.
    JsonProtobuf,
    /// Protobuf's binary format, with the name of the message beside it.
    BinaryProtobuf,
}

/// A message of the contract.
pub trait Contract: Message + Name + Default + Serialize + DeserializeOwned {}

impl<T: Message + Name + Default + Serialize + DeserializeOwned> Contract for T {}

impl Encoding {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::JsonPlain, Self::JsonProtobuf, Self::BinaryProtobuf];

    /// What the metadata of a payload calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::JsonPlain => "json/plain",
            Self::JsonProtobuf => "json/protobuf",
            Self::BinaryProtobuf => "binary/protobuf",
        }
    }

    /// The encoding of a payload. `None`: it is not one of these.
    pub fn of(payload: &Payload) -> Option<Self> {
        let name = payload.metadata.get(ENCODING)?;
        Self::ALL
            .into_iter()
            .find(|encoding| encoding.name().as_bytes() == name)
    }

    /// A message as a payload.
    ///
    /// # Errors
    ///
    /// None, as long as every message can be written as JSON.
    pub fn encode<T: Contract>(self, message: &T) -> Result<Payload, PayloadConversionError> {
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

/// The message in a payload of any encoding, or what is wrong with it and where. Fields that it has and
/// this version does not know are passed over.
///
/// # Errors
///
/// Where the encoding is another one, the payload names another message, or it cannot be read. The field is a
/// path, e.g. `task.created_at`, or `input` for the whole; no query of a URL is repeated.
pub fn decode<T: Contract>(payload: &Payload) -> Result<T, InvalidRequest> {
    let Some(encoding) = Encoding::of(payload) else {
        let known = Encoding::ALL.map(Encoding::name).join("`, `");
        let other = text(payload, ENCODING).unwrap_or_else(|| "nothing known".into());
        let problem = format!("is encoded as `{other}`, not as one of `{known}`");
        return Err(InvalidRequest::new("input", problem));
    };
    // Protobuf's binary format would read another message without a fault.
    match text(payload, MESSAGE_TYPE) {
        Some(name) if encoding != Encoding::JsonPlain && !is_name_of::<T>(&name) => {
            let problem = format!("is a message `{name}`, not a `{}`", T::full_name());
            Err(InvalidRequest::new("input", problem))
        }
        _ if encoding == Encoding::BinaryProtobuf => T::decode(payload.data.as_slice())
            .map_err(|error| InvalidRequest::new("input", unreadable(&error))),
        _ => from_json(&payload.data),
    }
}

/// Messages that an earlier version sent under another name, which is still read.
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
        InvalidRequest::new(field, unreadable(error.inner()))
    })?;
    match reader.end() {
        Ok(()) => Ok(message),
        Err(error) => Err(InvalidRequest::new("input", unreadable(&error))),
    }
}

/// A decoder's words. They repeat the value that is wrong, which may be anything.
fn unreadable(error: &impl ToString) -> String {
    let fault = redact::url_queries(&error.to_string());
    let fault: String = fault.chars().take(MAX_FAULT).collect();
    format!("cannot be read: {fault}")
}

fn text(payload: &Payload, key: &str) -> Option<String> {
    let value = payload.metadata.get(key)?;
    let value = String::from_utf8_lossy(value);
    Some(value.chars().take(MAX_FAULT).collect())
}
