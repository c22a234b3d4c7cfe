mod endings;
mod integrity;
mod odd;
mod resumption;
mod video;

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
    let mut running = RunningChecks::new(expectation.kind, declared);
    for chunk in bytes.chunks(1000) {
        running.update(chunk);
    }
    running
        .finish(expectation)
        .map_err(|error| error.to_string())
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
