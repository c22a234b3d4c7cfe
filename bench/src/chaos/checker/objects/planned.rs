//! Where the objects of a task belong, what they are called, and what its receipt says, according to the plan.

use std::time::Duration;

use seedance_archiver_proto::names::{MANIFEST, TASK};
use seedance_archiver_simulator::{Container, Image};
use serde_json::Value;

use super::day;
use crate::chaos::world::Task;

/// How much earlier than it was created a task was created according to its record.
const LEAD: Duration = Duration::from_secs(1);
/// The checks that compare a video with its record. The simulator's videos match theirs.
const COMPARISONS: [&str; 7] = [
    "video",
    "duration",
    "frames",
    "frame_rate",
    "resolution",
    "ratio",
    "audio",
];
/// Begins the warning that a last frame is missing.
pub(super) const NO_LAST_FRAME: &str = "no last_frame";
/// What version 0.1.0 calls every video that consists of boxes.
const MP4: &str = "video.mp4";

/// What the plan says of the objects of a task.
pub(super) struct Planned {
    id: String,
    account: &'static str,
    /// The days on which it may have been created, as directories.
    days: Vec<String>,
    /// The names that its video may have.
    videos: Vec<&'static str>,
    last_frame: Option<&'static str>,
    /// Whether workers of another version took part. Version 0.1.0 misreads some times.
    has_other_version: bool,
}

impl Planned {
    pub(super) fn of(task: &Task, has_other_version: bool) -> Self {
        let script = &task.video.script;
        // It may have been created just before midnight.
        let mut days: Vec<_> = [task.created_at - LEAD, task.created_at]
            .into_iter()
            .filter_map(day::of)
            .collect();
        days.dedup();
        let of_other_version = has_other_version.then_some(MP4);
        Self {
            id: task.id.clone(),
            account: task.video.account().name(),
            days,
            videos: [Some(video_name(script.host.container)), of_other_version]
                .into_iter()
                .flatten()
                .collect(),
            last_frame: script.last_frame.map(frame_name),
            has_other_version,
        }
    }

    /// Returns what is wrong with a directory of the task, which is given without the prefix of its archive.
    pub(super) fn check_directory(&self, directory: &str) -> Option<String> {
        let (id, account) = (&self.id, self.account);
        let is_right = match self.has_other_version {
            true => {
                directory.starts_with(&format!("{account}/"))
                    && directory.ends_with(&format!("/{id}"))
            }
            false => {
                let mut days = self.days.iter();
                days.any(|day| directory == format!("{account}/{day}/{id}"))
            }
        };
        let days = self.days.join(" or ");
        (!is_right).then(|| format!("{id}: in {directory}, not in {account}/{days}/{id}"))
    }

    /// Returns what a receipt in this directory says that is not planned.
    pub(super) fn check_receipt(&self, directory: &str, receipt: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        if receipt["account"] != self.account {
            problems.push(format!("account {}", receipt["account"]));
        }
        let url = &receipt["manifest_url"];
        if !is_at(url, directory, MANIFEST) {
            problems.push(format!("receipt at {url}"));
        }
        for object in objects(receipt) {
            let (name, url) = (name(object), &object["url"]);
            if !self.has_name(name) {
                problems.push(format!("object {name}"));
            }
            if !is_at(url, directory, name) {
                problems.push(format!("{name} at {url}"));
            }
            problems.extend(mismatches(object));
        }
        problems.extend(self.unplanned_warnings(receipt));
        let problems = problems.into_iter();
        problems
            .map(|what| format!("{}: {what}", self.id))
            .collect()
    }

    fn has_name(&self, name: &str) -> bool {
        name == TASK || self.videos.contains(&name) || self.last_frame == Some(name)
    }

    /// Returns the warnings of a receipt, except the one about a last frame that is not there.
    fn unplanned_warnings(&self, receipt: &Value) -> Vec<String> {
        let has = |frame: &str| objects(receipt).any(|object| name(object) == frame);
        let lacks_frame = self.last_frame.is_some_and(|frame| !has(frame));
        let is_planned = |warning: &str| lacks_frame && warning.starts_with(NO_LAST_FRAME);
        let warnings = receipt["warnings"].as_array().into_iter().flatten();
        let warnings = warnings.map(|warning| warning.as_str().unwrap_or_default());
        let unplanned = warnings.filter(|warning| !is_planned(warning));
        unplanned.map(|it| format!("warning {it:?}")).collect()
    }
}

fn objects(receipt: &Value) -> impl Iterator<Item = &Value> {
    receipt["objects"].as_array().into_iter().flatten()
}

fn name(object: &Value) -> &str {
    object["name"].as_str().unwrap_or_default()
}

/// Returns the comparisons of an object with the record that failed.
fn mismatches(object: &Value) -> Vec<String> {
    let checks = object["checks"].as_array().into_iter().flatten();
    let failed = checks.filter(|check| {
        let check_name = check["name"].as_str().unwrap_or_default();
        check["result"] != "passed" && COMPARISONS.contains(&check_name)
    });
    failed.map(|check| format!("mismatch {check}")).collect()
}

/// Returns whether a URL is that of an object in a directory.
fn is_at(url: &Value, directory: &str, name: &str) -> bool {
    let url = url.as_str().unwrap_or_default();
    url.ends_with(&format!("/{directory}/{name}"))
}

fn video_name(container: Container) -> &'static str {
    match container {
        Container::Mp4 | Container::C2pa => MP4,
        Container::Mov => "video.mov",
        Container::Webm => "video.webm",
        Container::Gif => "video.gif",
        Container::Glb => "file.glb",
        Container::Gltf => "file.gltf",
    }
}

fn frame_name(image: Image) -> &'static str {
    match image {
        Image::Png => "last_frame.png",
        Image::Jpeg => "last_frame.jpg",
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use serde_json::json;

    use super::*;
    use crate::chaos::plan::Expected;

    const DIRECTORY: &str = "called/2026/08/28/cgt-1";
    /// 2026-08-28T00:00:00Z.
    const MIDNIGHT: u64 = 1_787_875_200;

    fn planned(seconds: u64, has_other_version: bool) -> Planned {
        let mut task = Task::called("cgt-1", Expected::Archived);
        task.created_at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        task.video.script.host.container = Container::Mov;
        task.video.script.last_frame = Some(Image::Jpeg);
        Planned::of(&task, has_other_version)
    }

    #[test]
    fn a_directory_of_another_account_day_or_depth_is_found() {
        let noon = planned(MIDNIGHT + 43_200, false);
        assert_eq!(noon.check_directory(DIRECTORY), None);
        for other in [
            "automatic/2026/08/28/cgt-1",
            "called/2026/08/27/cgt-1",
            "called/undated/cgt-1",
            "called/2026/8/28/cgt-1",
            "videos/called/2026/08/28/cgt-1",
            "cgt-1",
        ] {
            assert!(noon.check_directory(other).is_some(), "{other}");
        }
        let at_midnight = planned(MIDNIGHT, false);
        for either in [DIRECTORY, "called/2026/08/27/cgt-1"] {
            assert_eq!(at_midnight.check_directory(either), None);
        }
    }

    #[test]
    fn another_version_may_misread_the_day_but_not_the_account() {
        let planned = planned(MIDNIGHT, true);
        assert_eq!(planned.check_directory("called/undated/cgt-1"), None);
        for other in ["automatic/undated/cgt-1", "called/undated/cgt-2"] {
            assert!(planned.check_directory(other).is_some(), "{other}");
        }
    }

    /// Returns the receipt of a video with this name and the result of a comparison with its record.
    fn receipt(video: &str, result: &str) -> Value {
        let object = |name: &str| {
            let url = format!("s3://bucket/videos/{DIRECTORY}/{name}");
            let check = json!({"name": "duration", "result": result});
            json!({"name": name, "url": url, "checks": [check]})
        };
        json!({
            "account": "called",
            "manifest_url": format!("s3://bucket/videos/{DIRECTORY}/{MANIFEST}"),
            "objects": [object(video), object("last_frame.jpg"), object(TASK)],
        })
    }

    fn count(receipt: &Value) -> usize {
        let problems = planned(MIDNIGHT, false).check_receipt(DIRECTORY, receipt);
        problems.len()
    }

    #[test]
    fn a_receipt_that_differs_from_the_plan_is_found() {
        assert_eq!(count(&receipt("video.mov", "passed")), 0);
        assert_eq!(count(&receipt("video.mp4", "passed")), 1);
        assert_eq!(count(&receipt("video.mov", "warning")), 3);
        for (name, value) in [
            ("account", json!("automatic")),
            ("account", json!(null)),
            ("manifest_url", json!("s3://bucket/videos/manifest.json")),
            ("warnings", json!(["the bucket refuses tags"])),
            // It is there.
            ("warnings", json!(["no last_frame: HTTP 404"])),
        ] {
            let mut receipt = receipt("video.mov", "passed");
            receipt[name] = value;
            assert_eq!(count(&receipt), 1, "{receipt}");
        }
        let mut elsewhere = receipt("video.mov", "passed");
        elsewhere["objects"][0]["url"] = "s3://bucket/videos/video.mov".into();
        assert_eq!(count(&elsewhere), 1);
    }

    #[test]
    fn a_warning_about_a_last_frame_that_is_missing_is_planned() {
        let mut receipt = receipt("video.mov", "passed");
        receipt["warnings"] = json!(["no last_frame: HTTP 404"]);
        receipt["objects"][1] = receipt["objects"][2].clone();
        assert_eq!(count(&receipt), 0);
    }

    #[test]
    fn another_version_may_call_every_video_mp4() {
        let planned = planned(MIDNIGHT, true);
        for video in ["video.mov", "video.mp4"] {
            let receipt = receipt(video, "passed");
            assert!(planned.check_receipt(DIRECTORY, &receipt).is_empty());
        }
    }
}
