//! What the plots share: the page, and the grid of a panel.

/// Colour of grid lines.
const GRID: &str = "#e6e8eb";

/// Returns a page with a title, a line about it, and a content.
pub(crate) fn page(size: (f64, f64), title: &str, about: &str, content: &str) -> String {
    let (width, height) = size;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\" fill=\"#222\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"20\" y=\"26\" font-size=\"17\" font-weight=\"bold\">{}</text>\n\
         <text x=\"20\" y=\"45\" fill=\"#555\">{}</text>\n{content}</svg>\n",
        escape(title),
        escape(about),
    )
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// The area of the points of a panel.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

/// A labelled line of a grid, at a coordinate.
pub(crate) struct Tick {
    pub(crate) at: f64,
    pub(crate) label: String,
}

impl Frame {
    /// Returns the border, and the lines of both axes with their labels.
    pub(crate) fn grid(&self, x: &[Tick], y: &[Tick]) -> String {
        let mut svg = String::new();
        let Self {
            left,
            top,
            right,
            bottom,
        } = self;
        for Tick { at: x, label } in x {
            svg += &format!(
                "<path d=\"M{x:.1} {top}V{bottom}\" stroke=\"{GRID}\"/><text x=\"{x:.1}\" y=\"{}\" \
                 text-anchor=\"middle\" font-size=\"11\" fill=\"#555\">{label}</text>\n",
                bottom + 15.0,
            );
        }
        for Tick { at: y, label } in y {
            svg += &format!(
                "<path d=\"M{left} {y:.1}H{right}\" stroke=\"{GRID}\"/><text x=\"{}\" y=\"{:.1}\" \
                 text-anchor=\"end\" font-size=\"11\" fill=\"#555\">{label}</text>\n",
                left - 6.0,
                y + 4.0,
            );
        }
        svg + &format!(
            "<rect x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#b8bcc2\"/>\n",
            right - left,
            bottom - top,
        )
    }
}
