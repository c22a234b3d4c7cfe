use super::*;

const CHANGED: &str = "the object may have changed";

/// Decides on a response of an object with the ETag `"one"`, of which `offset` bytes were received.
fn decide_at(
    offset: u64,
    total: Option<u64>,
    ask: Ask,
    status: u16,
    headers: &[(&'static str, &str)],
) -> Decision {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    let length = map.get("content-length").and_then(|it| it.to_str().ok());
    let length = length.and_then(|it| it.parse().ok());
    let validator = Validator::parse("\"one\"");
    let known = Known {
        offset,
        total,
        validator: validator.as_ref(),
        may_end: true,
    };
    decide(
        ask,
        known,
        StatusCode::from_u16(status).unwrap(),
        &map,
        length,
    )
}

fn whole(total: u64) -> Option<BodyRange> {
    Some(BodyRange {
        start: 0,
        end: None,
        total: Some(total),
        is_uncertain: true,
    })
}

fn read(start: u64, end: Option<u64>, total: Option<u64>, is_uncertain: bool) -> Decision {
    Decision::Read(BodyRange {
        start,
        end,
        total,
        is_uncertain,
    })
}

#[test]
fn the_first_response_may_have_any_form() {
    for (status, headers, expected) in [
        (
            200,
            &[("content-length", "9")][..],
            read(0, None, Some(9), false),
        ),
        (
            203,
            &[("content-length", "9")],
            read(0, None, Some(9), false),
        ),
        (200, &[], read(0, None, None, false)),
        (
            206,
            &[("content-length", "9")],
            read(0, None, Some(9), false),
        ),
        // The object.
        (
            206,
            &[("content-range", "bytes 0-8/9")],
            read(0, None, Some(9), true),
        ),
        (
            206,
            &[("content-range", "Bytes=0-8/9")],
            read(0, None, Some(9), true),
        ),
        // The beginning of the object.
        (
            206,
            &[("content-range", "bytes 0-3/9")],
            read(0, Some(4), Some(9), true),
        ),
        (
            206,
            &[("content-range", "bytes 0-3/*")],
            read(0, Some(4), None, true),
        ),
        (206, &[("content-range", "bytes 1-3/9")], Decision::Useless),
        (
            206,
            &[("content-type", "multipart/byteranges; boundary=x")],
            Decision::Useless,
        ),
        (202, &[], Decision::Useless),
        (204, &[], Decision::Useless),
        (205, &[], Decision::Useless),
        (416, &[], Decision::Useless),
        (416, &[("content-range", "bytes */0")], Decision::Useless),
    ] {
        let decision = decide_at(0, None, Ask::Whole, status, headers);
        assert_eq!(decision, expected, "{status} {headers:?}");
    }
}

#[test]
fn a_range_continues_the_download() {
    let same = ("etag", "\"one\"");
    let other = ("etag", "\"two\"");
    let rest = ("content-range", "bytes 4-8/9");
    let again = Decision::AskAgain;
    for (ask, headers, expected) in [
        (Ask::IfRange, &[rest][..], read(4, None, Some(9), false)),
        (Ask::IfRange, &[rest, same], read(4, None, Some(9), false)),
        (Ask::IfRange, &[rest, other], again(Ask::Overlap, CHANGED)),
        (Ask::Range, &[rest, same], read(4, None, Some(9), false)),
        (Ask::Range, &[rest], again(Ask::Overlap, CHANGED)),
        (Ask::Range, &[rest, other], again(Ask::Overlap, CHANGED)),
        (
            Ask::Overlap,
            &[rest, other],
            again(Ask::Whole, "the host ignored the offset"),
        ),
        // The bytes before the offset are compared.
        (
            Ask::Overlap,
            &[("content-range", "bytes 2-8/9"), other],
            read(2, None, Some(9), true),
        ),
        (
            Ask::Overlap,
            &[("content-range", "bytes 2-8/9"), same],
            read(2, None, Some(9), true),
        ),
        (
            Ask::IfRange,
            &[("content-range", "bytes 2-8/9")],
            read(2, None, Some(9), false),
        ),
        (
            Ask::Whole,
            &[("content-range", "bytes 0-8/9")],
            read(0, None, Some(9), true),
        ),
        // A part of the rest.
        (
            Ask::IfRange,
            &[("content-range", "bytes 4-6/9")],
            read(4, Some(7), Some(9), false),
        ),
        (
            Ask::IfRange,
            &[("content-range", "bytes 5-8/9")],
            again(Ask::Whole, "the host returned a later range than requested"),
        ),
        (
            Ask::IfRange,
            &[],
            again(Ask::Whole, "the host returned a range without its offset"),
        ),
        (
            Ask::IfRange,
            &[("content-range", "bytes 4-9/10")],
            Decision::Changed(None),
        ),
        (
            Ask::Overlap,
            &[("content-range", "bytes 2-9/10")],
            Decision::Changed(None),
        ),
    ] {
        let decision = decide_at(4, Some(9), ask, 206, headers);
        assert_eq!(decision, expected, "{ask:?} {headers:?}");
    }
}

#[test]
fn an_answer_from_the_first_byte_is_compared() {
    for ask in [Ask::Whole, Ask::IfRange, Ask::Range, Ask::Overlap] {
        let length = [("content-length", "9")];
        assert_eq!(
            decide_at(4, Some(9), ask, 200, &length),
            read(0, None, Some(9), true)
        );
        assert_eq!(
            decide_at(4, Some(9), ask, 200, &[]),
            read(0, None, None, true)
        );
        assert_eq!(
            decide_at(4, None, ask, 200, &length),
            read(0, None, Some(9), true)
        );
        assert_eq!(
            decide_at(4, Some(8), ask, 200, &length),
            Decision::Changed(whole(9))
        );
        let shorter = [("content-length", "3")];
        assert_eq!(
            decide_at(4, None, ask, 200, &shorter),
            Decision::Changed(whole(3))
        );
    }
}

#[test]
fn a_rejected_range_may_be_the_end() {
    let again = Decision::AskAgain(Ask::Whole, "the host rejected the range");
    for (total, headers, expected) in [
        (
            None,
            &[("content-range", "bytes */4")][..],
            Decision::End(Some(4)),
        ),
        (
            Some(4),
            &[("content-range", "bytes */4")],
            Decision::End(Some(4)),
        ),
        (
            Some(9),
            &[("content-range", "bytes */4")],
            Decision::Changed(None),
        ),
        (Some(9), &[("content-range", "bytes */9")], again),
        (None, &[("content-range", "bytes */9")], again),
        (None, &[], Decision::End(None)),
        (Some(9), &[], again),
    ] {
        let decision = decide_at(4, total, Ask::Range, 416, headers);
        assert_eq!(decision, expected, "{total:?} {headers:?}");
    }
    assert_eq!(
        decide_at(4, None, Ask::Range, 204, &[]),
        Decision::End(None)
    );
    assert_eq!(
        decide_at(4, Some(9), Ask::Range, 204, &[]),
        Decision::Useless
    );
}
