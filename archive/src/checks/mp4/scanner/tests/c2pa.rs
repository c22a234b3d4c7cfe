//! The box of a C2PA manifest.

use super::*;

const TYPE: [u8; 16] = 0xd8fe_c3d6_1b0e_483c_9297_5828_877e_c481_u128.to_be_bytes();

fn c2pa(purpose: &[u8]) -> Vec<u8> {
    let content = [&TYPE[..], &[0; 4], purpose, &[7; 100]].concat();
    boxed(b"uuid", &content)
}

/// How many bytes the boxes before or after `moov` and `mdat` take at most.
const ENDS: usize = 512;

/// Returns a file in chunks of three kinds: whole, of 16 bytes, and of single bytes at its ends, where a manifest is.
fn all_chunks(file: &[u8]) -> [Vec<&[u8]>; 3] {
    let (start, rest) = file.split_at(ENDS);
    let (middle, end) = rest.split_at(rest.len() - ENDS);
    let single = start.chunks(1).chain([middle]).chain(end.chunks(1));
    [vec![file], file.chunks(16).collect(), single.collect()]
}

/// Scans a file in chunks, saves the scanner after each of them, and goes on with what was saved.
fn has_manifest(chunks: &[&[u8]]) -> Option<bool> {
    let mut scanner = Mp4Scanner::new(None);
    for bytes in chunks {
        scanner.update(bytes).unwrap();
        if let Some(saved) = scanner.save() {
            let json = serde_json::to_string(&saved).unwrap();
            scanner = serde_json::from_str(&json).unwrap();
        }
    }
    let found = scanner.has_c2pa_manifest();
    scanner.finish().unwrap();
    found
}

#[test]
fn a_manifest_is_found_wherever_it_is() {
    let [ftyp, moov, mdat] = [b"ftyp", b"moov", b"mdat"].map(|kind| part(SILENT, kind));
    let manifest = c2pa(b"manifest\0");
    for file in [
        [ftyp, &manifest, moov, mdat].concat(),
        [ftyp, moov, mdat, &manifest].concat(),
        [ftyp, &c2pa(b"original\0"), moov, mdat].concat(),
        [ftyp, &manifest, &c2pa(b"merkle\0"), moov, mdat].concat(),
        [ftyp, &boxed(b"uuid", &[1; 50]), moov, mdat, &manifest].concat(),
    ] {
        for chunks in all_chunks(&file) {
            let count = chunks.len();
            assert_eq!(has_manifest(&chunks), Some(true), "{count} chunks");
        }
    }
}

#[test]
fn other_boxes_are_no_manifest() {
    let [ftyp, moov, mdat] = [b"ftyp", b"moov", b"mdat"].map(|kind| part(SILENT, kind));
    for other in [
        boxed(b"uuid", &[1; 50]),
        boxed(b"uuid", &TYPE),
        boxed(b"uuid", b""),
        boxed(b"free", &c2pa(b"manifest\0")),
        c2pa(b"merkle\0"),
        // Two halves make no whole.
        [
            boxed(b"uuid", &TYPE[..10]),
            boxed(b"uuid", &[&TYPE[10..], &[0; 50]].concat()),
        ]
        .concat(),
    ] {
        let file = [ftyp, &other, moov, mdat].concat();
        for chunks in all_chunks(&file) {
            assert_eq!(has_manifest(&chunks), Some(false), "{other:?}");
        }
    }
}

/// The manifest may have been in the part that the earlier version scanned.
#[test]
fn after_a_checkpoint_of_an_earlier_version_it_is_not_known() {
    let mut scanner = Mp4Scanner::new(None);
    scanner.update(part(SILENT, b"ftyp")).unwrap();
    let mut saved = serde_json::to_value(scanner.save().unwrap()).unwrap();
    saved.as_object_mut().unwrap().remove("c2pa").unwrap();
    let mut scanner: Mp4Scanner = serde_json::from_value(saved).unwrap();
    let rest = [part(SILENT, b"moov"), part(SILENT, b"mdat")].concat();
    scanner.update(&rest).unwrap();
    assert_eq!(scanner.has_c2pa_manifest(), None);
    scanner.finish().unwrap();
}
