//! The receipt in `manifest.json`, and the one that callers receive.

use crate::v1::{ArchivedObject, Manifest};

impl Manifest {
    /// Returns the receipt without the fields that were added after version 0.1.0. Callers with stubs of that version
    /// reject fields that they do not know, and have most of the same values in the task.
    pub fn for_callers(self) -> Self {
        let for_callers = |object| ArchivedObject {
            has_c2pa_manifest: None,
            ..object
        };
        Self {
            objects: self.objects.into_iter().map(for_callers).collect(),
            service_tier: String::new(),
            generate_audio: None,
            draft: None,
            draft_task_id: String::new(),
            priority: None,
            safety_identifier: String::new(),
            tools: Vec::new(),
            execution_expires_after: None,
            framespersecond: None,
            ..self
        }
    }
}
