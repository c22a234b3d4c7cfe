//! Tables and lists of facts.

use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Row, Table, TableStyle};
use console::Term;
use seedance_archiver_proto::visible;

/// Minimum width of the last column: that of a task id and a slash.
const MIN_LAST_WIDTH: usize = 26;
/// Number of spaces between two columns: the padding of the first and the separator.
const COLUMN_GAP: usize = 2;

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
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    table
}

/// Fits a table to the terminal, so that only its last column is wrapped: hides columns of `optional`, in this order,
/// until the last column has enough room. If that is not enough, only the first column, the task id, is not wrapped.
/// Returns the width of the last column if it has enough room.
pub(super) fn fit(table: &mut Table, optional: &[usize]) -> Option<usize> {
    let terminal = usize::from(table.width()?);
    let widths = table.column_max_content_widths().into_iter();
    let mut widths: Vec<_> = widths.map(|it| usize::from(it) + COLUMN_GAP).collect();
    // The last column has only its padding.
    let last = widths.len().saturating_sub(1);
    widths[last..].fill(1);
    for (column, width) in table.column_iter_mut().zip(&mut widths).take(last) {
        match column.is_hidden() {
            true => *width = 0,
            false => {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
    }
    let room = |widths: &[usize]| terminal.saturating_sub(widths.iter().sum());
    for index in optional {
        if room(&widths) < MIN_LAST_WIDTH
            && let Some(column) = table.column_mut(*index)
        {
            column.set_constraint(ColumnConstraint::Hidden);
            widths[*index] = 0;
        }
    }
    if room(&widths) < MIN_LAST_WIDTH {
        for column in table.column_iter_mut().skip(1) {
            if !column.is_hidden() {
                column.remove_constraint();
            }
        }
        return None;
    }
    Some(room(&widths))
}

/// Returns the cells of a row. Their texts may come from outside, so control characters are escaped.
pub(super) fn row(cells: impl IntoIterator<Item = String>) -> Row {
    let cells = cells.into_iter();
    cells.map(|cell| visible::escape(&cell).into_owned()).into()
}

/// Prints a line for each fact, its name and its value. Facts with an empty value are unknown and left out.
pub(super) fn print_facts(facts: &[(&str, String)]) {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        outln!("{name:width$}  {}", visible::escape(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "cgt-20260828062711-hj94q";

    fn lines(terminal: u16) -> (Option<usize>, Vec<String>) {
        let mut table = table(["task", "size", "reason"]);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(terminal);
        table.add_row([ID, "8 MiB", "the task did not finish within an hour"]);
        let width = fit(&mut table, &[1]);
        (width, table.trim_fmt().lines().map(str::to_owned).collect())
    }

    #[test]
    fn only_the_last_column_is_wrapped() {
        let (width, lines) = lines(61);
        assert_eq!(width, Some(27));
        assert_eq!(lines[2], format!("{ID}  8 MiB  the task did not finish"));
        assert_eq!(lines[3].trim(), "within an hour");
    }

    #[test]
    fn optional_columns_are_hidden_in_a_narrow_terminal() {
        let (width, lines) = lines(55);
        assert_eq!(width, Some(28));
        assert_eq!(lines[2], format!("{ID}  the task did not finish"));
    }

    #[test]
    fn a_cell_cannot_control_the_terminal() {
        let mut table = table(["task", "reason"]);
        let reason = "a\u{1b}[2J\r\ncgt-2  archived\u{202e}";
        table.add_row(row([ID.to_owned(), reason.to_owned()]));
        let text = table.trim_fmt();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(
            text.ends_with("a\\u{1b}[2J\\r\\ncgt-2  archived\\u{202e}"),
            "{text}"
        );
    }

    #[test]
    fn a_task_id_is_never_wrapped() {
        let (width, lines) = lines(40);
        assert_eq!(width, None);
        assert!(lines[2].starts_with(ID), "{lines:?}");
    }
}
