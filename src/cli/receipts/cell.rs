//! Cells of CSV.

use anyhow::Context;
use jiff::Timestamp;
use seedance_archiver_proto::visible;
use serde::Serialize;

use crate::stdio;

/// Characters with which a spreadsheet lets a formula begin.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A value that can be written as CSV. An unknown value is empty.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// A text from outside.
    Text(String),
    Number(i64),
    Flag(bool),
    /// Unix seconds.
    Time(i64),
    /// A list or an object.
    Json(String),
    Unknown,
}

impl Cell {
    /// Returns the cell of a text. An empty text is unknown.
    pub(super) fn text(text: &str) -> Self {
        match text {
            "" => Self::Unknown,
            text => Self::Text(text.to_owned()),
        }
    }

    /// Returns the cell of a number of which 0 means that it is unknown.
    pub(super) fn positive(number: i64) -> Self {
        Self::number((number != 0).then_some(number))
    }

    pub(super) fn number(number: Option<i64>) -> Self {
        number.map_or(Self::Unknown, Self::Number)
    }

    pub(super) fn flag(flag: Option<bool>) -> Self {
        flag.map_or(Self::Unknown, Self::Flag)
    }

    /// Returns the cell of a time. 0 is unknown.
    pub(super) fn time(unix_seconds: i64) -> Self {
        match unix_seconds {
            0 => Self::Unknown,
            unix_seconds => Self::Time(unix_seconds),
        }
    }

    /// Returns the cell of a list or map. `None` is unknown.
    pub(super) fn json(value: Option<&impl Serialize>) -> Self {
        let json = value.and_then(|value| serde_json::to_string(value).ok());
        json.map_or(Self::Unknown, Self::Json)
    }

    fn value(&self) -> String {
        match self {
            Self::Text(text) => safe_text(text),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Time(unix_seconds) => utc(*unix_seconds),
            Self::Json(json) => stdio::escape_json(json),
            Self::Unknown => String::new(),
        }
    }
}

/// Returns a text that neither a terminal obeys nor a spreadsheet evaluates.
fn safe_text(text: &str) -> String {
    let escaped = visible::escape_lines(text);
    match text.starts_with(FORMULA) {
        true => format!("'{escaped}"),
        false => escaped.into_owned(),
    }
}

/// Formats a time in UTC as databases and spreadsheets recognise it. A time beyond the calendar is a number.
fn utc(unix_seconds: i64) -> String {
    match Timestamp::from_second(unix_seconds) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => unix_seconds.to_string(),
    }
}

/// Returns a record of CSV without the line break at its end.
pub(super) fn record(cells: impl IntoIterator<Item = Cell>) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells.into_iter().map(|cell| cell.value()))?;
    let bytes = writer.into_inner().context("cannot format CSV")?;
    let mut record = String::from_utf8(bytes)?;
    // A line break in a field is before a quotation mark.
    record.truncate(record.trim_end_matches('\n').len());
    Ok(record)
}

/// Returns the header of CSV.
pub(super) fn header<'a>(names: impl IntoIterator<Item = &'a str>) -> anyhow::Result<String> {
    record(names.into_iter().map(Cell::text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_no_formula_and_no_control_sequence() {
        for (text, value) in [
            ("plain, \"quoted\"", "plain, \"quoted\""),
            (
                "=HYPERLINK(\"https://a.example\")",
                "'=HYPERLINK(\"https://a.example\")",
            ),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\\r=1"),
            ("a=1", "a=1"),
            ("two\nlines 🎬", "two\nlines 🎬"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
        ] {
            assert_eq!(Cell::text(text).value(), value);
        }
        assert_eq!(Cell::number(Some(-1)).value(), "-1");
    }

    #[test]
    fn json_in_a_cell_stays_json() {
        let texts = ["=1", "\u{202e}a\u{9b}", "ü 视频"];
        let Cell::Json(json) = Cell::json(Some(&texts)) else {
            panic!("no JSON");
        };
        let value = Cell::Json(json).value();
        assert!(!value.contains('\u{202e}'), "{value}");
        let parsed: [String; 3] = serde_json::from_str(&value).unwrap();
        assert_eq!(parsed, texts);
    }

    #[test]
    fn a_time_is_in_utc() {
        assert_eq!(Cell::time(1_787_869_631).value(), "2026-08-27 22:27:11");
        assert_eq!(Cell::time(i64::MAX).value(), i64::MAX.to_string());
        assert_eq!(Cell::time(0).value(), "");
    }

    #[test]
    fn a_record_is_quoted_where_necessary() {
        let cells = [
            Cell::text("a,b"),
            Cell::text("c\"d"),
            Cell::text("e\nf\n"),
            Cell::Unknown,
        ];
        assert_eq!(record(cells).unwrap(), "\"a,b\",\"c\"\"d\",\"e\nf\n\",");
    }
}
