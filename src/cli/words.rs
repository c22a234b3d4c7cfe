//! What commands print alike: tables, pairs, times.

use comfy_table::{ContentArrangement, LineStyle, Row, Table, TableStyle};
use console::Term;
use jiff::Timestamp;

use seedance_archiver_workflows::format;

/// A table for people, as wide as the terminal.
pub(super) fn table(header: impl Into<Row>) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    // Off a terminal lines are as long as they need to be.
    if let Some((_, columns)) = Term::stdout().size_checked() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(columns);
    }
    table.set_header(header);
    table
}

/// Prints what is known by name, and leaves out what is not.
pub(super) fn print_pairs(pairs: &[(&str, String)]) {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        println!("{name:width$}  {value}");
    }
}

/// A time, empty where it is not known.
pub(super) fn moment(unix_seconds: i64) -> String {
    format::utc(unix_seconds).unwrap_or_default()
}

/// A time and how far away it is, e.g. `2026-08-28 06:27:11 UTC (6d 3h left)`. Empty where it is not
/// known.
pub(super) fn deadline(unix_seconds: i64) -> String {
    around(unix_seconds, "left")
}

/// A time that is past, or a moment that comes.
pub(super) fn since(unix_seconds: i64) -> String {
    around(unix_seconds, "from now")
}

fn around(unix_seconds: i64, ahead: &str) -> String {
    let moment = moment(unix_seconds);
    if moment.is_empty() {
        return moment;
    }
    let seconds = unix_seconds - Timestamp::now().as_second();
    let distance = format::duration(std::time::Duration::from_secs(seconds.unsigned_abs()));
    match seconds {
        0 => format!("{moment} (now)"),
        1.. => format!("{moment} ({distance} {ahead})"),
        _ => format!("{moment} ({distance} ago)"),
    }
}
