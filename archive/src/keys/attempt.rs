use object_store::path::Path;
use uuid::Uuid;

use super::{Layout, staging_prefix};
use crate::{Archive, Format, ObjectKind};

/// The keys of one attempt at archiving a task.
#[derive(Clone, Debug)]
pub struct AttemptKeys<'a> {
    /// The keys of the task.
    pub layout: &'a Layout,
    /// Unique id of the attempt. Staging keys contain it, because an attempt that timed out may still be
    /// running and must not write to the object of another.
    pub attempt_id: Uuid,
}

impl AttemptKeys<'_> {
    /// Returns the final key of an object.
    pub(crate) fn object_key(&self, format: Format) -> Path {
        self.layout.file(format.name)
    }

    /// Returns the key to upload an object to: its final key if completing the upload cannot replace an object, or
    /// else a staging key.
    pub(crate) fn upload_key(&self, archive: &Archive, kind: ObjectKind, format: Format) -> Path {
        if archive.has_conditional_complete {
            return self.object_key(format);
        }
        let task_id = self.layout.task_id();
        staging_prefix(&archive.url_prefix, task_id, self.attempt_id).join(kind.name())
    }

    /// Returns whether an upload to `key` that an earlier attempt started may be resumed. Returns `false` if
    /// conditional completion was switched on or off since.
    pub(crate) fn can_resume(&self, archive: &Archive, key: &Path, format: Format) -> bool {
        archive.has_conditional_complete == (*key == self.object_key(format))
    }
}
