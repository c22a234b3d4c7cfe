use std::time::{Duration, SystemTime};

use seedance_archiver_simulator::Image;
use serde_json::{Map, json};

use super::*;
use crate::chaos::plan::Expected;

const ID: &str = "cgt-1";
const DIRECTORY: &str = "called/2026/08/28/cgt-1";
/// 2026-08-28T06:27:11Z.
const CREATED_AT: Duration = Duration::from_secs(1_787_898_431);
const VIDEO: &[u8] = b"a video";
const FRAME: &[u8] = b"a frame";
const RECORD: &[u8] = br#"{"id":"cgt-1","status":"succeeded"}"#;

fn truth() -> Truth {
    let mut task = Task::called(ID, Expected::Archived);
    task.created_at = SystemTime::UNIX_EPOCH + CREATED_AT;
    task.video.script.last_frame = Some(Image::Png);
    Truth {
        video: VIDEO.into(),
        last_frame: Some(FRAME.into()),
        archive: Archive::BUCKET,
        planned: Planned::of(&task, false),
        served: served("succeeded"),
    }
}

/// Returns what was served for a task with this status.
fn served(status: &str) -> Served {
    Served {
        ids: vec![ID.into()],
        statuses: vec![status.into()],
        fields: Map::new(),
        needs_lenient_parser: false,
        may_lack_fields: false,
    }
}

fn url(name: &str) -> String {
    format!("s3://bucket/videos/{DIRECTORY}/{name}")
}

fn objects() -> BTreeMap<String, Vec<u8>> {
    let objects = [
        ("video.mp4", VIDEO),
        ("last_frame.png", FRAME),
        ("task.json", RECORD),
    ];
    with_receipt(&objects, &[])
}

/// Returns objects with a receipt that has warnings.
fn with_receipt(objects: &[(&str, &[u8])], warnings: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let entry = |(name, bytes): &(&str, &[u8])| {
        let sha256 = encode(Sha256::digest(bytes));
        json!({"name": name, "url": url(name), "size_bytes": bytes.len(), "sha256": sha256})
    };
    let entries: Vec<_> = objects.iter().map(entry).collect();
    let receipt = json!({
        "task_id": ID, "account": "called", "manifest_url": url(MANIFEST),
        "objects": entries, "warnings": warnings,
    });
    let receipt = (MANIFEST.to_owned(), receipt.to_string().into_bytes());
    let objects = objects.iter();
    let objects = objects.map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()));
    objects.chain([receipt]).collect()
}

fn stored(objects: BTreeMap<String, Vec<u8>>) -> Stored {
    Stored {
        archive: "bucket",
        directory: DIRECTORY.to_owned(),
        objects,
    }
}

fn check(objects: BTreeMap<String, Vec<u8>>) -> Findings {
    archived(ID, &truth(), &[stored(objects)])
}

#[test]
fn what_was_served_and_is_described_is_right() {
    assert_eq!(check(objects()), Findings::default());
}

#[test]
fn one_wrong_byte_is_found_in_every_object() {
    for name in ["video.mp4", "last_frame.png", "task.json"] {
        let mut objects = objects();
        objects.get_mut(name).unwrap()[0] ^= 1;
        assert_eq!(check(objects).corrupt.len(), 1, "{name}");
    }
}

#[test]
fn another_video_with_a_receipt_of_its_own_is_found() {
    let mut truth = truth();
    truth.video = b"b video".into();
    let findings = archived(ID, &truth, &[stored(objects())]);
    assert_eq!(
        findings.corrupt,
        ["cgt-1: video.mp4 differs from what was served"]
    );
}

#[test]
fn a_missing_object_or_receipt_is_found() {
    for name in ["video.mp4", "last_frame.png", "task.json", MANIFEST] {
        let mut objects = objects();
        objects.remove(name);
        assert_eq!(check(objects).corrupt.len(), 1, "{name}");
    }
    let mut broken = objects();
    broken.insert(MANIFEST.into(), b"{".to_vec());
    assert_eq!(check(broken).corrupt, ["cgt-1: the receipt is not JSON"]);
    assert_eq!(archived(ID, &truth(), &[]).corrupt, ["cgt-1: no receipt"]);
}

#[test]
fn an_object_too_many_is_found() {
    let mut more = objects();
    more.insert("video.mov".into(), VIDEO.into());
    assert_eq!(check(more).duplicate.len(), 1);
    let twice = [stored(objects()), stored(objects())];
    assert_eq!(archived(ID, &truth(), &twice).duplicate.len(), 1);
    let mut record = objects();
    record.insert(OUTCOME.into(), b"{}".to_vec());
    assert_eq!(check(record), Findings::default());
}

#[test]
fn a_last_frame_may_only_be_missing_with_a_warning_about_it() {
    let objects = [("video.mp4", VIDEO), ("task.json", RECORD)];
    let check = |warnings: &[&str]| {
        let findings = check(with_receipt(&objects, warnings));
        (findings.corrupt.len(), findings.lacks_frame)
    };
    assert_eq!(check(&[]), (1, false));
    assert_eq!(check(&["the bucket refuses tags"]), (1, false));
    assert_eq!(check(&["other", "no last_frame: HTTP 404"]), (0, true));
}

#[test]
fn a_record_of_an_archived_task_that_still_runs_is_found() {
    let record: &[u8] = br#"{"id":"cgt-1","status":"running"}"#;
    let objects = [
        ("video.mp4", VIDEO),
        ("last_frame.png", FRAME),
        ("task.json", record),
    ];
    let findings = check(with_receipt(&objects, &[]));
    assert_eq!(
        findings.corrupt,
        [r#"cgt-1: task.json has the status "running""#]
    );
}

#[test]
fn only_a_task_that_is_not_unsuccessful_may_have_a_record_from_before_its_end() {
    for (status, is_unsuccessful, expected) in [
        ("failed", true, 0),
        ("running", true, 1),
        ("running", false, 0),
        ("succeeded", false, 1),
    ] {
        let record = json!({"id": ID, "status": status});
        let objects = [(TASK.to_owned(), record.to_string().into_bytes())];
        let stored = [stored(objects.into())];
        let found = records(ID, &served("failed"), &stored, is_unsuccessful);
        assert_eq!(found.len(), expected, "{found:?}");
    }
}

#[test]
fn a_video_in_another_archive_is_found() {
    let truth = Truth {
        archive: Archive::DISK,
        ..truth()
    };
    let findings = archived(ID, &truth, &[stored(objects())]);
    assert_eq!(findings.misplaced, ["cgt-1: in bucket, not in disk"]);
    assert!(findings.corrupt.is_empty());
}

#[test]
fn a_video_of_a_task_that_is_not_archived_is_found() {
    let found = not_archived(ID, &[stored(objects())]);
    assert_eq!(found.len(), 3, "{found:?}");
    let record = [(OUTCOME.to_owned(), b"{}".to_vec())];
    let found = not_archived(ID, &[stored(record.into())]);
    assert!(found.is_empty(), "{found:?}");
}
