//! Bytes that look odd.

use super::*;

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

/// A small one is an error page. A large one, or one with a digest, may be the video.
#[test]
fn a_compressed_page_is_never_the_video() {
    let task = record();
    let encoding = ("content-encoding", "gzip".to_owned());
    for (size, is_video) in [(1000, false), (64 * 1024, false), (64 * 1024 + 1, true)] {
        let mut body = b"\x1f\x8b\x08\0".to_vec();
        body.resize(size, 0xa5);
        let mut digests = Digests::new(&DeclaredObject::default());
        digests.update(&body);
        let rejected = digests.finish().sha256;
        let again = Expectation {
            rejected_sha256: Some(&rejected),
            ..expectation(&task)
        };
        let checked = check_as(again, &body, std::slice::from_ref(&encoding));
        assert_eq!(checked.is_ok(), is_video, "{size}: {checked:?}");
        let [crc64, _] = headers_of(&body);
        assert!(check(&body, &task, &[encoding.clone(), crc64]).is_ok());
    }
}

#[test]
fn odd_bytes_are_refused_once() {
    let task = record();
    for (name, video) in odd_videos() {
        let first = expectation(&task);
        let declared = declared(&video, &[]);
        let mut running = RunningChecks::new(first.kind, declared);
        running.update(&video);
        let Err(crate::Error::Odd { sha256, .. }) = running.finish(first) else {
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
