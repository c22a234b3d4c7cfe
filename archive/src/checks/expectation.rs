//! What an object should be.

use seedance_archiver_proto::v1::VideoTask;
use strum::{EnumString, IntoStaticStr};

use crate::ObjectKind;

/// What happens to a valid video that does not match its task's record. Its words are `warn` and `refuse`.
#[derive(Clone, Copy, Debug, Default, EnumString, IntoStaticStr, PartialEq)]
#[strum(serialize_all = "snake_case")]
pub enum Mismatch {
    /// The video is archived, with a warning in the receipt.
    #[default]
    Warn,
    /// The video is rejected, like bytes that are incomplete.
    Refuse,
}

/// What an object should be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expectation<'a> {
    /// The kind of object.
    pub(crate) kind: ObjectKind,
    /// The task's record.
    pub(crate) task: &'a VideoTask,
    /// What happens if the video does not match the record.
    pub(crate) mismatch: Mismatch,
    /// MD5 of bytes that an earlier attempt rejected, because the ETag was another MD5. If the same bytes arrive
    /// again, they are accepted: the ETags of encrypted objects look like an MD5 but are not.
    pub(crate) rejected_md5: Option<&'a str>,
}
