//! Files that are made to harm.

use super::*;

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
    let allowed = [ftyp, &(MAX_MOOV as u32 + 8).to_be_bytes(), b"moov"].concat();
    let truncated = Mp4Error::EndsInBox {
        kind: "moov".into(),
        missing: MAX_MOOV,
    };
    assert_eq!(scan(&allowed), Err(truncated));

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
