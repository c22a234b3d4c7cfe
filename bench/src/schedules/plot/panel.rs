use super::{
    super::{
        candidates::Family,
        report::{MixReport, Row},
    },
    axis::Axis,
    labels::Labels,
    markers::{LIMIT, colour, marker},
};
use crate::plot::{Frame, escape};

/// A schedule that gave up on more of the tasks is not shown: the lags of the others mean little.
const MAX_GIVEN_UP: f64 = 0.5;

pub(super) struct Panel<'a> {
    report: &'a MixReport,
    origin: (f64, f64),
    frame: Frame,
    lag: Axis,
    requests: Axis,
}

fn frame(origin: (f64, f64)) -> Frame {
    Frame {
        left: origin.0 + 58.0,
        top: origin.1 + 44.0,
        right: origin.0 + Panel::SIZE.0 - 16.0,
        bottom: origin.1 + Panel::SIZE.1 - 46.0,
    }
}

impl<'a> Panel<'a> {
    /// The width and the height.
    pub(super) const SIZE: (f64, f64) = (390.0, 330.0);

    pub(super) fn new(report: &'a MixReport, origin: (f64, f64)) -> Self {
        let rows = || shown(report).map(|(_, row)| row);
        let frame = frame(origin);
        let Frame {
            left,
            top,
            right,
            bottom,
        } = frame;
        Self {
            report,
            origin,
            frame,
            lag: Axis::new(rows().filter_map(|row| row.lag_mean), left, right),
            requests: Axis::new(rows().map(|row| row.requests), bottom, top),
        }
    }

    pub(super) fn svg(&self) -> String {
        let (x, y) = (self.origin.0 + 20.0, self.origin.1);
        let title = format!(
            "<text x=\"{x}\" y=\"{}\" font-weight=\"bold\">{}</text>\n<text x=\"{x}\" y=\"{}\" font-size=\"11\" \
             fill=\"#555\">{}</text>\n",
            y + 16.0,
            escape(self.report.mix),
            y + 32.0,
            escape(self.report.about),
        );
        title + &self.grid() + &self.limit() + &self.fixed_line() + &self.points()
    }

    fn grid(&self) -> String {
        let Frame {
            left,
            top,
            right,
            bottom,
        } = self.frame;
        let (x, y) = ((left + right) / 2.0, (top + bottom) / 2.0);
        let label_x = self.origin.0 + 18.0;
        let grid = self.frame.grid(&self.lag.grid(), &self.requests.grid());
        grid + &format!(
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" font-size=\"11\">mean lag in seconds</text>\n\
             <text transform=\"translate({label_x} {y}) rotate(-90)\" text-anchor=\"middle\" \
             font-size=\"11\">requests a task</text>\n",
            bottom + 32.0,
        )
    }

    fn limit(&self) -> String {
        let limit = self
            .report
            .limit
            .iter()
            .map(|cost| (cost.lag, cost.requests));
        self.line(limit, LIMIT, 2.0)
    }

    fn fixed_line(&self) -> String {
        let fixed = self.of(Family::Fixed);
        let fixed = fixed.filter_map(|row| Some((row.lag_mean?, row.requests)));
        self.line(fixed, colour(Family::Fixed), 1.0)
    }

    fn line(&self, points: impl Iterator<Item = (f64, f64)>, colour: &str, width: f64) -> String {
        let points = points
            .filter(|(lag, requests)| self.lag.contains(*lag) && self.requests.contains(*requests))
            .map(|(lag, requests)| {
                format!("{:.1},{:.1}", self.lag.at(lag), self.requests.at(requests))
            });
        let points: Vec<_> = points.collect();
        format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"/>\n",
            points.join(" ")
        )
    }

    fn points(&self) -> String {
        let at = |row: &Row| Some((self.lag.at(row.lag_mean?), self.requests.at(row.requests)));
        let points =
            || shown(self.report).filter_map(|(number, row)| Some((number, row, at(row)?)));
        let limit = self.report.limit.iter();
        let limit = limit.map(|cost| (self.lag.at(cost.lag), self.requests.at(cost.requests)));
        let covered = points().map(|(_, _, at)| at).chain(limit);
        let mut labels = Labels::new(covered, self.frame.left, self.frame.right);
        let mut svg = String::new();
        for (number, row, (x, y)) in points() {
            svg += &marker(row.family, x, y, row.given_up > 0.0);
            let text = match row.family {
                Family::Fixed => row.name.trim_start_matches("every ").to_owned(),
                Family::OtherProject => number.to_string(),
                Family::Learned | Family::TenthOfAge | Family::Exponential => continue,
            };
            let (x, y) = labels.place((x, y), &text);
            svg += &format!(
                "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"11\" fill=\"{}\">{text}</text>\n",
                colour(row.family),
            );
        }
        svg
    }

    fn of(&self, family: Family) -> impl Iterator<Item = &Row> {
        self.report
            .schedules
            .iter()
            .filter(move |row| row.family == family)
    }
}

/// Returns the rows in the plot. Other projects have numbers.
fn shown(report: &MixReport) -> impl Iterator<Item = (usize, &Row)> {
    let mut number = 0;
    let numbered = report.schedules.iter().map(move |row| {
        number += usize::from(row.family == Family::OtherProject);
        (number, row)
    });
    // Of ours, the one from no observations on.
    let mut is_first = true;
    numbered.filter(move |(_, row)| {
        let is_shown = row.family != Family::Learned || std::mem::take(&mut is_first);
        is_shown && row.given_up <= MAX_GIVEN_UP
    })
}
