//! The keys of one task's objects.

use jiff::Timestamp;
use object_store::path::{Path, PathPart};
use seedance_archiver_proto::{names, v1::VideoTask};

use super::{Archive, Format, KeyTemplate, Kind, staging::STAGING, template::Parts};

/// The folder of one task, by its account's template.
#[derive(Clone, Debug)]
pub struct Layout {
    folder: Path,
    task_id: String,
}

impl Layout {
    /// Returns the keys of a task of `account` under `root`, by a template.
    pub fn new(root: &Path, template: &KeyTemplate, account: &str, task: &VideoTask) -> Self {
        let created = Timestamp::from_second(task.created_at);
        let folder = template.folder(Parts {
            account,
            task_id: &task.id,
            model: &task.model,
            created: created.ok().filter(|_| task.created_at > 0),
        });
        Self {
            folder: root.parts().chain(folder.parts()).collect(),
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
}

/// The keys of one attempt at a deposit.
#[derive(Clone, Debug)]
pub struct Keys<'a> {
    /// Those of the task.
    pub layout: &'a Layout,
    /// Names the attempt among all. Each begins uploads under keys of its own where they are staged: a
    /// slow one that is believed dead must not write into another's object.
    pub attempt: &'a str,
}

impl Keys<'_> {
    /// Where an object of this format belongs.
    pub(super) fn object(&self, format: Format) -> Path {
        self.layout.file(format.name)
    }

    /// Where an object is uploaded to: where it belongs, if the store completes no upload over an
    /// object; else where it is staged.
    pub(super) fn upload(&self, archive: &Archive, kind: Kind, format: Format) -> Path {
        if archive.completes_create_only {
            return self.object(format);
        }
        let attempt = format!("{}-{}", self.layout.task_id, self.attempt);
        let parts = [STAGING, &attempt, kind.word()];
        archive
            .place
            .parts()
            .chain(parts.map(PathPart::from))
            .collect()
    }

    /// Whether an upload that an earlier attempt has begun, at this key, may be gone on with.
    pub(super) fn may_go_on(&self, archive: &Archive, key: &Path, format: Format) -> bool {
        archive.completes_create_only == (*key == self.object(format))
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
        Layout::new(&Path::from(root), &KeyTemplate::default(), account, &task)
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
