//! A plot of requests against lag, with a panel for each mix.

mod axis;
mod labels;
mod legend;
mod markers;
mod panel;

use super::report::MixReport;
use panel::Panel;

const COLUMNS: usize = 3;
const PANEL: (f64, f64) = (390.0, 330.0);
const TITLE_HEIGHT: f64 = 56.0;

pub(super) fn svg(reports: &[MixReport]) -> String {
    // The last cell has the legend.
    let rows = (reports.len() + 1).div_ceil(COLUMNS);
    let width = PANEL.0 * COLUMNS as f64;
    let height = TITLE_HEIGHT + PANEL.1 * rows as f64 + 10.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\" fill=\"#222\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"20\" y=\"26\" font-size=\"17\" font-weight=\"bold\">Requests a task against mean lag</text>\n\
         <text x=\"20\" y=\"45\" fill=\"#555\">10,000 tasks each, in virtual time; both axes logarithmic; \
         lower and further left is better</text>\n"
    );
    for (index, report) in reports.iter().enumerate() {
        svg += &Panel::new(report, origin(index)).svg();
    }
    svg += &legend::svg(origin(reports.len()));
    svg + "</svg>\n"
}

fn origin(index: usize) -> (f64, f64) {
    let (row, column) = (index / COLUMNS, index % COLUMNS);
    (PANEL.0 * column as f64, TITLE_HEIGHT + PANEL.1 * row as f64)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
