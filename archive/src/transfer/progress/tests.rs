use serde_json::{Value, json};

use super::*;

/// Returns a state as version 0.1.0 wrote it. `place` is the scanner's position in the boxes of an MP4.
fn state_of_0_1_0(place: Value, moov: Value) -> Value {
    let upload =
        json!({"key": "default/2025/07/18/cgt-1/video.mp4", "id": "u-1", "parts": ["\"6bb9\""]});
    json!({
        "kind": "video",
        "done": 13_107_200,
        "total": 17_074_968,
        "archived": [{
            "kind": "last_frame",
            "object": {
                "name": "last_frame.png",
                "url": "s3://videos/default/2025/07/18/cgt-1/last_frame.png",
                "size_bytes": 9,
                "sha256": "15e2",
                "content_type": "image/png",
                "etag": "\"one\"",
                "version": "v1",
                "checks": [{
                    "name": "length",
                    "result": "passed",
                    "expected": "9",
                    "found": "9",
                }],
            },
            "source_host": "volces.com",
            "fetched_again": 7,
        }],
        "refused_md5": "d41d8cd98f00b204e9800998ecf8427e",
        "upload": upload,
        "checkpoint": {
            "kind": "video",
            "upload": upload,
            "source": {"version": "\"one\"", "offset": 5_242_880, "fetched_again": 7},
            "checks": {
                "format": 1,
                "announced": {"length": 17_074_968, "crc64": 5, "md5": "d41d"},
                "beginning": "000000206674797069736f6d00000200",
                "digests": {"sha256": "9f48", "md5": "0123", "crc64": 5, "length": 5_242_880},
                "scanner": {
                    "announced": 17_074_968,
                    "position": 5_242_880,
                    "place": place,
                    "has_ftyp": true,
                    "has_media": true,
                    "moov": moov,
                },
            },
            "tries": 2,
        },
    })
}

#[test]
fn heartbeats_have_the_json_of_version_0_1_0() {
    let movie = json!({"Whole": {
        "duration_s": 5.0,
        "video": {
            "width": 864,
            "height": 480,
            "frames": 120,
            "frame_rate": 24.0,
            "codec": "avc1",
        },
        "has_audio": false,
    }});
    let header = [0, 0, 0, 1, 102, 114, 101, 101, 0, 0, 0, 0, 0, 0, 0, 0];
    for (place, moov) in [
        (
            json!({"Body": {"kind": [102, 114, 101, 101], "end": {"After": 11_832_088}}}),
            movie.clone(),
        ),
        (
            json!({"Body": {"kind": [109, 100, 97, 116], "end": "OfFile"}}),
            movie,
        ),
        (
            json!({"Header": {"bytes": header, "filled": 8}}),
            json!("Missing"),
        ),
    ] {
        let written = state_of_0_1_0(place, moov);
        let read: ArchiveState = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), written);
    }
}

#[test]
fn at_most_three_failed_attempts_resume_from_a_checkpoint() {
    let place = json!({"Header": {"bytes": vec![0; 16], "filled": 0}});
    let state = serde_json::from_value(state_of_0_1_0(place, json!("Missing"))).unwrap();
    let progress = Progress::resume(state);
    assert!(progress.use_checkpoint(ObjectKind::File).is_none());
    let checkpoint = progress.use_checkpoint(ObjectKind::Video).unwrap();
    let fetched_again = 7 + 13_107_200 - 5_242_880;
    assert_eq!(checkpoint.transfer.part_size, 5_242_880);
    let download = checkpoint.transfer.download;
    assert_eq!(download.bytes_fetched_again, fetched_again);
    progress.count_failed_resumption();
    assert!(progress.use_checkpoint(ObjectKind::Video).is_none());
}

/// A process of version 0.1.0 ignores what it does not know, and this version accepts its absence.
#[test]
fn what_is_new_since_version_0_1_0_is_optional() {
    let place = json!({"Header": {"bytes": vec![0; 16], "filled": 0}});
    let mut state = state_of_0_1_0(place, json!("Missing"));
    state["refused_sha256"] = json!("15e2");
    state["checkpoint"]["source"]["tail"] = json!({"length": 7, "sha256": "15e2"});
    state["checkpoint"]["source"]["host"] = json!("volces.com");
    state["checkpoint"]["part_size"] = json!(10_485_760);
    state["checkpoint"]["source"]["has_ended"] = json!(true);
    state["furthest"] = json!({"downloaded": 7, "stored": 5});
    state["last_frame_failures"] = json!(2);
    state["checkpoint"]["checks"]["ending"] = json!("00ff");
    state["checkpoint"]["checks"]["finding"] = json!("the file is empty");
    state["checkpoint"]["checks"]["announced"]["crc32c"] = json!(5);
    for name in ["is_md5_certain", "is_text", "is_compressed"] {
        state["checkpoint"]["checks"]["announced"][name] = json!(true);
    }
    state["checkpoint"]["checks"]["digests"]["crc32c"] = json!(5);
    let c2pa = json!({"beginning": [216, 254], "is_found": false});
    state["checkpoint"]["checks"]["scanner"]["c2pa"] = c2pa;
    let read: ArchiveState = serde_json::from_value(state.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), state);
    assert_eq!(
        Progress::resume(read).rejected_sha256().as_deref(),
        Some("15e2")
    );
}

#[test]
fn an_attempt_whose_worker_crashed_is_not_counted() {
    let place = json!({"Header": {"bytes": vec![0; 16], "filled": 0}});
    let state = serde_json::from_value(state_of_0_1_0(place, json!("Missing"))).unwrap();
    let progress = Progress::resume(state);
    for _ in 0..10 {
        assert!(progress.use_checkpoint(ObjectKind::Video).is_some());
    }
}
