use reqwest::header::{HeaderMap, HeaderValue};

use super::{announced::CRC64, *};

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
) -> Result<Checked, String> {
    let wanted = Wanted {
        kind: Kind::Video,
        task,
        mismatch: Mismatch::Warn,
        refused_md5: None,
    };
    check_as(wanted, bytes, headers)
}

fn check_as(
    wanted: Wanted<'_>,
    bytes: &[u8],
    headers: &[(&'static str, String)],
) -> Result<Checked, String> {
    let mut announced = HeaderMap::new();
    for (name, value) in headers {
        announced.insert(*name, HeaderValue::try_from(value).unwrap());
    }
    let announced = Announced::by(Some(bytes.len() as u64), &announced);
    let mut running = Running::new(wanted, announced);
    let checked = bytes
        .chunks(1000)
        .try_for_each(|chunk| running.update(chunk))
        .and_then(|()| running.finish());
    checked.map_err(|error| error.to_string())
}

/// What the host of the fixture announces: its CRC-64 and its MD5 as an ETag.
fn truth() -> [(&'static str, String); 2] {
    let anything = Announced {
        crc64: Some(0),
        md5: Some(String::new()),
        ..Announced::default()
    };
    let mut digests = Digests::new(&anything);
    digests.update(SILENT);
    let values = digests.finish();
    [
        (CRC64, values.crc64.unwrap().to_string()),
        ("etag", format!("\"{}\"", values.md5.unwrap())),
    ]
}

fn results(checked: &Checked) -> Vec<(&str, &str)> {
    let checks = checked.checks.iter();
    checks
        .map(|check| (check.name.as_str(), check.result.as_str()))
        .collect()
}

#[test]
fn a_whole_video_passes_all() {
    let checked = check(SILENT, &record(), &truth()).unwrap();
    let of_host = ["length", "crc64", "md5"];
    let of_movie = [
        "mp4",
        "duration",
        "frame_rate",
        "resolution",
        "ratio",
        "audio",
    ];
    let passed = of_host.into_iter().chain(of_movie);
    let passed: Vec<_> = passed.map(|name| (name, "passed")).collect();
    assert_eq!(results(&checked), passed);
    assert_eq!(checked.size, SILENT.len() as u64);
    assert_eq!(checked.format.name, "video.mp4");
}

#[test]
fn what_the_record_says_otherwise_is_a_warning() {
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
fn a_flipped_byte_is_caught_by_what_the_host_announces() {
    let mut flipped = SILENT.to_vec();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let [crc64, etag] = truth();
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
        "nothing announces it"
    );
}

#[test]
fn an_etag_that_is_no_md5_does_not_fail_what_another_digest_confirms() {
    let [crc64, _] = truth();
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
    let md5 = truth()[1].1.trim_matches('"').to_owned();
    let patient = Wanted {
        kind: Kind::Video,
        task: &task,
        mismatch: Mismatch::Warn,
        refused_md5: Some(&md5),
    };
    let checked = check_as(patient, SILENT, &only_etag).unwrap();
    let mut flipped = SILENT.to_vec();
    flipped[SILENT.len() / 2] ^= 1;
    assert!(check_as(patient, &flipped, &only_etag).is_err(), "others");
    assert!(
        results(&checked).contains(&("md5", "warning")),
        "it stays wrong: {checked:?}"
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
fn an_error_in_place_of_the_video_is_refused() {
    for answer in ["{\"error\": \"not ready\"}", "<!DOCTYPE html>", ""] {
        assert!(
            check(answer.as_bytes(), &record(), &[]).is_err(),
            "{answer}"
        );
    }
    assert!(check(&SILENT[..SILENT.len() - 1], &record(), &[]).is_err());
}

#[test]
fn a_webm_is_taken_as_far_as_its_host_vouches_for_it() {
    let checked = check(b"\x1aE\xdf\xa3 and so on", &record(), &[]).unwrap();
    assert_eq!(checked.format.name, "video.webm");
    assert_eq!(results(&checked), [("length", "passed")]);
}

#[test]
fn a_mismatch_is_refused_where_the_account_says_so() {
    let task = VideoTask {
        duration: Some(10),
        ..record()
    };
    let strict = Wanted {
        kind: Kind::Video,
        task: &task,
        mismatch: Mismatch::Refuse,
        refused_md5: None,
    };
    let fault = check_as(strict, SILENT, &[]).unwrap_err();
    assert!(fault.contains("duration is 5"), "{fault}");
}

#[test]
fn go_on_in_another_process_from_almost_anywhere() {
    let task = record();
    let wanted = Wanted {
        kind: Kind::Video,
        task: &task,
        mismatch: Mismatch::Warn,
        refused_md5: None,
    };
    let mut headers = HeaderMap::new();
    for (name, value) in truth() {
        headers.insert(name, HeaderValue::try_from(value).unwrap());
    }
    let announced = Announced::by(Some(SILENT.len() as u64), &headers);
    let whole = check(SILENT, &record(), &truth()).unwrap();
    let mut not_saved = 0;
    for cut in (0..SILENT.len()).step_by(97) {
        let (before, after) = SILENT.split_at(cut);
        let mut running = Running::new(wanted, announced.clone());
        running.update(before).unwrap();
        let Some(saved) = running.save() else {
            not_saved += 1;
            continue;
        };
        let travelled = serde_json::to_string(&saved).unwrap();
        let saved = serde_json::from_str(&travelled).unwrap();
        let mut running = Running::restore(wanted, saved).unwrap();
        running.update(after).unwrap();
        assert_eq!(running.finish().unwrap(), whole, "cut at {cut}");
    }
    let moov = 4000;
    assert!(not_saved * 97 < moov, "{not_saved} places have no state");
}
