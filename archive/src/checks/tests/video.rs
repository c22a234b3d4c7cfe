//! Videos compared with their records.

use super::*;

#[test]
fn a_valid_video_passes_all_checks() {
    let checked = check(SILENT, &record(), &correct_headers()).unwrap();
    let integrity = ["length", "crc64"];
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
    let texts = |name: &str| {
        let check = checked.checks.iter().find(|it| it.name == name).unwrap();
        (check.expected.as_str(), check.found.as_str())
    };
    let movie = "avc1 864x480, 120 frames, 5.00 s, no sound";
    assert_eq!(texts("mp4"), ("", movie));
    assert_eq!(texts("resolution"), ("480p", "864x480"));
    assert_eq!(texts("ratio"), ("16:9", "864x480"));
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
        rejected_sha256: None,
    };
    let error = check_as(strict, SILENT, &[]).unwrap_err();
    assert_eq!(
        error,
        "invalid download: duration is 5.000 s, but the task's record says 10 s"
    );
}
