//! A plot of all series over time, with a panel for each and a line for each worker.

mod colours;
mod panel;

use super::{samples::Samples, series::Series};
use crate::plot;
use colours::colour;
use panel::Panel;

const COLUMNS: usize = 3;
const TITLE_HEIGHT: f64 = 60.0;

pub(super) fn svg(samples: &Samples) -> String {
    let rows = Series::ALL.len().div_ceil(COLUMNS);
    let width = Panel::SIZE.0 * COLUMNS as f64;
    let height = TITLE_HEIGHT + Panel::SIZE.1 * rows as f64 + 10.0;
    let mut content = legend(samples, width);
    for (index, series) in Series::ALL.into_iter().enumerate() {
        content += &Panel::new(samples, series, origin(index)).svg();
    }
    plot::page(
        (width, height),
        "What workers hold under a steady load with faults",
        "minutes since the start of the load; shaded: the two thirds of the load that are compared; dashed: all \
         lifecycles have closed",
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

/// Returns the names of the workers, in the upper right corner.
fn legend(samples: &Samples, width: f64) -> String {
    const ENTRY: f64 = 90.0;
    let workers = samples.workers();
    let left = width - 16.0 - ENTRY * workers.len() as f64;
    let entry = |(index, worker): (usize, &usize)| {
        let x = left + ENTRY * index as f64;
        let colour = colour(*worker);
        format!(
            "<path d=\"M{x} 22h20\" stroke=\"{colour}\" stroke-width=\"2\"/><text x=\"{}\" y=\"26\">worker \
             {worker}</text>\n",
            x + 26.0,
        )
    };
    workers.iter().enumerate().map(entry).collect()
}
