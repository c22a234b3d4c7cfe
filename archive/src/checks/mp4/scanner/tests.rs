mod boxes;
mod c2pa;
mod hostile;
mod movies;

use std::ops::Range;

use super::*;
use crate::checks::mp4::VideoTrack;

const SILENT: &[u8] = include_bytes!("../../../../../simulator/fixtures/silent.mp4");
const SOUND: &[u8] = include_bytes!("../../../../../simulator/fixtures/sound.mp4");

fn scan_in(file: &[u8], size: usize, declared: Option<u64>) -> Result<Movie, Mp4Error> {
    let mut scanner = Mp4Scanner::new(declared);
    for chunk in file.chunks(size.max(1)) {
        if let Err(error) = scanner.update(chunk) {
            assert_eq!(
                scanner.finish(),
                Err(error.clone()),
                "`finish` repeats the first error"
            );
            return Err(error);
        }
    }
    scanner.finish()
}

/// Scans a file in chunks of different sizes, and asserts that the result is always the same, with and without a
/// declared length.
fn scan(file: &[u8]) -> Result<Movie, Mp4Error> {
    let expected = scan_in(file, file.len(), None);
    for size in [1, 7, 8, 15, 16, 4096] {
        assert_eq!(scan_in(file, size, None), expected, "chunks of {size}");
    }
    let declared = scan_in(file, 1000, Some(file.len() as u64));
    assert_eq!(
        declared.is_ok(),
        expected.is_ok(),
        "{declared:?} {expected:?}"
    );
    expected
}

fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = 8 + body.len() as u32;
    [&size.to_be_bytes(), kind.as_slice(), body].concat()
}

fn boxed_long(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = 16 + body.len() as u64;
    [&[0, 0, 0, 1], kind.as_slice(), &size.to_be_bytes(), body].concat()
}

/// Returns the name and the range of each top-level box of a fixture, whose sizes are 32-bit.
fn boxes(file: &[u8]) -> Vec<([u8; 4], Range<usize>)> {
    let mut boxes: Vec<([u8; 4], Range<usize>)> = Vec::new();
    while let Some(header) = file
        .get(boxes.last().map_or(0, |last| last.1.end)..)
        .and_then(|rest| rest.get(..8))
    {
        let begin = boxes.last().map_or(0, |last| last.1.end);
        let size = u32::from_be_bytes(header[..4].try_into().unwrap()) as usize;
        boxes.push((header[4..].try_into().unwrap(), begin..begin + size));
    }
    boxes
}

fn part<'a>(file: &'a [u8], kind: &[u8; 4]) -> &'a [u8] {
    let (_, range) = boxes(file)
        .into_iter()
        .find(|found| &found.0 == kind)
        .unwrap();
    &file[range]
}

fn with(file: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

fn find(file: &[u8], kind: &[u8; 4]) -> usize {
    file.windows(4).position(|window| window == kind).unwrap()
}

fn silent_movie() -> Movie {
    Movie {
        duration_s: Some(5.0),
        video: Some(VideoTrack {
            width: 864,
            height: 480,
            frames: Some(120),
            frame_rate: Some(24.0),
            codec: "avc1".into(),
        }),
        has_audio: false,
    }
}
