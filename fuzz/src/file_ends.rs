//! Files whose completeness shows at their ends.

use seedance_archiver_archive::ObjectKind;

use crate::{
    input::Input,
    mp4::check_bytes,
    streams::{Results, Way},
};

const PNG_START: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
const PNG_END: &[u8] = b"\0\0\0\0IEND\xaeB`\x82";
const KINDS: [ObjectKind; 3] = [ObjectKind::Video, ObjectKind::LastFrame, ObjectKind::File];

/// What is found in a file does not depend on how it arrives. A complete file is archived at once. If its end is missing,
/// and the host declares no length, it is not archived at once.
pub fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let kind = *input.pick(&KINDS);
    let has_length = input.byte().is_multiple_of(2);
    let way = Way::read(&mut input, has_length, 600);
    let form = input.up_to(3);
    let missing = 1 + input.up_to(15);
    let rest = input.rest();
    let (kind, file) = match form {
        0 => (ObjectKind::File, glb(rest)),
        1 => (ObjectKind::LastFrame, [PNG_START, rest, PNG_END].concat()),
        2 => (ObjectKind::Video, webm(rest)),
        _ => return drop(check_any(kind, &way.with_typed_parts(), has_length, rest)),
    };
    let [first, _] = check_any(kind, &way, has_length, &file);
    let checks = first.expect("a complete file is archived at once").checks;
    assert!(
        checks.iter().all(|[_, result, ..]| result == "passed"),
        "{checks:?}"
    );
    let has_end_inside = rest.windows(PNG_END.len()).any(|window| window == PNG_END);
    if !has_end_inside && file.len() > 512 + missing {
        let cut = &file[..file.len() - missing];
        let [first, second] = Way::plain(false).archive(kind, cut);
        let error = first.expect_err("a truncated file is not archived at once");
        assert!(error.contains("truncated"), "{error}");
        let warnings = second.expect("what arrives twice is archived").checks;
        assert!(
            warnings.iter().any(|[_, result, ..]| result == "warning"),
            "{warnings:?}"
        );
    }
}

fn check_any(kind: ObjectKind, way: &Way, has_length: bool, file: &[u8]) -> Results {
    let expected = Way::plain(has_length).archive(kind, file);
    check_bytes(file, &expected);
    assert_eq!(way.archive(kind, file), expected, "{way:?}");
    expected
}

fn glb(body: &[u8]) -> Vec<u8> {
    let size = (12 + body.len()) as u32;
    [b"glTF\x02\0\0\0", &size.to_le_bytes()[..], body].concat()
}

/// Returns a WebM whose segment has a size of 8 bytes.
fn webm(body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u64 | 1 << 56).to_be_bytes();
    [
        b"\x1aE\xdf\xa3\x87B\x82\x84webm\x18\x53\x80\x67",
        &size[..],
        body,
    ]
    .concat()
}

/// Returns a file of each form, and some of others.
pub fn seeds() -> Vec<Vec<u8>> {
    let head = |form: u8, kind: u8| [kind, 1, 33, 0, 0, 0, 0, 0, 0, 0, 1, 50, form, 4];
    let body = [b'a'; 700];
    let mut seeds: Vec<Vec<u8>> = (0..3)
        .map(|form| [&head(form, 0), &body[..]].concat())
        .collect();
    let others: [(u8, &[u8]); 13] = [
        (0, b"\x1aE\xdf\xa3\x87B\x82\x84matroska\x18\x53\x80\x67\xff"),
        (0, b"RIFF\x10\0\0\0AVI LIST"),
        (0, b"OggS\0"),
        (1, b"GIF89a\x01\0\x01\0;"),
        (1, b"\xff\xd8\xff\xe0\0\x10JFIF\0\xff\xd9"),
        (1, b"BM\x1a\0\0\0\0\0\0\0\0\0"),
        (1, b"RIFF\x10\0\0\0WEBPVP8 "),
        (2, b"PK\x03\x04\x14\0\0\0PK\x05\x06"),
        (2, b"solid a\nfacet\nendsolid a\n"),
        (2, b"{\"asset\":{\"version\":\"2.0\"}}"),
        // The first connection breaks off before the key, and a small part would end before it.
        (
            2,
            b"{\"comment\":\"written by an exporter, with a title and a license\",\"asset\":{\"version\":\"2.0\"}}",
        ),
        (2, b"PXR-USDC\0\0\0\0\0\0\0\0\x20\0\0\0\0\0\0\0"),
        (2, b"Kaydara FBX Binary  \0"),
    ];
    seeds.extend(
        others
            .iter()
            .map(|(kind, file)| [&head(3, *kind), *file].concat()),
    );
    seeds
}
