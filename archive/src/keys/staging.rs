//! Staged objects: complete objects that are about to be copied to their final keys.

use object_store::path::{Path, PathPart};
use uuid::Uuid;

use crate::object::ObjectKind;

/// Prefix of objects that are not published yet, under the prefix in the archive URL.
pub(crate) const STAGING: &str = ".staging";

/// Stands for the task id in the keys of test objects.
pub(crate) const PROBE: &str = "probe";

/// Length of a UUID in a key, with hyphens.
const UUID_LEN: usize = 36;

/// Returns the prefix of what an attempt stages. `prefix` is the one in the archive URL.
pub(crate) fn staging_prefix(prefix: &Path, task_id: &str, attempt_id: Uuid) -> Path {
    let attempt = format!("{task_id}-{attempt_id}");
    prefix.clone().join(STAGING).join(attempt)
}

/// Returns whether a name is reserved in a store that may ignore case, as some file systems do.
pub(crate) fn is_staging_in_any_case(name: &str) -> bool {
    name.eq_ignore_ascii_case(STAGING)
}

/// Returns whether a key is that of an object that an attempt staged under `prefix`, or of a test object. No published
/// object has such a key: its name has an extension.
pub(crate) fn is_staged(prefix: &Path, key: &Path) -> bool {
    let Some(parts) = key.prefix_match(prefix) else {
        return false;
    };
    let parts: Vec<_> = parts.collect();
    match parts.iter().map(AsRef::as_ref).collect::<Vec<_>>()[..] {
        [STAGING, directory, name] => is_attempt(directory) && !name.contains('.'),
        _ => false,
    }
}

/// Returns whether a name is that of the copy that a test puts where objects are published, as `probe-{UUID}-copied`.
pub(crate) fn is_test_copy(name: &str) -> bool {
    let rest = name
        .strip_prefix(PROBE)
        .and_then(|rest| rest.strip_prefix('-'));
    let id = rest.and_then(|rest| rest.split_at_checked(UUID_LEN));
    id.is_some_and(|(id, rest)| Uuid::try_parse(id).is_ok() && rest.starts_with("-copied"))
}

/// Returns whether the name of a directory ends with the id of an attempt.
pub(crate) fn is_attempt(directory: &str) -> bool {
    let id = directory.len().checked_sub(UUID_LEN);
    let id = id.and_then(|start| directory.split_at_checked(start));
    id.is_some_and(|(task, id)| task.ends_with('-') && Uuid::try_parse(id).is_ok())
}

/// Returns whether the name of a directory is that of an attempt of this task.
pub(crate) fn is_attempt_of(directory: &str, task_id: &str) -> bool {
    let attempts = PathPart::from(format!("{task_id}-"));
    let id = directory.strip_prefix(attempts.as_ref());
    id.is_some_and(|id| id.len() == UUID_LEN && Uuid::try_parse(id).is_ok())
}

/// Returns whether a multipart upload to a key may be one of an archive under `prefix`. Large objects are uploaded to
/// their final keys or staged; other programs may upload to the same bucket.
pub(crate) fn is_upload(prefix: &Path, key: &Path) -> bool {
    let name = key.filename().unwrap_or_default();
    let is_published = name
        .split_once('.')
        .is_some_and(|(kind, _)| ObjectKind::is_name(kind));
    is_published || is_staged(prefix, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_uploads_of_the_archiver_are_its_own() {
        let attempt = "8f14e45f-ceea-4a7b-9f2b-3d1c5d0e6a11";
        let is_upload = |key: &str| super::is_upload(&Path::from("team"), &Path::from(key));
        assert!(is_upload("team/default/2025/07/18/cgt-1/video.mp4"));
        assert!(is_upload("team/eu/cgt-1/last_frame.png"));
        assert!(is_upload(&format!("team/.staging/cgt-1-{attempt}/video")));
        for other in [
            "team/backup.tar",
            "team/video",
            "team/videos.mp4",
            ".staging/cgt-1/video",
        ] {
            assert!(!is_upload(other), "{other}");
        }
    }

    #[test]
    fn only_tests_copy_under_their_names() {
        let id = Uuid::new_v4();
        for name in ["copied", "copied-if-none-match"] {
            assert!(is_test_copy(&format!("probe-{id}-{name}")), "{name}");
        }
        for other in [
            format!("probe-{id}"),
            format!("probe-{id}-video"),
            format!("cgt-{id}-copied"),
            "probe-not-a-uuid-but-as-long-as-one-would-be-copied".to_owned(),
            "probe-copied".to_owned(),
        ] {
            assert!(!is_test_copy(&other), "{other}");
        }
    }

    #[test]
    fn the_directory_of_an_attempt_is_that_of_one_task() {
        let attempt = Uuid::new_v4();
        for task_id in ["cgt-1", "cgt-1-a", "a/b", "ü", ""] {
            let prefix = staging_prefix(&Path::default(), task_id, attempt);
            let directory = prefix.filename().unwrap();
            assert!(is_attempt_of(directory, task_id), "{directory}");
            for other in ["cgt", "cgt-", "cgt-1-", "cgt-11", "a", &attempt.to_string()] {
                assert!(!is_attempt_of(directory, other), "{directory}, {other}");
            }
        }
    }

    #[test]
    fn a_directory_of_an_attempt_ends_with_its_id() {
        let attempt = Uuid::new_v4();
        assert!(is_attempt(&format!("cgt-1-{attempt}")));
        assert!(is_attempt(&format!("-{attempt}")));
        for other in [
            "",
            "cgt-1",
            "ü-not-a-uuid-but-as-long-as-one-would-be",
            &attempt.to_string(),
            &format!("cgt-1{attempt}"),
            &format!("cgt-1-{attempt}-2"),
        ] {
            assert!(!is_attempt(other), "{other}");
        }
    }
}
