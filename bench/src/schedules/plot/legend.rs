use std::fmt::Write;

use super::{
    super::candidates::Family,
    markers::{LIMIT, marker},
};
use crate::plot::escape;

/// Other projects have numbers in the panels, in the order of the table.
const OTHER_PROJECTS: [&str; 6] = [
    "ComfyUI and LobeHub",
    "Vercel AI SDK",
    "ArcReel",
    "AceDataCloud",
    "genblaze",
    "new-api",
];

pub(super) fn svg(origin: (f64, f64)) -> String {
    let (x, mut y) = (origin.0 + 40.0, origin.1 + 34.0);
    let mut svg = format!(
        "<path d=\"M{} {y}h20\" stroke=\"{LIMIT}\" stroke-width=\"2\"/>\n",
        x - 10.0
    );
    let mut line = |y: f64, text: &str| {
        let text = escape(text);
        // Writing to a string does not fail.
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\">{text}</text>",
            x + 20.0,
            y + 4.0
        );
    };
    line(y, "limit: dynamic programming on the true distribution");
    let families = [
        (Family::Learned, "learned, without observations at first"),
        (
            Family::TenthOfAge,
            "intervals of a tenth of the age, 2 s to 60 s",
        ),
        (Family::Fixed, "fixed interval, as labelled"),
        (Family::Exponential, "exponential, 1 s to 30 s"),
        (Family::OtherProject, "other projects:"),
    ];
    let mut markers = String::new();
    for (family, text) in families {
        y += 23.0;
        markers += &marker(family, x, y, false);
        line(y, text);
    }
    for (index, name) in OTHER_PROJECTS.iter().enumerate() {
        y += 19.0;
        line(y, &format!("{}  {name}", index + 1));
    }
    y += 25.0;
    line(y, "hollow: gave up on some of the tasks");
    line(y + 18.0, "not shown: gave up on more than half");
    svg + &markers
}
