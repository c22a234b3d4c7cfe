//! The results as Markdown tables.

use super::{Floor, Line, Sum};
use crate::transfers::sample::cell;

const LINES: &str = "
| step | CPU s/GB | MB/s |
|---|---:|---:|
";
const SUMS: &str = "
| source | store | CPU s/GB, all steps | seedance-archiver, relative |
|---|---|---:|---:|
";

pub(in crate::transfers) fn markdown(floor: &Floor) -> String {
    let lines: String = floor.lines.iter().map(line).collect();
    let sums: String = floor.sums.iter().map(sum).collect();
    format!("{LINES}{lines}{SUMS}{sums}")
}

fn line(line: &Line) -> String {
    let (cpu, speed) = (line.cpu_seconds_per_gigabyte, line.megabytes_per_second);
    format!("| {} | {cpu:.2} | {speed:.0} |\n", line.step.name())
}

fn sum(sum: &Sum) -> String {
    let (source, store) = (sum.source.name(), sum.store.name());
    let cpu = sum.cpu_seconds_per_gigabyte;
    let archiver = cell(sum.archiver, 2);
    format!("| {source} | {store} | {cpu:.2} | {archiver} |\n")
}
