//! The true distributions of completion times: mixtures of log-normal ones.

use crate::random::Random;

#[derive(Clone, Debug)]
pub(super) struct Truth(Vec<LogNormal>);

#[derive(Clone, Copy, Debug)]
struct LogNormal {
    part: f64,
    /// Logarithm of the median in seconds.
    mu: f64,
    sigma: f64,
}

impl Truth {
    pub(super) fn log_normal(median: f64, sigma: f64) -> Self {
        Self::mixture(&[(1.0, median, sigma)])
    }

    /// Takes the part, the median in seconds and the standard deviation in log time of each component.
    pub(super) fn mixture(components: &[(f64, f64, f64)]) -> Self {
        let component = |(part, median, sigma): &(f64, f64, f64)| LogNormal {
            part: *part,
            mu: median.ln(),
            sigma: *sigma,
        };
        Self(components.iter().map(component).collect())
    }

    pub(super) fn sample(&self, random: &mut Random) -> f64 {
        let mut left = random.uniform();
        let chosen = self.0.iter().find(|component| {
            left -= component.part;
            left <= 0.0
        });
        let deviation = random.normal();
        chosen
            .or(self.0.last())
            .map_or(1.0, |chosen| (chosen.mu + chosen.sigma * deviation).exp())
    }

    /// Returns the probability that a task is unfinished at this age.
    pub(super) fn unfinished(&self, age: f64) -> f64 {
        let part = |it: &LogNormal| it.part * upper_tail((age.ln() - it.mu) / it.sigma);
        if age <= 0.0 {
            return 1.0;
        }
        self.0.iter().map(part).sum()
    }

    /// Returns the integral of [`Self::unfinished`] from this age on.
    pub(super) fn unfinished_after(&self, age: f64) -> f64 {
        let part = |it: &LogNormal| {
            let mean = (it.mu + it.sigma * it.sigma / 2.0).exp();
            let deviation = (age.ln() - it.mu) / it.sigma;
            it.part * (mean * upper_tail(deviation - it.sigma) - age * upper_tail(deviation))
        };
        if age <= 0.0 {
            return self.0.iter().map(LogNormal::weighted_mean).sum();
        }
        self.0.iter().map(part).sum()
    }

    /// Returns ages that have almost all of the probability between them.
    pub(super) fn range(&self, deviations: f64) -> (f64, f64) {
        let bound = |sign: f64| {
            self.0
                .iter()
                .map(move |it| it.mu + sign * deviations * it.sigma)
        };
        (
            bound(-1.0).fold(f64::INFINITY, f64::min).exp(),
            bound(1.0).fold(f64::NEG_INFINITY, f64::max).exp(),
        )
    }
}

impl LogNormal {
    fn weighted_mean(&self) -> f64 {
        self.part * (self.mu + self.sigma * self.sigma / 2.0).exp()
    }
}

/// Returns the probability that a normal variable is above this many standard deviations, with a relative error below
/// 1.2e-7: the rational Chebyshev approximation of `erfc`.
fn upper_tail(deviations: f64) -> f64 {
    const COEFFICIENTS: [f64; 10] = [
        0.170_872_77,
        -0.822_152_23,
        1.488_515_87,
        -1.135_203_98,
        0.278_868_07,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_68,
        -1.265_512_23,
    ];
    let z = deviations / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * z.abs());
    let polynomial = COEFFICIENTS.iter().fold(0.0, |sum, it| sum * t + it);
    let erfc = t * (polynomial - z * z).exp();
    if z >= 0.0 {
        erfc / 2.0
    } else {
        1.0 - erfc / 2.0
    }
}
