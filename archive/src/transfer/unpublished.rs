use object_store::PutPayload;

use crate::{checks::CheckedObject, store::Upload};

/// An object that was downloaded and checked, but has no final key yet.
pub(super) struct UnpublishedObject {
    pub(super) checked: CheckedObject,
    /// Host that served the bytes.
    pub(super) source_host: String,
    /// Bytes that were downloaded more than once.
    pub(super) bytes_fetched_again: u64,
    pub(super) body: Body,
}

/// The location of an unpublished object's bytes.
pub(super) enum Body {
    /// In memory: the object is no larger than a part.
    Small(PutPayload),
    /// In an upload that is not completed yet.
    Large(Upload),
}
