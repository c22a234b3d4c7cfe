//! A plot of requests against lag, with a panel for each mix.

mod axis;
mod labels;
mod legend;
mod markers;
mod panel;

use super::report::MixReport;
use crate::plot;
use panel::Panel;

const COLUMNS: usize = 3;
const TITLE_HEIGHT: f64 = 56.0;

pub(super) fn svg(reports: &[MixReport]) -> String {
    // The last cell has the legend.
    let rows = (reports.len() + 1).div_ceil(COLUMNS);
    let width = Panel::SIZE.0 * COLUMNS as f64;
    let height = TITLE_HEIGHT + Panel::SIZE.1 * rows as f64 + 10.0;
    let mut content = String::new();
    for (index, report) in reports.iter().enumerate() {
        content += &Panel::new(report, origin(index)).svg();
    }
    content += &legend::svg(origin(reports.len()));
    plot::page(
        (width, height),
        "Requests a task against mean lag",
        "10,000 tasks each, in virtual time; both axes logarithmic; lower and further left is better",
        &content,
    )
}

fn origin(index: usize) -> (f64, f64) {
    let (row, column) = (index / COLUMNS, index % COLUMNS);
    (
        Panel::SIZE.0 * column as f64,
        TITLE_HEIGHT + Panel::SIZE.1 * row as f64,
    )
}
