use jiff::Timestamp;
use object_store::path::Path;
use seedance_archiver_proto::{names, v1::VideoTask};

use super::{
    KeyTemplate,
    template::{DRAFT, FINAL, TemplateValues},
};

/// The keys of a task's objects, which are in one directory.
#[derive(Clone, Debug)]
pub struct Layout {
    directory: Path,
    task_id: String,
}

impl Layout {
    /// Returns the keys of a task of `account` under the prefix `root`.
    pub fn new(root: &Path, template: &KeyTemplate, account: &str, task: &VideoTask) -> Self {
        let created = Timestamp::from_second(task.created_at);
        let directory = template.directory(TemplateValues {
            account,
            task_id: &task.id,
            model: &task.model,
            draft: if task.draft() { DRAFT } else { FINAL },
            draft_task_id: &task.draft_task_id,
            safety_identifier: &task.safety_identifier,
            created: created.ok().filter(|_| task.created_at > 0),
        });
        Self {
            directory: root.parts().chain(directory.parts()).collect(),
            task_id: task.id.clone(),
        }
    }

    /// Returns the key of a file in the task's directory.
    pub fn file(&self, name: &str) -> Path {
        self.directory.clone().join(name)
    }

    /// Returns the key of the receipt, `manifest.json`.
    pub fn manifest(&self) -> Path {
        self.directory.clone().join(names::MANIFEST)
    }

    /// Returns the key of `outcome.json`, the record of an outcome without a video.
    pub fn outcome(&self) -> Path {
        self.directory.clone().join(names::OUTCOME)
    }

    /// Returns the key of `erased.json`, the tombstone of an erased task.
    pub fn tombstone(&self) -> Path {
        self.directory.clone().join(names::ERASED)
    }

    /// Returns the key of the task's record, `task.json`.
    pub fn task(&self) -> Path {
        self.directory.clone().join(names::TASK)
    }

    pub(crate) fn task_id(&self) -> &str {
        &self.task_id
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
    fn the_default_directory_is_account_day_and_task() {
        let key = video("team/videos", "eu", "cgt-1", 1_752_850_104);
        assert_eq!(key, "team/videos/eu/2025/07/18/cgt-1/video.mp4");
        assert_eq!(video("", "", "cgt-1", 0), "default/undated/cgt-1/video.mp4");
    }

    #[test]
    fn drafts_and_finals_can_have_directories_of_their_own() {
        let template: KeyTemplate = "{draft}/of={draft_task_id}/{task_id}".parse().unwrap();
        let directory = |draft, draft_task_id: &str| {
            let task = VideoTask {
                id: "cgt-2".into(),
                draft,
                draft_task_id: draft_task_id.into(),
                ..VideoTask::default()
            };
            let layout = Layout::new(&Path::default(), &template, "", &task);
            layout.manifest().to_string()
        };
        assert_eq!(
            directory(Some(true), ""),
            "draft/of=none/cgt-2/manifest.json"
        );
        let of_final = "final/of=cgt-1/cgt-2/manifest.json";
        assert_eq!(directory(Some(false), "cgt-1"), of_final);
        assert_eq!(directory(None, "cgt-1"), of_final);
        let ordinary = "final/of=none/cgt-2/manifest.json";
        assert_eq!(directory(None, ""), ordinary, "a model without drafts");
        assert_eq!(
            directory(None, "../x"),
            "final/of=..%2Fx/cgt-2/manifest.json"
        );
    }

    #[test]
    fn users_can_have_directories_of_their_own() {
        let template: KeyTemplate = "user={safety_identifier}/{task_id}".parse().unwrap();
        let directory = |user: &str| {
            let task = VideoTask {
                id: "cgt-1".into(),
                safety_identifier: user.into(),
                ..VideoTask::default()
            };
            let key = Layout::new(&Path::default(), &template, "", &task).manifest();
            key.to_string()
        };
        assert_eq!(directory("user-7"), "user=user-7/cgt-1/manifest.json");
        assert_eq!(directory(""), "user=none/cgt-1/manifest.json");
        assert_eq!(directory("../x"), "user=..%2Fx/cgt-1/manifest.json");
        let long = directory(&"ü".repeat(65_536));
        assert!(
            long.starts_with("user=sha256-") && long.len() < 110,
            "{long}"
        );
    }

    #[test]
    fn a_task_id_cannot_escape_its_directory() {
        for id in ["..", "../../x", "a/b", "a\\b", "%2e%2e", "a\u{0}b"] {
            let key = video("root", "", id, 0);
            let path = key.strip_prefix("root/default/undated/").unwrap();
            assert_eq!(path.split('/').count(), 2, "{id:?} became {key}");
            assert!(
                !key.split('/').any(|part| part == ".."),
                "{id:?} became {key}"
            );
        }
    }
}
