//! The boxes of a file.

use super::*;

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
