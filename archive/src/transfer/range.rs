//! Decides by the status and the headers of a response how a download continues.

use reqwest::{
    StatusCode,
    header::{CONTENT_RANGE, HeaderMap},
};

use super::validator::Validator;

/// How the rest of an object is requested.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ask {
    /// Without `Range`.
    Whole,
    /// From the offset on, with `If-Range`.
    IfRange,
    /// From the offset on, without `If-Range`.
    Range,
    /// From a point before the offset on, without `If-Range`, so that the bytes before the offset can be compared.
    Overlap,
}

/// What is known of the object that is being downloaded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    /// Number of bytes that were received.
    pub(super) offset: u64,
    /// Size of the object.
    pub(super) total: Option<u64>,
    pub(super) validator: Option<&'a Validator>,
    /// Whether the previous response ended at the offset as it announced, so that the object may end there.
    pub(super) may_end: bool,
}

/// How a download continues.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Decision {
    /// The body is of the object.
    Read(BodyRange),
    /// There are no more bytes. The size is `None` if the host did not declare it.
    End(Option<u64>),
    /// Another request is necessary, for the reason.
    AskAgain(Ask, &'static str),
    /// The object has another size. The body is used if it starts at the first byte.
    Changed(Option<BodyRange>),
    /// The response is useless.
    Useless,
}

/// The part of the object that a body contains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BodyRange {
    /// Offset of the first byte.
    pub(super) start: u64,
    /// Offset after the last byte. `None` if the body extends to the end of the object.
    pub(super) end: Option<u64>,
    /// Size of the object.
    pub(super) total: Option<u64>,
    /// Whether the bytes may be of another object, so that those before the offset have to be compared.
    pub(super) is_uncertain: bool,
}

/// Decides how to continue after a response with a status that is no error, or 416.
pub(super) fn decide(
    ask: Ask,
    known: Known<'_>,
    status: StatusCode,
    headers: &HeaderMap,
    content_length: Option<u64>,
) -> Decision {
    let is_end_possible = known.may_end && known.total.is_none() && known.offset > 0;
    match status {
        StatusCode::PARTIAL_CONTENT => match ContentRange::from_headers(headers) {
            Some(range) => decide_range(ask, known, headers, range),
            None if ask == Ask::Whole && !is_multipart(headers) => {
                decide_whole(known, content_length)
            }
            None if ask == Ask::Whole => Decision::Useless,
            None => Decision::AskAgain(Ask::Whole, "the host returned a range without its offset"),
        },
        StatusCode::RANGE_NOT_SATISFIABLE => match (unsatisfied_total(headers), known.total) {
            (Some(total), declared)
                if total == known.offset && declared.is_none_or(|it| it == total) && total > 0 =>
            {
                Decision::End(Some(total))
            }
            (Some(total), Some(declared)) if total != declared => Decision::Changed(None),
            (None, _) if is_end_possible => Decision::End(None),
            _ if ask == Ask::Whole => Decision::Useless,
            _ => Decision::AskAgain(Ask::Whole, "the host rejected the range"),
        },
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT if is_end_possible => {
            Decision::End(None)
        }
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::ACCEPTED => {
            Decision::Useless
        }
        _ => decide_whole(known, content_length),
    }
}

/// Decides for a body that starts at the first byte and extends to the end.
fn decide_whole(known: Known<'_>, length: Option<u64>) -> Decision {
    let range = BodyRange {
        start: 0,
        end: None,
        total: length,
        is_uncertain: known.offset > 0,
    };
    match is_different(known, length) {
        true => Decision::Changed(Some(range)),
        false => Decision::Read(range),
    }
}

fn decide_range(ask: Ask, known: Known<'_>, headers: &HeaderMap, range: ContentRange) -> Decision {
    let body = BodyRange {
        start: range.start,
        end: Some(range.end).filter(|end| range.total != Some(*end)),
        total: range.total,
        is_uncertain: true,
    };
    if is_different(known, range.total) {
        return Decision::Changed(Some(body).filter(|body| body.start == 0));
    }
    if range.start > known.offset {
        return match ask {
            Ask::Whole => Decision::Useless,
            _ => Decision::AskAgain(Ask::Whole, "the host returned a later range than requested"),
        };
    }
    let is_same = known.validator.is_some_and(|validator| match ask {
        // The host compared the validator. Not every host repeats it.
        Ask::IfRange => validator.matches(headers),
        Ask::Range | Ask::Overlap | Ask::Whole => validator.is_in(headers),
    });
    if !is_same && known.offset > 0 && range.start == known.offset {
        // Nothing before the offset can be compared.
        return match ask {
            Ask::Overlap => Decision::AskAgain(Ask::Whole, "the host ignored the offset"),
            _ => Decision::AskAgain(Ask::Overlap, "the object may have changed"),
        };
    }
    Decision::Read(BodyRange {
        is_uncertain: !is_same || ask == Ask::Overlap,
        ..body
    })
}

/// Returns whether the size of an object differs from that of the bytes that were received.
fn is_different(known: Known<'_>, total: Option<u64>) -> bool {
    let is_other = known.total.zip(total).is_some_and(|(a, b)| a != b);
    let is_shorter = total.is_some_and(|total| total < known.offset);
    known.offset > 0 && (is_other || is_shorter)
}

fn is_multipart(headers: &HeaderMap) -> bool {
    let content_type = headers.get("content-type").and_then(|it| it.to_str().ok());
    content_type.is_some_and(|it| it.trim_start().starts_with("multipart/"))
}

/// The range in a `Content-Range`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct ContentRange {
    start: u64,
    /// Offset after the last byte.
    end: u64,
    total: Option<u64>,
}

impl ContentRange {
    fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let (range, total) = content_range(headers)?;
        let (first, last) = range.split_once('-')?;
        let start = first.trim().parse().ok()?;
        let end = last.trim().parse::<u64>().ok()?.checked_add(1)?;
        let total: Option<u64> = total.parse().ok();
        let is_valid = start < end && total.is_none_or(|total| end <= total);
        is_valid.then_some(Self { start, end, total })
    }
}

/// Returns the size of the object in the `Content-Range` of a 416: `bytes */4`.
fn unsatisfied_total(headers: &HeaderMap) -> Option<u64> {
    let (range, total) = content_range(headers)?;
    total.parse().ok().filter(|_| range == "*")
}

/// Splits a `Content-Range` into its range and the total size.
fn content_range(headers: &HeaderMap) -> Option<(&str, &str)> {
    let value = headers.get(CONTENT_RANGE)?.to_str().ok()?.trim();
    let (unit, range) = value.split_at_checked("bytes".len())?;
    let range = range.trim_start_matches([' ', '=']);
    let (range, total) = range.split_once('/')?;
    unit.eq_ignore_ascii_case("bytes")
        .then_some((range.trim(), total.trim()))
}

#[cfg(test)]
mod tests;
