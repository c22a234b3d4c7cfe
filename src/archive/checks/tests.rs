use reqwest::header::HeaderValue;

use super::*;

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
        etag_is_md5: true,
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
    let length = Some(bytes.len() as u64);
    let mut running = Running::new(wanted, length);
    let checked = bytes
        .chunks(1000)
        .try_for_each(|chunk| running.update(chunk))
        .and_then(|()| running.finish(length, &announced));
    checked.map_err(|error| error.to_string())
}

fn digests() -> DigestValues {
    let mut digests = Digests::default();
    digests.update(SILENT);
    digests.finish()
}

fn results(checked: &Checked) -> Vec<(&str, &str)> {
    let checks = checked.checks.iter();
    checks
        .map(|check| (check.name.as_str(), check.result.as_str()))
        .collect()
}

#[test]
fn a_whole_video_passes_all() {
    let headers = [
        (CRC64, digests().crc64.to_string()),
        ("etag", format!("\"{}\"", digests().md5)),
    ];
    let checked = check(SILENT, &record(), &headers).unwrap();
    let passed = ["length", "crc64", "md5", "mp4"].map(|name| (name, "passed"));
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
    let crc64 = [(CRC64, digests().crc64.to_string())];
    assert!(
        check(&flipped, &record(), &crc64)
            .unwrap_err()
            .contains("crc64")
    );
    let etag = [("etag", format!("\"{}\"", digests().md5))];
    assert!(
        check(&flipped, &record(), &etag)
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
    let headers = [
        (CRC64, digests().crc64.to_string()),
        ("etag", format!("\"{}\"", "0".repeat(32))),
    ];
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
    let patient = Wanted {
        kind: Kind::Video,
        task: &task,
        etag_is_md5: false,
    };
    let checked = check_as(patient, SILENT, &only_etag).unwrap();
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
