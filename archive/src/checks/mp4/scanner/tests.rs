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

#[test]
fn the_properties_of_a_real_file_are_those_that_ffprobe_reports() {
    assert_eq!(scan(SILENT), Ok(silent_movie()));
    assert_eq!(
        scan(SOUND),
        Ok(Movie {
            has_audio: true,
            ..silent_movie()
        })
    );
}

#[test]
fn the_result_does_not_depend_on_the_chunks() {
    for size in (1..=300).chain([1 << 10, 1 << 16, SILENT.len() - 1, SILENT.len() + 1]) {
        assert_eq!(
            scan_in(SILENT, size, None),
            Ok(silent_movie()),
            "chunks of {size}"
        );
    }
    for (_, range) in boxes(SILENT) {
        for cut in range.start.saturating_sub(20)..(range.start + 20).min(SILENT.len()) {
            let mut scanner = Mp4Scanner::new(Some(SILENT.len() as u64));
            for half in [&SILENT[..cut], &[], &SILENT[cut..]] {
                scanner.update(half).unwrap();
            }
            assert_eq!(scanner.finish(), Ok(silent_movie()), "cut at {cut}");
        }
    }
}

#[test]
fn a_truncated_file_is_an_error_wherever_it_ends() {
    for file in [SILENT, SOUND] {
        let boundaries: Vec<usize> = boxes(file)
            .into_iter()
            .map(|(_, range)| range.start)
            .collect();
        let around = boundaries
            .iter()
            .flat_map(|start| start.saturating_sub(1)..start + 18);
        for end in around.chain([file.len() / 2, file.len() - 1]) {
            let error = scan(&file[..end]).unwrap_err();
            let is_boundary = boundaries.contains(&end);
            match error {
                Mp4Error::EndsInHeader(_) | Mp4Error::EndsInBox { .. } => {
                    assert!(!is_boundary, "{end}")
                }
                Mp4Error::Empty | Mp4Error::Missing(_) => assert!(is_boundary || end > 0, "{end}"),
                error => panic!("{end}: {error}"),
            }
        }
    }
}

#[test]
fn the_file_must_have_the_declared_length() {
    let length = SILENT.len() as u64;
    let longer = scan_in(SILENT, 100, Some(length + 1));
    assert_eq!(
        longer,
        Err(Mp4Error::Length {
            declared: length + 1,
            found: length
        })
    );
    let shorter = scan_in(SILENT, 100, Some(length - 1));
    assert!(
        matches!(shorter, Err(Mp4Error::PastEnd { .. })),
        "{shorter:?}"
    );
    let to_end = [
        part(SILENT, b"ftyp"),
        part(SILENT, b"moov"),
        b"\0\0\0\0mdat123",
    ]
    .concat();
    let cut = scan_in(&to_end, 100, Some(to_end.len() as u64 + 1));
    assert!(matches!(cut, Err(Mp4Error::Length { .. })), "{cut:?}");
}

#[test]
fn box_sizes_may_have_three_forms_and_boxes_any_order() {
    let [ftyp, moov, mdat] = [b"ftyp", b"moov", b"mdat"].map(|kind| part(SILENT, kind));
    let mdat_long = boxed_long(b"mdat", &mdat[8..]);
    let moov_long = boxed_long(b"moov", &moov[8..]);
    let ftyp_long = boxed_long(b"ftyp", &ftyp[8..]);
    let [mdat_to_end, moov_to_end] = [mdat, moov].map(|part| with(part, 0, &[0; 4]));
    let empty = boxed(b"free", &[]);
    let empty_long = boxed_long(b"free", &[]);
    for parts in [
        [ftyp, mdat, moov],
        [ftyp, &moov_long, &mdat_long],
        [&ftyp_long, &mdat_long, &moov_to_end],
        [ftyp, moov, &mdat_to_end],
    ] {
        assert_eq!(scan(&parts.concat()), Ok(silent_movie()));
    }
    for filled in [
        [ftyp, &empty, moov, &empty_long, mdat, &empty],
        [ftyp, &boxed(b"mdat", &[]), &empty, moov, mdat, &empty_long],
    ] {
        assert_eq!(scan(&filled.concat()), Ok(silent_movie()));
    }
}

#[test]
fn a_file_with_an_additional_box_is_complete() {
    let free = boxed_long(b"free", &vec![0xa5; 300_000]);
    assert_eq!(scan(&[SILENT, &free].concat()), Ok(silent_movie()));
    let cut = scan(&[SILENT, &free[..free.len() - 1]].concat());
    assert_eq!(
        cut,
        Err(Mp4Error::EndsInBox {
            kind: "free".into(),
            missing: 1
        })
    );
}

#[test]
fn required_boxes_must_exist_exactly_once() {
    let [ftyp, moov, mdat] = [b"ftyp", b"moov", b"mdat"].map(|kind| part(SILENT, kind));
    let empty = boxed(b"mdat", &[]);
    let empty_ftyp = boxed(b"ftyp", &[]);
    let media = Mp4Error::Missing("mdat box with data");
    for (parts, error) in [
        (vec![], Mp4Error::Empty),
        (vec![ftyp], Mp4Error::Missing("moov box")),
        (vec![ftyp, mdat], Mp4Error::Missing("moov box")),
        (vec![ftyp, moov], media.clone()),
        (vec![ftyp, moov, &empty], media.clone()),
        (vec![ftyp, moov, b"\0\0\0\0mdat"], media),
        (vec![ftyp, moov, mdat, moov], Mp4Error::SecondMoov),
        (vec![moov, moov], Mp4Error::SecondMoov),
        (vec![&empty_ftyp, moov, mdat], Mp4Error::NoFtyp),
        (vec![b"\0\0\0\0ftypisom", moov, mdat], Mp4Error::NoFtyp),
    ] {
        assert_eq!(scan(&parts.concat()), Err(error));
    }
}

#[test]
fn other_formats_are_rejected_early() {
    let json = br#"{"code":"AccessDenied","message":"Request has expired"}"#;
    for bytes in [
        json.as_slice(),
        b"<?xml version='1.0'?>",
        &[0xff; 64],
        &[0; 64],
    ] {
        assert!(Mp4Scanner::new(None).update(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn garbage_after_the_last_box_is_an_error() {
    for garbage in [
        b"\0".as_slice(),
        b"\0\0\0\x08fre",
        &[0; 8],
        &[0; 100],
        &[0xff; 100],
        b"\r\n--boundary--\r\n",
        b"\0\0\0\x07free",
        b"\0\0\0\x09free",
        &SILENT[..100],
    ] {
        assert!(scan(&[SILENT, garbage].concat()).is_err(), "{garbage:?}");
    }
}

#[test]
fn hostile_sizes_are_errors() {
    let ftyp = part(SILENT, b"ftyp");
    for size in [
        u64::MAX,
        u64::MAX - 15,
        1 << 63,
        i64::MAX as u64,
        1 << 32,
        15,
        1,
        0,
    ] {
        for kind in [b"ftyp", b"moov", b"mdat", b"free"] {
            let header = [&[0, 0, 0, 1], kind.as_slice(), &size.to_be_bytes()].concat();
            assert!(scan(&[ftyp, &header].concat()).is_err(), "size {size}");
            assert!(
                scan(&[&header, SILENT].concat()).is_err(),
                "first size {size}"
            );
        }
    }
    for size in 2..8u32 {
        let header = [&size.to_be_bytes(), b"free".as_slice()].concat();
        let start = ftyp.len() as u64;
        let scanned = scan(&[ftyp, &header].concat());
        assert_eq!(scanned, Err(Mp4Error::InvalidHeader(start)));
    }
}

#[test]
fn the_size_of_a_moov_is_limited() {
    let ftyp = part(SILENT, b"ftyp");
    let claimed = [ftyp, &(MAX_MOOV as u32 + 9).to_be_bytes(), b"moov"].concat();
    assert_eq!(scan(&claimed), Err(Mp4Error::LargeMoov));

    let mut scanner = Mp4Scanner::new(None);
    scanner.update(&[ftyp, b"\0\0\0\0moov"].concat()).unwrap();
    let piece = vec![0; 1 << 20];
    let errors: Vec<_> = (0..17)
        .map_while(|_| scanner.update(&piece).err().or(Some(Mp4Error::Empty)))
        .collect();
    assert_eq!(
        errors
            .iter()
            .filter(|error| **error == Mp4Error::LargeMoov)
            .count(),
        1
    );
    assert_eq!(scanner.finish(), Err(Mp4Error::LargeMoov));
}

/// Omits the empty `free` box that ffmpeg writes after `moov`: a larger `moov` would contain it and stay valid.
#[test]
fn any_flipped_bit_in_the_header_of_ftyp_or_moov_is_an_error() {
    let file = [b"ftyp", b"moov", b"mdat"]
        .map(|kind| part(SILENT, kind))
        .concat();
    assert_eq!(scan(&file), Ok(silent_movie()));
    for kind in [b"ftyp", b"moov"] {
        let begin = find(&file, kind) - 4;
        for bit in 0..64 {
            let at = begin + bit / 8;
            let flipped = with(&file, at, &[file[at] ^ 1 << (bit % 8)]);
            assert!(scan(&flipped).is_err(), "{kind:?}, bit {bit}");
        }
    }
}

#[test]
fn a_moov_without_a_required_box_is_an_error() {
    for kind in [
        b"mvhd", b"mdia", b"hdlr", b"minf", b"stbl", b"stsd", b"stts", b"mdhd",
    ] {
        let error = scan(&with(SILENT, find(SILENT, kind), b"free")).unwrap_err();
        let name = String::from_utf8_lossy(kind);
        assert_eq!(
            error.to_string(),
            format!("invalid moov box: {name} is missing")
        );
    }
    let too_large = with(SILENT, find(SILENT, b"mdia") - 4, &[0x7f]);
    let error = scan(&too_large).unwrap_err().to_string();
    assert_eq!(error, "invalid moov box: mdia: larger than its parent box");
}

#[test]
fn an_error_in_an_unneeded_box_is_ignored() {
    let name = find(SILENT, b"vide") + 16;
    for odd in [
        with(SILENT, name, &[0xff, 0xfe]),
        with(SILENT, find(SILENT, b"avcC") + 4, &[0xff; 16]),
        with(SILENT, find(SILENT, b"udta") + 4, &[0xff; 16]),
        with(SILENT, find(SILENT, b"stsz") + 8, &[0xff; 8]),
    ] {
        assert_eq!(scan(&odd), Ok(silent_movie()));
    }
    let unknown = scan(&with(SILENT, find(SILENT, b"stsd") + 16, b"vvc9")).unwrap();
    assert_eq!(unknown.video.unwrap().codec, "vvc9");
    let no_track = Movie {
        video: None,
        ..silent_movie()
    };
    assert_eq!(
        scan(&with(SILENT, find(SILENT, b"trak"), b"free")),
        Ok(no_track)
    );
}

#[test]
fn a_fragmented_movie_has_fewer_properties() {
    let ftyp = part(SILENT, b"ftyp");
    let moov = part(SILENT, b"moov");
    let mvhd = find(moov, b"mvhd");
    let moov = with(moov, mvhd + 20, &[0; 4]);
    let stts = find(&moov, b"stts");
    let moov = with(&moov, stts + 8, &[0; 4]);
    let mehd = boxed(b"mehd", &[0, 0, 0, 0, 0, 0, 0x1b, 0x58]);
    let mvex = boxed(b"mvex", &mehd);
    let moov = boxed(b"moov", &[&moov[8..], &mvex].concat());
    let fragment = [boxed(b"moof", b"x"), boxed(b"mdat", b"y")].concat();
    let movie = scan(&[ftyp, &moov, &fragment, &fragment].concat()).unwrap();
    assert_eq!(movie.duration_s, Some(7.0));
    let video = movie.video.unwrap();
    assert_eq!((video.frames, video.frame_rate), (None, None));
    assert_eq!((video.width, video.height), (864, 480));
}

#[test]
fn ten_thousand_mutations_never_panic() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut errors = 0;
    for round in 0..10_000 {
        let file = if round % 2 == 0 { SILENT } else { SOUND };
        let [ftyp, moov] = [b"ftyp", b"moov"].map(|kind| part(file, kind));
        let mut file = [ftyp, moov, &boxed(b"mdat", b"frames")].concat();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(..file.len());
            match random.u8(..6) {
                0 => file[at] = 0,
                1 => file[at] = 0xff,
                2 => file[at] ^= 1 << random.u8(..8),
                3 => file.truncate(at.max(1)),
                4 => file.insert(at, random.u8(..)),
                _ => file.extend_from_within(at..),
            }
        }
        errors += usize::from(scan_in(&file, random.usize(1..2000), None).is_err());
    }
    assert!((5_000..10_000).contains(&errors), "{errors} errors");
}
