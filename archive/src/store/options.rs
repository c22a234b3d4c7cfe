use std::collections::BTreeMap;

use object_store::path::Path;

use super::tags;

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
    /// Tags of all objects. S3 only. `{safety_identifier}` in a value is replaced by that of the task.
    pub tags: BTreeMap<String, String>,
}

impl ObjectOptions {
    /// Checks the value of a tag.
    ///
    /// # Errors
    ///
    /// Returns an error if the value has a field other than `{safety_identifier}`. The error is a predicate.
    pub fn check_tag(value: &str) -> Result<(), String> {
        tags::check(value)
    }

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
