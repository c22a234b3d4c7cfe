//! Objects without a declared length.

use super::*;

#[test]
fn a_file_without_a_length_is_checked_by_its_own_end() {
    let task = record();
    let file = Expectation {
        kind: ObjectKind::File,
        ..expectation(&task)
    };
    let finish = |bytes: &[u8], expectation: Expectation<'_>| {
        let mut running = RunningChecks::new(expectation.kind, DeclaredObject::default());
        running.update(bytes);
        running.finish(expectation)
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
    let mut open_ended = SILENT.to_vec();
    open_ended[mdat - 4..mdat].fill(0);
    for (video, length, warnings) in [
        (&open_ended[..], None, 1),
        (&open_ended[..], Some(SILENT.len() as u64), 0),
        (SILENT, None, 0),
    ] {
        let declared = DeclaredObject {
            length,
            ..DeclaredObject::default()
        };
        let mut running = RunningChecks::new(ObjectKind::Video, declared);
        running.update(video);
        let checked = running.finish(expectation(&task)).unwrap();
        let is_warning = |it: &&(&str, &str)| **it == ("length", "warning");
        let found = results(&checked).iter().filter(is_warning).count();
        assert_eq!(found, warnings, "{checked:?}");
    }
}

/// A first response with a part of the object need not declare the length of the object.
#[test]
fn a_length_that_a_later_response_declares_is_checked() {
    let task = record();
    let length = SILENT.len() as u64;
    for (first, later, is_valid) in [
        (None, Some(length), true),
        (None, Some(length + 1), false),
        (Some(length), Some(length + 1), true),
    ] {
        let declared = DeclaredObject {
            length: first,
            ..DeclaredObject::default()
        };
        let mut running = RunningChecks::new(ObjectKind::Video, declared);
        running.update(SILENT);
        running.declare_length(later);
        let checked = running.finish(expectation(&task));
        assert_eq!(checked.is_ok(), is_valid, "{later:?}: {checked:?}");
    }
}
