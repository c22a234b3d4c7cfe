use strum::VariantArray;

use super::{
    ObjectKind::{File, LastFrame, Video},
    *,
};

fn name(kind: ObjectKind, bytes: &[u8]) -> Option<&'static str> {
    let file_type = FileType::detect(kind, bytes, None, false)?;
    Some(Format::new(kind, file_type).name)
}

/// Returns a ZIP archive with this first entry.
fn zip(method: u8, name: &str) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04\x14\0\0\0".to_vec();
    bytes.extend([method, 0]);
    bytes.extend([0; 16]);
    bytes.extend([name.len() as u8, 0, 0, 0]);
    bytes.extend(name.as_bytes());
    bytes
}

/// Returns a binary STL with a single triangle.
fn stl() -> Vec<u8> {
    let mut bytes = b"solid by an exporter".to_vec();
    bytes.resize(80, b' ');
    bytes.extend(1_u32.to_le_bytes());
    for number in [
        0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0_f32,
    ] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend([0, 0]);
    bytes
}

fn transport_stream() -> Vec<u8> {
    let mut packet = [0; 188];
    packet[0] = 0x47;
    packet.repeat(3)
}

#[test]
fn the_first_bytes_of_a_video_determine_its_name() {
    for (bytes, expected) in [
        (&b"\0\0\0\x18ftypmp42"[..], "video.mp4"),
        (b"\0\0\0\x18ftypisom", "video.mp4"),
        (b"\0\0\0\x18ftyp????", "video.mp4"),
        (b"\0\0\0\x14ftypqt  ", "video.mov"),
        (b"\0\0\0\x08wide\0\0", "video.mov"),
        (b"\0\0\x10\0moov\0\0", "video.mov"),
        (b"\0\0\x10\0mdat\0\0", "video.mov"),
        (b"\0\0\0\x18ftypM4V ", "video.m4v"),
        (b"\0\0\0\x18ftyp3gp5", "video.3gp"),
        (b"\0\0\0\x18ftyp3g2a", "video.3g2"),
        (b"\x1aE\xdf\xa3\x01\0", "video.webm"),
        (b"\x1aE\xdf\xa3\x9fB\x82\x84webm", "video.webm"),
        (b"\x1aE\xdf\xa3\xa3B\x82\x88matroska", "video.mkv"),
        (b"RIFF\0\0\0\0AVI LIST", "video.avi"),
        (&transport_stream(), "video.ts"),
        (b"FLV\x01\x05", "video.flv"),
        (b"OggS\0\x02", "video.ogv"),
        (b"GIF89a", "video.gif"),
        (b"RIFF\0\0\0\0WEBPVP8X", "video.webp"),
        (b"\x89PNG\r\n\x1a\n\0\0", "video.png"),
        (b"glTF\x02\0\0\0", "file.glb"),
        (b"PK\x03\x04", "video.zip"),
        (b"no format at all\0", "video.bin"),
        (b"nut/multimedia container\0", "video.bin"),
        (b"no UTF-8: \xe9t\xe9", "video.bin"),
        (b"# a cube\nv 0 0 0", "video.bin"),
    ] {
        assert_eq!(name(Video, bytes), Some(expected), "{bytes:?}");
    }
}

#[test]
fn the_first_bytes_of_an_image_determine_its_name() {
    for (bytes, expected) in [
        (&b"\x89PNG\r\n\x1a\n\0\0"[..], "last_frame.png"),
        (b"\xff\xd8\xff\xe0", "last_frame.jpg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "last_frame.webp"),
        (b"GIF87a", "last_frame.gif"),
        (b"\0\0\0\x20ftypavif", "last_frame.avif"),
        (b"\0\0\0\x14ftypmif1\0\0\0\0avif", "last_frame.avif"),
        (b"\0\0\0\x18ftypheic", "last_frame.heic"),
        (b"BM\x36\0\0\0\0\0\0\0", "last_frame.bmp"),
        (b"II*\0\x08", "last_frame.tiff"),
        (b"MM\0*\0", "last_frame.tiff"),
    ] {
        assert_eq!(name(LastFrame, bytes), Some(expected), "{bytes:?}");
    }
}

#[test]
fn the_first_bytes_of_a_file_determine_its_name() {
    for (bytes, expected) in [
        (&b"glTF\x02\0\0\0"[..], "file.glb"),
        (b"{\n  \"asset\" : { \"version\"", "file.gltf"),
        (b"\xef\xbb\xbf{\"accessors\":[{", "file.gltf"),
        (b"{\"x\": 1, \"asset\":{}}", "file.gltf"),
        (&zip(0, "scene.usdc"), "file.usdz"),
        (&zip(8, "scene.usdc"), "file.zip"),
        (&zip(8, "[Content_Types].xml"), "file.3mf"),
        (&zip(8, "3D/3dmodel.model"), "file.3mf"),
        (&zip(8, "cube.obj"), "file.zip"),
        (b"PK\x05\x06\0\0", "file.zip"),
        (b"Kaydara FBX Binary  \0", "file.fbx"),
        (b"; FBX 7.3.0 project file", "file.fbx"),
        (b"PXR-USDC\0", "file.usdc"),
        (b"#usda 1.0", "file.usda"),
        (b"# a cube\nv 0 0 0", "file.obj"),
        (b"mtllib cube.mtl\r\no cube", "file.obj"),
        (b"solid cube\n facet normal 0 0 1", "file.stl"),
        (&stl(), "file.stl"),
        (b"ply\nformat ascii 1.0", "file.ply"),
        (b"<?xml version=\"1.0\"?>\n<COLLADA xmlns=", "file.dae"),
        (b"\0\0\0\x18ftypmp42", "file.mp4"),
        (b"verse one", "file.bin"),
        (b"\x01\x02\x03\x04", "file.bin"),
    ] {
        assert_eq!(name(File, bytes), Some(expected), "{bytes:?}");
    }
}

#[test]
fn a_binary_stl_has_the_declared_length() {
    let is_stl = |length| FileType::detect(File, &stl(), length, true) == Some(FileType::STL);
    assert!(is_stl(Some(134)) && is_stl(None));
    assert!(!is_stl(Some(135)));
}

/// Version 0.1.0 stored 16 bytes. An upload that it started must keep its name.
#[test]
fn sixteen_bytes_determine_the_names_of_version_0_1_0() {
    for (kind, bytes, expected) in [
        (Video, &b"\0\0\0\x20ftypisom\0\0\x02\0"[..], "video.mp4"),
        (
            Video,
            b"\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x1fB\x86\x81\x01",
            "video.webm",
        ),
        (
            LastFrame,
            b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR",
            "last_frame.png",
        ),
        (File, b"glTF\x02\0\0\0\0\0\0\0\0\0\0\0", "file.glb"),
    ] {
        assert_eq!(name(kind, bytes), Some(expected));
    }
}

#[test]
fn an_error_body_has_no_format() {
    for &kind in ObjectKind::VARIANTS {
        for body in [
            &b"{\"error\": 1}"[..],
            b"{\"error\": \"no asset\"}",
            b"{\"message\": \"\\\"asset\\\" not found\"}",
            b"<!DOCTYPE html>",
            b" \n<html>",
            b"\xef\xbb\xbf \n<?xml version='1.0'?><Error>",
            b"",
        ] {
            assert_eq!(name(kind, body), None, "{kind:?} {body:?}");
        }
    }
}

#[test]
fn a_text_is_no_video_and_no_image() {
    for text in [
        &b"not ready"[..],
        b"\"not ready\"",
        b"[]",
        b"\r\n",
        "the video is not ready \u{2026} \u{8bf7}\u{7a0d}\u{540e}".as_bytes(),
        // The last character is cut.
        b"\xe8\xaf\xb7\xe7\xa8",
    ] {
        assert_eq!(name(Video, text), None, "{text:?}");
        assert_eq!(name(LastFrame, text), None, "{text:?}");
        assert_eq!(name(File, text), Some("file.bin"), "{text:?}");
        assert_eq!(FileType::detect(File, text, None, true), None, "{text:?}");
    }
}

#[test]
fn a_text_that_may_be_the_object_is_no_error_page() {
    for (kind, text, length) in [
        (Video, &b"#EXTM3U\n#EXT-X-VERSION:3\n"[..], None),
        (
            File,
            b"# a cube, exported by a tool with many comments",
            None,
        ),
        (File, b"ISO-10303-21;\nHEADER;", Some(100_000)),
    ] {
        let found = FileType::detect(kind, text, length, true);
        assert_eq!(found, Some(FileType::UNKNOWN), "{text:?}");
    }
    let small = FileType::detect(File, b"ISO-10303-21;\nHEADER;", Some(100), true);
    assert_eq!(small, None);
}

#[test]
fn an_ordinary_line_that_is_declared_as_text_is_no_video() {
    let line = b"v 2 of the API is not ready";
    assert_eq!(FileType::detect(Video, line, None, true), None);
}

#[test]
fn a_model_may_be_declared_as_text() {
    for (bytes, expected) in [
        (&b"# a cube\nv 0 0 0"[..], FileType::OBJ),
        (b"#usda 1.0", FileType::USDA),
        (b"{\"asset\": {\"version\"", FileType::GLTF),
        (b"\x01\x02\x03\x04", FileType::UNKNOWN),
    ] {
        let found = FileType::detect(File, bytes, None, true);
        assert_eq!(found, Some(expected), "{bytes:?}");
    }
}

#[test]
fn every_file_may_have_any_type() {
    assert!(FileType::MOV.is_expected(Video) && !FileType::GLB.is_expected(Video));
    assert!(FileType::AVIF.is_expected(LastFrame) && !FileType::MP4.is_expected(LastFrame));
    assert!(FileType::UNKNOWN.is_expected(File) && FileType::PNG.is_expected(File));
}
