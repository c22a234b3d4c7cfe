use reqwest::header::{HeaderMap, HeaderValue};
use seedance_archiver_proto::v1::VideoTask;

use super::{digests::Digests, *};
use crate::ObjectKind;

/// TOS header with the CRC-64.
const CRC64: &str = "x-tos-hash-crc64ecma";
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

fn expectation(task: &VideoTask) -> Expectation<'_> {
    Expectation {
        kind: ObjectKind::Video,
        task,
        mismatch: Mismatch::Warn,
        rejected_md5: None,
        rejected_sha256: None,
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
        rejected_sha256: None,
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
    for chunk in bytes.chunks(1000) {
        running.update(chunk);
    }
    running.finish().map_err(|error| error.to_string())
}

fn declared(bytes: &[u8], headers: &[(&'static str, String)]) -> DeclaredObject {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, HeaderValue::try_from(value).unwrap());
    }
    DeclaredObject::from_headers(Some(bytes.len() as u64), &map, false)
}

/// Returns the response headers of the fixture.
fn correct_headers() -> [(&'static str, String); 2] {
    headers_of(SILENT)
}

/// Returns the response headers of an object: its CRC-64, and its MD5 as the ETag.
fn headers_of(bytes: &[u8]) -> [(&'static str, String); 2] {
    let all = DeclaredObject {
        crc64: Some(0),
        md5: Some(String::new()),
        ..DeclaredObject::default()
    };
    let mut digests = Digests::new(&all);
    digests.update(bytes);
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
        rejected_sha256: None,
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
        rejected_sha256: None,
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
        rejected_sha256: None,
    };
    let declared = declared(SILENT, &correct_headers());
    let expected = check(SILENT, &record(), &correct_headers()).unwrap();
    let mut not_saved = 0;
    for cut in (0..SILENT.len()).step_by(97) {
        let (before, after) = SILENT.split_at(cut);
        let mut running = RunningChecks::new(expectation, declared.clone());
        running.update(before);
        let Some(saved) = running.save() else {
            not_saved += 1;
            continue;
        };
        let json = serde_json::to_string(&saved).unwrap();
        let saved = serde_json::from_str(&json).unwrap();
        let mut running = RunningChecks::restore(expectation, saved).unwrap();
        running.update(after);
        assert_eq!(running.finish().unwrap(), expected, "cut at {cut}");
    }
    let moov = 4000;
    assert!(not_saved * 97 < moov, "{not_saved} offsets without a state");
}

/// Returns videos that are complete, but look odd.
fn odd_videos() -> Vec<(&'static str, Vec<u8>)> {
    let moov = SILENT.windows(4).position(|it| it == b"moov").unwrap();
    let mvhd = SILENT.windows(4).position(|it| it == b"mvhd").unwrap();
    let with = |at: usize, bytes: &[u8]| {
        let mut video = SILENT.to_vec();
        video[at..at + bytes.len()].copy_from_slice(bytes);
        video
    };
    vec![
        ("zeros at the end", [SILENT, &[0; 200]].concat()),
        (
            "text at the end",
            [SILENT, b"\r\n--boundary--\r\n"].concat(),
        ),
        ("a cut box at the end", SILENT[..SILENT.len() - 1].to_vec()),
        ("a second moov", [SILENT, &SILENT[moov - 4..]].concat()),
        ("no moov", with(moov, b"mooo")),
        ("an unreadable moov", with(mvhd, b"mvhx")),
        (
            "a moov above the limit",
            with(moov - 4, &[0x7f, 0xff, 0xff, 0xff]),
        ),
        ("zeros in the moov", with(mvhd - 4, &[0; 8])),
        ("an unknown format", with(4, b"????")),
        ("no format at all", vec![0xa5; 5000]),
        ("a model", [&b"glTF"[..], &[2; 5000]].concat()),
        ("an image", [&b"GIF89a"[..], &[2; 5000]].concat()),
    ]
}

#[test]
fn odd_bytes_that_a_digest_vouches_for_are_archived_with_a_warning() {
    for (name, video) in odd_videos() {
        let checked = check(&video, &record(), &headers_of(&video)).unwrap();
        let results = results(&checked);
        assert!(
            results.contains(&("crc64", "passed")),
            "{name}: {results:?}"
        );
        let warnings = checked.checks.iter().filter(|it| it.result == "warning");
        let warnings: Vec<_> = warnings.collect();
        assert_eq!(warnings.len(), 1, "{name}: {warnings:?}");
        assert!(
            ["mp4", "format"].contains(&warnings[0].name.as_str()),
            "{name}"
        );
        assert!(!warnings[0].found.is_empty(), "{name}");
    }
}

#[test]
fn odd_bytes_are_refused_once() {
    let task = record();
    for (name, video) in odd_videos() {
        let first = expectation(&task);
        let declared = declared(&video, &[]);
        let mut running = RunningChecks::new(first, declared);
        running.update(&video);
        let Err(crate::Error::Odd { sha256, .. }) = running.finish() else {
            panic!("{name}");
        };
        let again = Expectation {
            rejected_sha256: Some(&sha256),
            ..first
        };
        let checked = check_as(again, &video, &[]).unwrap();
        let is_warning = |it: &(&str, &str)| it.1 == "warning";
        assert_eq!(
            results(&checked).iter().filter(|it| is_warning(it)).count(),
            1
        );
        let mut different = video.clone();
        different[4999] ^= 1;
        assert!(
            check_as(again, &different, &[]).is_err(),
            "{name}: other bytes"
        );
    }
}

#[test]
fn bytes_that_contradict_the_response_headers_are_never_archived() {
    let task = record();
    let [crc64, etag] = headers_of(SILENT);
    let sha256 = (
        "digest",
        "SHA-256=FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=".to_owned(),
    );
    let odd = [SILENT, &[0; 200]].concat();
    let mut digests = Digests::new(&DeclaredObject::default());
    digests.update(&odd);
    let rejected = digests.finish().sha256;
    let again = Expectation {
        rejected_sha256: Some(&rejected),
        ..expectation(&task)
    };
    for headers in [vec![crc64], vec![etag], vec![sha256]] {
        let error = check_as(again, &odd, &headers).unwrap_err();
        assert!(error.contains("but"), "{error}");
    }
    for body in ["", " <html></html>", "\u{feff}{\"error\": {}}"] {
        assert!(check_as(again, body.as_bytes(), &headers_of(body.as_bytes())).is_err());
    }
}

#[test]
fn a_digest_of_any_host_vouches_for_the_bytes() {
    let video = [SILENT, &[0; 200]].concat();
    let mut digests = Digests::new(&DeclaredObject {
        crc32c: Some(0),
        crc64nvme: Some(0),
        md5: Some(String::new()),
        ..DeclaredObject::default()
    });
    digests.update(&video);
    let values = digests.finish();
    let base64 = |bytes: &[u8]| {
        use base64::{Engine, prelude::BASE64_STANDARD};
        BASE64_STANDARD.encode(bytes)
    };
    let crc32c = base64(&(values.crc32c.unwrap() as u32).to_be_bytes());
    let sha256 = base64(&hex::decode(&values.sha256).unwrap());
    for (header, value) in [
        (
            "content-md5",
            base64(&hex::decode(values.md5.unwrap()).unwrap()),
        ),
        ("x-goog-hash", format!("crc32c={crc32c}")),
        (
            "x-amz-checksum-crc64nvme",
            base64(&values.crc64nvme.unwrap().to_be_bytes()),
        ),
        ("x-amz-checksum-sha256", sha256.clone()),
        ("repr-digest", format!("sha-256=:{sha256}:")),
    ] {
        let checked = check(&video, &record(), &[(header, value)]).unwrap();
        assert!(results(&checked).contains(&("mp4", "warning")), "{header}");
        let wrong = check(
            &[&video[..], b"x"].concat(),
            &record(),
            &[(header, "AAAA".into())],
        );
        assert!(wrong.is_err(), "{header}");
    }
}

#[test]
fn a_file_without_a_length_is_checked_by_its_own_end() {
    let task = record();
    let file = Expectation {
        kind: ObjectKind::File,
        ..expectation(&task)
    };
    let finish = |bytes: &[u8], expectation| {
        let mut running = RunningChecks::new(expectation, DeclaredObject::default());
        running.update(bytes);
        running.finish()
    };
    let mut glb = b"glTF\x02\0\0\0".to_vec();
    glb.extend(5000_u32.to_le_bytes());
    glb.resize(5000, 7);
    let complete = finish(&glb, file).unwrap();
    assert!(complete.checks.is_empty(), "{complete:?}");
    let Err(crate::Error::Odd { sha256, finding }) = finish(&glb[..4000], file) else {
        panic!("a truncated file");
    };
    assert!(
        finding.contains("declares 5000 bytes, but has 4000"),
        "{finding}"
    );
    let again = Expectation {
        rejected_sha256: Some(&sha256),
        ..file
    };
    let accepted = finish(&glb[..4000], again).unwrap();
    assert_eq!(results(&accepted), [("length", "warning")]);
    let unknown = finish(b"# a cube\nv 0 0 0", file).unwrap();
    assert_eq!(results(&unknown), [("length", "warning")]);
    assert_eq!(
        unknown.checks[0].found,
        "16 bytes; the host declared no length"
    );
}

/// The last box of such a video has no size, so that a truncated video looks complete.
#[test]
fn an_open_ended_video_without_a_length_has_a_warning() {
    let task = record();
    let mdat = SILENT.windows(4).position(|it| it == b"mdat").unwrap();
    let mut video = SILENT.to_vec();
    video[mdat - 4..mdat].fill(0);
    for (length, warnings) in [(None, 1), (Some(video.len() as u64), 0)] {
        let declared = DeclaredObject {
            length,
            ..DeclaredObject::default()
        };
        let mut running = RunningChecks::new(expectation(&task), declared);
        running.update(&video);
        let checked = running.finish().unwrap();
        let is_warning = |it: &&(&str, &str)| **it == ("length", "warning");
        let found = results(&checked).iter().filter(is_warning).count();
        assert_eq!(found, warnings, "{checked:?}");
    }
}
