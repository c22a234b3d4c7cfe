use std::{ops::Range, time::Duration};

use super::{
    super::{
        points::{self, Point},
        samples::{Phases, Samples},
        series::Series,
    },
    colours::colour,
};
use crate::plot::{Frame, Tick, escape};

const SHADE: &str = "#f2f5f9";
/// Points of a line. Of more, the highest ones are drawn.
const MAX_POINTS: usize = 400;
/// Without values for longer, a line is interrupted.
const GAP: Duration = Duration::from_secs(10);
const MAX_TICKS: f64 = 6.0;
const MINUTE: f64 = 60.0;

pub(super) struct Panel {
    series: Series,
    origin: (f64, f64),
    frame: Frame,
    phases: Phases,
    lines: Vec<(usize, Vec<Point>)>,
    /// Minutes since the start of the load.
    minutes: Range<f64>,
    top: f64,
}

impl Panel {
    /// The width and the height.
    pub(super) const SIZE: (f64, f64) = (390.0, 220.0);

    pub(super) fn new(samples: &Samples, series: Series, origin: (f64, f64)) -> Self {
        let workers = samples.workers().into_iter();
        let lines = workers.map(|it| (it, points::of_worker(samples, series, it)));
        let lines: Vec<_> = lines.collect();
        let values = lines.iter().flat_map(|(_, points)| points);
        let max = values.map(|(_, value)| *value).fold(1.0, f64::max);
        let end = samples.all.last().map(|sample| sample.at);
        let phases = samples.phases;
        Self {
            series,
            origin,
            frame: Frame {
                left: origin.0 + 58.0,
                top: origin.1 + 28.0,
                right: origin.0 + Self::SIZE.0 - 16.0,
                bottom: origin.1 + Self::SIZE.1 - 26.0,
            },
            phases,
            lines,
            minutes: minute(&phases, Duration::ZERO)..minute(&phases, end.unwrap_or_default()),
            top: max * 1.1,
        }
    }

    pub(super) fn svg(&self) -> String {
        let (x, y) = (self.frame.left, self.origin.1 + 18.0);
        let title = escape(self.series.title());
        let title = format!("<text x=\"{x}\" y=\"{y}\" font-weight=\"bold\">{title}</text>\n");
        let lines = self.lines.iter();
        let lines: String = lines.map(|(it, points)| self.line(*it, points)).collect();
        title + &self.shades() + &self.grid() + &self.settled() + &lines
    }

    fn grid(&self) -> String {
        let tick = |at, value: f64| Tick {
            at,
            label: value.to_string(),
        };
        let x = ticks(self.minutes.end).into_iter();
        let x: Vec<_> = x.map(|minute| tick(self.x(minute), minute)).collect();
        let y = ticks(self.top).into_iter();
        let y: Vec<_> = y.map(|value| tick(self.y(value), value)).collect();
        self.frame.grid(&x, &y)
    }

    /// Returns the areas of the thirds that are compared.
    fn shades(&self) -> String {
        let Frame { top, bottom, .. } = self.frame;
        let height = bottom - top;
        let shade = |number| {
            let third = self.phases.third(number);
            let (start, end) = (self.x_at(third.start), self.x_at(third.end));
            let width = end - start - 1.0;
            format!(
                "<rect x=\"{start:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{height}\" fill=\"{SHADE}\"/>\n"
            )
        };
        shade(1) + &shade(2)
    }

    fn settled(&self) -> String {
        let Frame { top, bottom, .. } = self.frame;
        let x = self.x_at(self.phases.settled);
        format!(
            "<path d=\"M{x:.1} {top}V{bottom}\" stroke=\"#8a8f98\" stroke-dasharray=\"3 3\"/>\n"
        )
    }

    /// Returns the line of a worker, in pieces if values are missing.
    fn line(&self, worker: usize, points: &[Point]) -> String {
        let colour = colour(worker);
        let pieces = points.chunk_by(|(at, _), (next, _)| *next - *at <= GAP);
        let pieces = pieces.map(|piece| {
            let highest = piece.chunks(points.len().div_ceil(MAX_POINTS));
            let highest = highest.filter_map(|it| it.iter().max_by(|a, b| a.1.total_cmp(&b.1)));
            let points = highest
                .map(|(at, value)| format!("{:.1},{:.1}", self.x_at(*at), self.y(*value)));
            let points: Vec<_> = points.collect();
            format!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.2\"/>\n",
                points.join(" ")
            )
        });
        pieces.collect()
    }

    fn x_at(&self, at: Duration) -> f64 {
        self.x(minute(&self.phases, at))
    }

    fn x(&self, minute: f64) -> f64 {
        let Range { start, end } = self.minutes;
        let Frame { left, right, .. } = self.frame;
        left + (right - left) * (minute - start) / (end - start).max(f64::MIN_POSITIVE)
    }

    fn y(&self, value: f64) -> f64 {
        let Frame { top, bottom, .. } = self.frame;
        bottom - (bottom - top) * value / self.top
    }
}

fn minute(phases: &Phases, at: Duration) -> f64 {
    (at.as_secs_f64() - phases.load_start.as_secs_f64()) / MINUTE
}

/// Returns round numbers from 0 to a maximum.
fn ticks(max: f64) -> Vec<f64> {
    let magnitudes = (0..9).map(|power| 10_f64.powi(power));
    let mut steps = magnitudes.flat_map(|power| [1.0, 2.0, 5.0].map(|it| it * power));
    let step = steps.find(|step| max / step <= MAX_TICKS);
    let step = step.unwrap_or(f64::INFINITY);
    let ticks = (0..).map(|number| f64::from(number) * step);
    ticks.take_while(|tick| *tick <= max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_few_and_round() {
        assert_eq!(ticks(1.1), [0.0, 1.0]);
        assert_eq!(ticks(73.0), [0.0, 20.0, 40.0, 60.0]);
        assert_eq!(ticks(300.0), [0.0, 50.0, 100.0, 150.0, 200.0, 250.0, 300.0]);
    }
}
