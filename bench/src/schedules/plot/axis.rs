use crate::plot::Tick;

/// A logarithmic axis.
pub(super) struct Axis {
    min: f64,
    max: f64,
    /// Coordinates of the minimum and the maximum.
    from: f64,
    to: f64,
}

impl Axis {
    /// Covers these values, with a margin.
    pub(super) fn new(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (min, max) = values.fold((f64::INFINITY, 0.0), |(min, max): (f64, f64), value| {
            (min.min(value), max.max(value))
        });
        Self {
            min: min / 1.35,
            max: max * 1.35,
            from,
            to,
        }
    }

    pub(super) fn at(&self, value: f64) -> f64 {
        self.from + (self.to - self.from) * (value / self.min).ln() / (self.max / self.min).ln()
    }

    pub(super) fn contains(&self, value: f64) -> bool {
        (self.min..=self.max).contains(&value)
    }

    /// Returns the lines of the grid.
    pub(super) fn grid(&self) -> Vec<Tick> {
        let ticks = self.ticks().into_iter();
        let ticks = ticks.map(|tick| Tick {
            at: self.at(tick),
            label: tick.to_string(),
        });
        ticks.collect()
    }

    /// Returns 1, 2 and 5 of each power of ten, or fewer if the axis is long.
    fn ticks(&self) -> Vec<f64> {
        let multiples: &[f64] = match (self.max / self.min).log10() {
            decades if decades > 3.0 => &[1.0],
            _ => &[1.0, 2.0, 5.0],
        };
        let powers = (-3..=6).map(|power| 10_f64.powi(power));
        let ticks = powers.flat_map(|power| multiples.iter().map(move |it| it * power));
        ticks.filter(|tick| self.contains(*tick)).collect()
    }
}
