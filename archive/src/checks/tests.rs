use reqwest::header::{HeaderMap, HeaderValue};
use seedance_archiver_proto::v1::VideoTask;

use super::{declared_object::CRC64, digests::Digests, *};
use crate::ObjectKind;

const SILENT: &[u8] = include_bytes!("../../../simulator/fixtures/silent.mp4");

fn record() -> VideoTask {
    VideoTask {
        resolution: "480p".into(),
        ratio: "16:9".into(),
        duration: Some(5),
        framespersecond: Some(24),
        generate_audio: Some(false),
        ..VideoTask::default()
    }
}

fn check(
    bytes: &[u8],
    task: &VideoTask,
    headers: &[(&'static str, String)],
) -> Result<CheckedObject, String> {
    let expectation = Expectation {
        kind: ObjectKind::Video,
        task,
        mismatch: Mismatch::Warn,
        rejected_md5: None,
    };
    check_as(expectation, bytes, headers)
}

fn check_as(
    expectation: Expectation<'_>,
    bytes: &[u8],
    headers: &[(&'static str, String)],
) -> Result<CheckedObject, String> {
    let declared = declared(bytes, headers);
    let mut running = RunningChecks::new(expectation, declared);
    let checked = bytes
        .chunks(1000)
        .try_for_each(|chunk| running.update(chunk))
        .and_then(|()| running.finish());
    checked.map_err(|error| error.to_string())
}

fn declared(bytes: &[u8], headers: &[(&'static str, String)]) -> DeclaredObject {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, HeaderValue::try_from(value).unwrap());
    }
    DeclaredObject::from_headers(Some(bytes.len() as u64), &map)
}

/// Returns the response headers of the fixture: its CRC-64, and its MD5 as the ETag.
fn correct_headers() -> [(&'static str, String); 2] {
    let all = DeclaredObject {
        crc64: Some(0),
        md5: Some(String::new()),
        ..DeclaredObject::default()
    };
    let mut digests = Digests::new(&all);
    digests.update(SILENT);
    let values = digests.finish();
    [
        (CRC64, values.crc64.unwrap().to_string()),
        ("etag", format!("\"{}\"", values.md5.unwrap())),
    ]
}

fn results(checked: &CheckedObject) -> Vec<(&str, &str)> {
    let checks = checked.checks.iter();
    checks
        .map(|check| (check.name.as_str(), check.result.as_str()))
        .collect()
}

#[test]
fn a_valid_video_passes_all_checks() {
    let checked = check(SILENT, &record(), &correct_headers()).unwrap();
    let integrity = ["length", "crc64", "md5"];
    let video = [
        "mp4",
        "duration",
        "frame_rate",
        "resolution",
        "ratio",
        "audio",
    ];
    let passed = integrity.into_iter().chain(video);
    let passed: Vec<_> = passed.map(|name| (name, "passed")).collect();
    assert_eq!(results(&checked), passed);
    assert_eq!(checked.size, SILENT.len() as u64);
    assert_eq!(checked.format.name, "video.mp4");
}

#[test]
fn a_mismatch_with_the_record_is_a_warning() {
    let task = VideoTask {
        duration: Some(10),
        generate_audio: Some(true),
        ..record()
    };
    let checked = check(SILENT, &task, &[]).unwrap();
    assert!(
        results(&checked).contains(&("duration", "warning")),
        "{checked:?}"
    );
    assert!(
        results(&checked).contains(&("audio", "warning")),
        "{checked:?}"
    );
}

#[test]
fn a_flipped_byte_fails_the_declared_digests() {
    let mut flipped = SILENT.to_vec();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let [crc64, etag] = correct_headers();
    assert!(
        check(&flipped, &record(), &[crc64])
            .unwrap_err()
            .contains("crc64")
    );
    assert!(
        check(&flipped, &record(), &[etag])
            .unwrap_err()
            .contains("md5")
    );
    assert!(
        check(&flipped, &record(), &[]).is_ok(),
        "no digest was declared"
    );
}

#[test]
fn an_etag_that_is_not_an_md5_is_a_warning() {
    let [crc64, _] = correct_headers();
    let headers = [crc64, ("etag", format!("\"{}\"", "0".repeat(32)))];
    let checked = check(SILENT, &record(), &headers).unwrap();
    assert!(
        results(&checked).contains(&("md5", "warning")),
        "{checked:?}"
    );
    let only_etag = [("etag", format!("\"{}\"", "0".repeat(32)))];
    assert!(
        check(SILENT, &record(), &only_etag)
            .unwrap_err()
            .contains("md5")
    );
    let task = record();
    let md5 = correct_headers()[1].1.trim_matches('"').to_owned();
    let second_attempt = Expectation {
        kind: ObjectKind::Video,
        task: &task,
        mismatch: Mismatch::Warn,
        rejected_md5: Some(&md5),
    };
    let checked = check_as(second_attempt, SILENT, &only_etag).unwrap();
    let mut flipped = SILENT.to_vec();
    flipped[SILENT.len() / 2] ^= 1;
    assert!(
        check_as(second_attempt, &flipped, &only_etag).is_err(),
        "different bytes"
    );
    assert!(
        results(&checked).contains(&("md5", "warning")),
        "the same bytes again: {checked:?}"
    );
    for etag in ["\"abc-3\"", "W/\"abc\"", "abc"] {
        let checked = check(SILENT, &record(), &[("etag", etag.to_owned())]).unwrap();
        assert!(
            !results(&checked).iter().any(|(name, _)| *name == "md5"),
            "{etag}"
        );
    }
}

#[test]
fn an_error_body_is_not_a_video() {
    for body in ["{\"error\": \"not ready\"}", "<!DOCTYPE html>", ""] {
        assert!(check(body.as_bytes(), &record(), &[]).is_err(), "{body}");
    }
    assert!(check(&SILENT[..SILENT.len() - 1], &record(), &[]).is_err());
}

#[test]
fn a_webm_is_checked_only_against_the_response_headers() {
    let checked = check(b"\x1aE\xdf\xa3 and so on", &record(), &[]).unwrap();
    assert_eq!(checked.format.name, "video.webm");
    assert_eq!(results(&checked), [("length", "passed")]);
}

#[test]
fn a_mismatch_is_an_error_if_the_account_refuses_it() {
    let task = VideoTask {
        duration: Some(10),
        ..record()
    };
    let strict = Expectation {
        kind: ObjectKind::Video,
        task: &task,
        mismatch: Mismatch::Refuse,
        rejected_md5: None,
    };
    let error = check_as(strict, SILENT, &[]).unwrap_err();
    assert_eq!(
        error,
        "invalid download: duration is 5.000 s, but the task's record says 10 s"
    );
}

#[test]
fn checks_can_be_resumed_at_any_offset_outside_the_moov() {
    let task = record();
    let expectation = Expectation {
        kind: ObjectKind::Video,
        task: &task,
        mismatch: Mismatch::Warn,
        rejected_md5: None,
    };
    let declared = declared(SILENT, &correct_headers());
    let expected = check(SILENT, &record(), &correct_headers()).unwrap();
    let mut not_saved = 0;
    for cut in (0..SILENT.len()).step_by(97) {
        let (before, after) = SILENT.split_at(cut);
        let mut running = RunningChecks::new(expectation, declared.clone());
        running.update(before).unwrap();
        let Some(saved) = running.save() else {
            not_saved += 1;
            continue;
        };
        let json = serde_json::to_string(&saved).unwrap();
        let saved = serde_json::from_str(&json).unwrap();
        let mut running = RunningChecks::restore(expectation, saved).unwrap();
        running.update(after).unwrap();
        assert_eq!(running.finish().unwrap(), expected, "cut at {cut}");
    }
    let moov = 4000;
    assert!(not_saved * 97 < moov, "{not_saved} offsets without a state");
}
