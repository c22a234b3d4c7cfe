//! Tables and lists of facts.

use comfy_table::{ContentArrangement, LineStyle, Row, Table, TableStyle};
use console::Term;

/// Returns an empty table as wide as the terminal.
pub(super) fn table(header: impl Into<Row>) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    // Without a terminal, lines are not wrapped.
    if let Some((_, columns)) = Term::stdout().size_checked() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(columns);
    }
    table.set_header(header);
    table
}

/// Prints a line for each fact, its name and its value. Facts with an empty value are unknown and left out.
pub(super) fn print_facts(facts: &[(&str, String)]) {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        outln!("{name:width$}  {value}");
    }
}
