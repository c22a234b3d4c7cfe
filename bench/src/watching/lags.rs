//! Statistics of lags.

use serde::Serialize;

/// Lags, in seconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Lags {
    pub(super) mean: f64,
    pub(super) p50: f64,
    pub(super) p95: f64,
}

impl Lags {
    /// Returns the statistics of lags, `None` if there are none.
    pub(super) fn of(lags: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut lags: Vec<_> = lags.into_iter().collect();
        lags.sort_by(f64::total_cmp);
        let quantile = |part: f64| {
            let index = (part * lags.len() as f64) as usize;
            lags.get(index).copied()
        };
        Some(Self {
            mean: lags.iter().sum::<f64>() / lags.len() as f64,
            p50: quantile(0.5)?,
            p95: quantile(0.95)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_sorted_lags() {
        let lags = Lags::of((0..100).rev().map(f64::from)).unwrap();
        assert_eq!((lags.mean, lags.p50, lags.p95), (49.5, 50.0, 95.0));
        assert!(Lags::of([]).is_none());
    }
}
