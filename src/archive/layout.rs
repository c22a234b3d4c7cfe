//! The keys of one task's objects.

use jiff::Timestamp;
use object_store::path::{Path, PathPart};
use seedance_archiver_proto::{names, v1::VideoTask};

/// Folder of what is not published yet.
pub(super) const STAGING: &str = ".staging";

/// The folder of one task: `{account}/{year}/{month}/{day}/{task_id}`, the day being that of its
/// creation in UTC.
#[derive(Clone, Debug)]
pub struct Layout {
    folder: Path,
    task_id: String,
}

impl Layout {
    /// The folder of this task under `root`.
    pub fn new(root: &Path, account: &str, task: &VideoTask) -> Self {
        let day = match Timestamp::from_second(task.created_at) {
            Ok(created) if task.created_at > 0 => created.strftime("%Y/%m/%d").to_string(),
            _ => "undated".to_owned(),
        };
        let parts = [names::account_or_default(account)]
            .into_iter()
            .chain(day.split('/'))
            .chain([task.id.as_str()])
            .map(PathPart::from);
        Self {
            folder: root.parts().chain(parts).collect(),
            task_id: task.id.clone(),
        }
    }

    /// Key of a file of the task.
    pub fn file(&self, name: &str) -> Path {
        self.folder.clone().join(name)
    }

    /// Key of the receipt.
    pub fn manifest(&self) -> Path {
        self.folder.clone().join(names::MANIFEST)
    }

    /// Key of the record of another ending.
    pub fn outcome(&self) -> Path {
        self.folder.clone().join(names::OUTCOME)
    }

    /// Key of the task's record.
    pub fn task(&self) -> Path {
        self.folder.clone().join(names::TASK)
    }

    /// Key under which one attempt stages something. Each attempt has its own: a slow one that is
    /// believed dead must not write into another's object.
    pub fn staged(&self, root: &Path, attempt: &str, name: &str) -> Path {
        let parts = [STAGING, &format!("{}-{attempt}", self.task_id), name];
        root.parts().chain(parts.map(PathPart::from)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video(root: &str, account: &str, id: &str, created_at: i64) -> String {
        let task = VideoTask {
            id: id.into(),
            created_at,
            ..VideoTask::default()
        };
        Layout::new(&Path::from(root), account, &task)
            .file("video.mp4")
            .to_string()
    }

    #[test]
    fn sorts_by_account_day_and_task() {
        let key = video("team/videos", "eu", "cgt-1", 1_752_850_104);
        assert_eq!(key, "team/videos/eu/2025/07/18/cgt-1/video.mp4");
        assert_eq!(video("", "", "cgt-1", 0), "default/undated/cgt-1/video.mp4");
    }

    #[test]
    fn no_task_id_leaves_its_folder() {
        for id in ["..", "../../x", "a/b", "a\\b", "%2e%2e", "a\u{0}b"] {
            let key = video("root", "", id, 0);
            let folder = key.strip_prefix("root/default/undated/").unwrap();
            assert_eq!(folder.split('/').count(), 2, "{id:?} became {key}");
            assert!(
                !key.split('/').any(|part| part == ".."),
                "{id:?} became {key}"
            );
        }
    }
}
