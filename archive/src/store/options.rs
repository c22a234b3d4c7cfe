use std::collections::BTreeMap;

use object_store::path::Path;

/// An account's options for the objects that it stores.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectOptions {
    /// Key prefix, after the prefix in the archive URL. May be empty.
    pub prefix: Path,
    /// Storage class of videos, last frames and files. S3 only: on other stores large objects are copied, and a
    /// copy loses the storage class.
    pub storage_class: Option<String>,
    /// KMS key for SSE-KMS. S3 only.
    pub kms_key_id: Option<String>,
    /// Tags of all objects. S3 only.
    pub tags: BTreeMap<String, String>,
}

impl ObjectOptions {
    /// Returns the name of the first option that is set and that only S3 supports.
    pub(super) fn s3_only(&self) -> Option<&'static str> {
        let options = [
            (self.storage_class.is_some(), "storage classes"),
            (self.kms_key_id.is_some(), "KMS keys"),
            (!self.tags.is_empty(), "object tags"),
        ];
        let (_, name) = options.into_iter().find(|(is_set, _)| *is_set)?;
        Some(name)
    }
}
