use seedance_archiver_proto::v1::VideoTask;
use strum::{Display, EnumString, VariantNames};

use crate::ObjectKind;

/// What happens to a valid video that does not match its task's record: `warn` or `refuse`.
#[derive(Clone, Copy, Debug, Default, Display, EnumString, PartialEq, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Mismatch {
    /// The video is archived, with a warning in the receipt.
    #[default]
    Warn,
    /// The video is rejected, as if it were incomplete.
    Refuse,
}

/// The expected properties of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expectation<'a> {
    /// The kind of object.
    pub(crate) kind: ObjectKind,
    /// The task's record.
    pub(crate) task: &'a VideoTask,
    /// What happens if the video does not match the record.
    pub(crate) mismatch: Mismatch,
    /// MD5 of the bytes that an earlier attempt rejected because the ETag contained a different MD5. If the same
    /// bytes arrive again, they are accepted: the ETag of an encrypted object looks like an MD5, but is not.
    pub(crate) rejected_md5: Option<&'a str>,
    /// SHA-256 of the bytes that an earlier attempt rejected because they look odd. If the same bytes arrive again,
    /// they are accepted: another download would not change them.
    pub(crate) rejected_sha256: Option<&'a str>,
}
