//! Objects compared with the response headers.

use super::*;

#[test]
fn a_flipped_byte_fails_the_declared_digests() {
    let mut flipped = SILENT.to_vec();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let [crc64, etag] = correct_headers();
    assert!(
        check(&flipped, &record(), &[crc64])
            .unwrap_err()
            .contains("crc64")
    );
    assert!(
        check(&flipped, &record(), &[etag])
            .unwrap_err()
            .contains("md5")
    );
    assert!(
        check(&flipped, &record(), &[]).is_ok(),
        "no digest was declared"
    );
}

#[test]
fn an_etag_that_is_not_an_md5_is_a_warning() {
    let [crc64, _] = correct_headers();
    let headers = [crc64, ("etag", format!("\"{}\"", "0".repeat(32)))];
    let checked = check(SILENT, &record(), &headers).unwrap();
    assert!(
        results(&checked).contains(&("crc64", "passed"))
            && !results(&checked).iter().any(|(name, _)| *name == "md5"),
        "the CRC-64 is enough: {checked:?}"
    );
    let only_etag = [("etag", format!("\"{}\"", "0".repeat(32)))];
    assert!(
        check(SILENT, &record(), &only_etag)
            .unwrap_err()
            .contains("md5")
    );
    let task = record();
    let md5 = correct_headers()[1].1.trim_matches('"').to_owned();
    let second_attempt = Expectation {
        kind: ObjectKind::Video,
        task: &task,
        mismatch: Mismatch::Warn,
        rejected_md5: Some(&md5),
        rejected_sha256: None,
    };
    let checked = check_as(second_attempt, SILENT, &only_etag).unwrap();
    let mut flipped = SILENT.to_vec();
    flipped[SILENT.len() / 2] ^= 1;
    assert!(
        check_as(second_attempt, &flipped, &only_etag).is_err(),
        "different bytes"
    );
    assert!(
        results(&checked).contains(&("md5", "warning")),
        "the same bytes again: {checked:?}"
    );
    for etag in ["\"abc-3\"", "W/\"abc\"", "abc"] {
        let checked = check(SILENT, &record(), &[("etag", etag.to_owned())]).unwrap();
        assert!(
            !results(&checked).iter().any(|(name, _)| *name == "md5"),
            "{etag}"
        );
    }
}

/// An ETag can be something else that looks like an MD5. A header for digests cannot.
#[test]
fn an_md5_in_a_header_for_digests_is_believed_when_the_same_bytes_arrive_again() {
    let task = record();
    let md5 = correct_headers()[1].1.trim_matches('"').to_owned();
    let again = Expectation {
        rejected_md5: Some(&md5),
        ..expectation(&task)
    };
    let other = "AAAAAAAAAAAAAAAAAAAAAA==";
    for (header, value) in [
        ("content-md5", other.to_owned()),
        ("x-ms-blob-content-md5", other.to_owned()),
        ("x-goog-hash", format!("md5={other}")),
        ("repr-digest", format!("md5=:{other}:")),
    ] {
        let error = check_as(again, SILENT, &[(header, value)]).unwrap_err();
        assert!(error.contains("md5"), "{header}: {error}");
    }
}

#[test]
fn bytes_that_contradict_the_response_headers_are_never_archived() {
    let task = record();
    let [crc64, etag] = headers_of(SILENT);
    let sha256 = (
        "digest",
        "SHA-256=FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=".to_owned(),
    );
    let odd = [SILENT, &[0; 200]].concat();
    let mut digests = Digests::new(&DeclaredObject::default());
    digests.update(&odd);
    let rejected = digests.finish().sha256;
    let again = Expectation {
        rejected_sha256: Some(&rejected),
        ..expectation(&task)
    };
    for headers in [vec![crc64], vec![etag], vec![sha256]] {
        let error = check_as(again, &odd, &headers).unwrap_err();
        assert!(error.contains("but"), "{error}");
    }
    for body in ["", " <html></html>", "\u{feff}{\"error\": {}}", "not ready"] {
        assert!(check_as(again, body.as_bytes(), &headers_of(body.as_bytes())).is_err());
    }
}

#[test]
fn a_digest_of_any_host_vouches_for_the_bytes() {
    let video = [SILENT, &[0; 200]].concat();
    let mut digests = Digests::new(&DeclaredObject {
        crc32c: Some(0),
        crc64nvme: Some(0),
        md5: Some(String::new()),
        ..DeclaredObject::default()
    });
    digests.update(&video);
    let values = digests.finish();
    let base64 = |bytes: &[u8]| {
        use base64::{Engine, prelude::BASE64_STANDARD};
        BASE64_STANDARD.encode(bytes)
    };
    let crc32c = base64(&(values.crc32c.unwrap() as u32).to_be_bytes());
    let sha256 = base64(&hex::decode(&values.sha256).unwrap());
    for (header, value) in [
        (
            "content-md5",
            base64(&hex::decode(values.md5.unwrap()).unwrap()),
        ),
        ("x-goog-hash", format!("crc32c={crc32c}")),
        (
            "x-amz-checksum-crc64nvme",
            base64(&values.crc64nvme.unwrap().to_be_bytes()),
        ),
        ("x-amz-checksum-sha256", sha256.clone()),
        ("repr-digest", format!("sha-256=:{sha256}:")),
    ] {
        let checked = check(&video, &record(), &[(header, value)]).unwrap();
        assert!(results(&checked).contains(&("mp4", "warning")), "{header}");
        let wrong = check(
            &[&video[..], b"x"].concat(),
            &record(),
            &[(header, "AAAA".into())],
        );
        assert!(wrong.is_err(), "{header}");
    }
}
