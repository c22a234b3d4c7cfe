//! Assertions about the contents of a fixture's archive.

use std::path::Path;

use anyhow::{Context, ensure};
use jiff::{Timestamp, civil::DateTime, tz};
use seedance_archiver_proto::v1::{Manifest, OutcomeRecord, VideoTask, VideoTaskLifecycleResult};
use sha2::{Digest, Sha256};

use super::{
    fixture::{Fixture, read_local},
    schemas,
};

impl Fixture {
    /// Checks that the archive holds the video that the simulator made, with its record and receipt, and
    /// nothing else except objects that killed workers staged.
    pub(crate) fn assert_archived(&self, id: &str, manifest: &Manifest) -> anyhow::Result<()> {
        self.assert_all_archived(&[(id, manifest)])
    }

    /// Checks the same for several videos.
    pub(crate) fn assert_all_archived(&self, videos: &[(&str, &Manifest)]) -> anyhow::Result<()> {
        let mut expected = Vec::new();
        for (id, manifest) in videos {
            self.assert_video_archived(id, manifest)?;
            let created = Timestamp::from_second(manifest.task_created_at)?;
            let directory = format!("default/{}/{id}", created.strftime("%Y/%m/%d"));
            let names = ["manifest.json", "task.json", "video.mp4"];
            expected.extend(names.map(|file| format!("{directory}/{file}")));
        }
        expected.sort();
        let mut files = self.archived_files()?;
        files.retain(|file| !file.starts_with(".staging/"));
        ensure!(files == expected, "{files:?}");
        Ok(())
    }

    /// Checks that a receipt is stored and describes the video that the simulator made.
    fn assert_video_archived(&self, id: &str, manifest: &Manifest) -> anyhow::Result<()> {
        let source = self.simulator.source(id).context("no source")?.bytes();
        let object = manifest.objects.first().context("no object")?;
        ensure!(
            read_local(&object.url)? == source,
            "the archived bytes differ from the video that the simulator made"
        );
        ensure!(object.size_bytes == source.len() as i64, "{object:?}");
        let sha256 = hex::encode(Sha256::digest(&source));
        ensure!(object.sha256 == sha256, "{object:?}");

        let json = read_local(&manifest.manifest_url)?;
        schemas::check_manifest(&json)?;
        let stored: Manifest = serde_json::from_slice(&json)?;
        let has_facts = stored.service_tier == "default" && stored.generate_audio.is_some();
        ensure!(
            has_facts,
            "the receipt lacks facts about the task: {stored:?}"
        );
        ensure!(
            stored.clone().for_callers() == manifest.clone().for_callers(),
            "the stored receipt differs from the one in the result"
        );
        Ok(())
    }

    /// Checks that the archive holds the outcome record and the task record of a task without a video, and
    /// nothing else.
    pub(crate) fn assert_outcome_recorded(
        &self,
        result: &VideoTaskLifecycleResult,
    ) -> anyhow::Result<()> {
        let task = result.task.as_ref().context("the result has no task")?;
        let created = Timestamp::from_second(task.created_at)?;
        let directory = format!("default/{}/{}", created.strftime("%Y/%m/%d"), task.id);
        let files = self.archived_files()?;
        let expected = ["outcome.json", "task.json"].map(|file| format!("{directory}/{file}"));
        ensure!(files == expected, "{files:?}");

        let [outcome, record] =
            expected.map(|file| std::fs::read(self.directory.path().join(file)));
        let outcome = outcome?;
        schemas::check_outcome(&outcome)?;
        let outcome: OutcomeRecord = serde_json::from_slice(&outcome)?;
        ensure!(
            (&outcome.outcome, &outcome.reason, &outcome.message)
                == (&result.outcome, &result.reason, &result.message),
            "{outcome:?}"
        );

        let json = String::from_utf8(record?)?;
        let record: VideoTask = serde_json::from_str(&json)?;
        ensure!(record.id == task.id && !record.status.is_empty(), "{json}");
        ensure!(
            !json.contains("sealed:") && !json.contains("Signature"),
            "{json}"
        );
        Ok(())
    }

    /// Returns the path of a task's receipt in the archive, or `None` if the task has no receipt.
    pub(crate) fn receipt_path(&self, id: &str) -> Option<String> {
        let files = self.archived_files().ok()?;
        let end = format!("/{id}/manifest.json");
        files.into_iter().find(|file| file.ends_with(&end))
    }

    /// Returns the paths of all files in the archive, sorted.
    pub(crate) fn archived_files(&self) -> anyhow::Result<Vec<String>> {
        let mut files = Vec::new();
        collect(self.directory.path(), self.directory.path(), &mut files)?;
        files.sort();
        Ok(files)
    }

    /// Deletes all files in the archive, as an operator may.
    pub(crate) fn delete_archived_files(&self) -> anyhow::Result<()> {
        for file in self.archived_files()? {
            std::fs::remove_file(self.directory.path().join(file))?;
        }
        Ok(())
    }
}

/// Returns the prefix of a task in the archive, by the creation time in its id, which is in UTC+8.
pub(crate) fn task_prefix(id: &str) -> anyhow::Result<String> {
    let digits = id.get(4..18).context("the id has no time")?;
    let created_at = DateTime::strptime("%Y%m%d%H%M%S", digits)?;
    let created_at = tz::offset(8).to_timestamp(created_at)?;
    Ok(format!("default/{}/{id}", created_at.strftime("%Y/%m/%d")))
}

fn collect(root: &Path, directory: &Path, files: &mut Vec<String>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            files.push(path.strip_prefix(root)?.display().to_string());
        }
    }
    Ok(())
}
