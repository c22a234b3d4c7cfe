//! A video, as it is downloaded.

use seedance_archiver_archive::ObjectKind;

use crate::{
    input::Input,
    streams::{Results, Way},
};

const SILENT: &[u8] = include_bytes!("../../simulator/fixtures/silent.mp4");
const SOUND: &[u8] = include_bytes!("../../simulator/fixtures/sound.mp4");
/// Names of boxes at the top level of a file.
const MDAT: &[u8; 4] = b"mdat";

/// What is found in a video does not depend on how it arrives: in which chunks, in which parts it is uploaded, and whether
/// the download is interrupted and resumed. Whatever arrives twice is archived, unless it is an error page or empty.
pub fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let has_length = input.byte().is_multiple_of(2);
    let way = Way::read(&mut input, has_length, 4_000);
    let file = input.rest();
    let expected = Way::plain(has_length).archive(ObjectKind::Video, file);
    check_bytes(file, &expected);
    assert_eq!(way.archive(ObjectKind::Video, file), expected, "{way:?}");
}

/// Checks that the archived bytes are those that were served.
pub(crate) fn check_bytes(file: &[u8], results: &Results) {
    for archived in results.iter().flatten() {
        assert!(archived.bytes == file, "{}: other bytes", archived.name);
    }
    if let [_, Err(error)] = results {
        // An error page may also say that the URL has expired.
        let is_no_video = ["error page", "empty body", "not ready", "URL rejected"]
            .iter()
            .any(|it| error.contains(it));
        assert!(is_no_video, "{error}");
    }
}

/// Returns the boxes of a file, with less media.
fn short(file: &[u8]) -> Vec<u8> {
    let mut short = Vec::new();
    let mut rest = file;
    while let Some((head, _)) = rest.split_at_checked(8) {
        let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let (whole, after) = rest.split_at(size.clamp(8, rest.len()));
        match &whole[4..8] == MDAT {
            true => short.extend([b"\0\0\0\x18", &MDAT[..], &whole[8..24]].concat()),
            false => short.extend(whole),
        }
        rest = after;
    }
    short
}

/// Returns videos, with and without sound and length, and what a host may return in their place.
pub fn seeds() -> Vec<Vec<u8>> {
    let (silent, sound) = (short(SILENT), short(SOUND));
    let to_end = [
        &b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2\0\0\0\0mdat"[..],
        &silent[40..80],
    ]
    .concat();
    let long =
        [&b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2\0\0\0\x01mdat\0\0\0\0\0\0\0\x14data"[..]].concat();
    let files = [
        &silent,
        &sound,
        &to_end,
        &long,
        &b"<html>503</html>".to_vec(),
        &b"<Error><Code>NotAuthorized</Code></Error>".to_vec(),
        &Vec::new(),
    ];
    let ways: [&[u8]; 3] = [
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 255],
        &[1, 100, 1, 0, 0, 0, 0, 0, 0, 1, 60],
        &[0, 7, 2, 0, 0, 0, 0, 0, 0, 0, 99],
    ];
    let seeds = files.iter().zip(ways.iter().cycle());
    seeds.map(|(file, way)| [way, &file[..]].concat()).collect()
}
