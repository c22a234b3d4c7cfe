//! The results of a mix, as a table and as JSON.

use serde::Serialize;

use super::{
    candidates::{self, Candidate, Family},
    limit::{self, Cost},
    mixes::Mix,
};

#[derive(Serialize)]
pub(super) struct MixReport {
    pub(super) mix: &'static str,
    pub(super) about: &'static str,
    pub(super) tasks: usize,
    pub(super) schedules: Vec<Row>,
    /// The fewest requests at each mean lag of a schedule that knows the true distributions.
    pub(super) limit: Vec<Cost>,
    /// The same if the kind of a task is not known before its first poll.
    pub(super) limit_of_unknown_kind: Vec<Cost>,
}

#[derive(Serialize)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) family: Family,
    /// Mean number of requests a task.
    pub(super) requests: f64,
    /// In seconds. `None` if it saw no task finished.
    pub(super) lag_mean: Option<f64>,
    pub(super) lag_p50: Option<f64>,
    pub(super) lag_p95: Option<f64>,
    /// The part of the tasks that the schedule gave up on.
    pub(super) given_up: f64,
    /// Requests relative to the limit at the same mean lag. `None` outside of its curve, and if the schedule gave up on
    /// tasks.
    pub(super) of_limit: Option<f64>,
    /// Whether no other schedule has both fewer requests and less lag.
    pub(super) is_on_frontier: bool,
}

impl MixReport {
    pub(super) fn new(mix: &Mix) -> Self {
        let limit = limit::curve(mix);
        let limit_of_unknown_kind = match mix.kinds.len() {
            1 => limit.clone(),
            _ => limit::curve_of_unknown_kind(mix),
        };
        let candidates = candidates::run_all(mix);
        let row = |candidate: Candidate| {
            let limit = match candidate.family == Family::Learned && !candidate.knows_kind {
                true => &limit_of_unknown_kind,
                false => &limit,
            };
            Row::new(candidate, mix.tasks.len(), limit)
        };
        let mut schedules: Vec<_> = candidates.into_iter().map(row).collect();
        let costs: Vec<_> = schedules
            .iter()
            .map(|row| (row.family, row.cost()))
            .collect();
        for row in &mut schedules {
            // Those that learn differ in what they know at first.
            let is_learned = row.family == Family::Learned;
            let others = costs
                .iter()
                .filter(|it| !is_learned || it.0 != Family::Learned);
            let mut others = others.filter_map(|(_, cost)| *cost);
            row.is_on_frontier = row.cost().is_some_and(|cost| {
                !others.any(|other| other.requests < cost.requests && other.lag < cost.lag)
            });
        }
        Self {
            mix: mix.name,
            about: mix.about,
            tasks: mix.tasks.len(),
            schedules,
            limit,
            limit_of_unknown_kind,
        }
    }

    pub(super) fn table(&self) -> String {
        let mut table = format!("{}: {}; {} tasks\n", self.mix, self.about, self.tasks);
        let names = [
            "requests", "lag mean", "lag p50", "lag p95", "gave up", "of limit",
        ];
        let names = names.map(|name| format!("{name:>10}")).concat();
        let mut lines = vec![format!("{:60}{names}", "schedule")];
        lines.extend(self.schedules.iter().map(Row::line));
        for line in lines {
            table.push_str(&line);
            table.push('\n');
        }
        table.push('\n');
        table
    }
}

impl Row {
    fn new(candidate: Candidate, tasks: usize, limit: &[Cost]) -> Self {
        let mut lags = candidate.outcome.lags;
        lags.sort_by(f64::total_cmp);
        let quantile = |part: f64| {
            let index = (part * lags.len() as f64) as usize;
            lags.get(index).copied()
        };
        let lag_sum: f64 = lags.iter().sum();
        let lag_mean = (!lags.is_empty()).then(|| lag_sum / lags.len() as f64);
        let requests = candidate.outcome.requests as f64 / tasks as f64;
        let given_up = candidate.outcome.given_up as f64 / tasks as f64;
        let limit = lag_mean
            .filter(|_| given_up == 0.0)
            .and_then(|lag| limit::requests_at(limit, lag));
        Self {
            name: candidate.name,
            family: candidate.family,
            requests,
            lag_mean,
            lag_p50: quantile(0.5),
            lag_p95: quantile(0.95),
            given_up,
            of_limit: limit.map(|limit| requests / limit),
            is_on_frontier: false,
        }
    }

    fn line(&self) -> String {
        let lags = [self.lag_mean, self.lag_p50, self.lag_p95];
        let lags = lags.map(|lag| lag.map_or("-".into(), |lag| format!("{lag:.1} s")));
        let lags = lags.map(|lag| format!("{lag:>10}")).concat();
        let of_limit = self.of_limit.map_or("-".into(), |it| format!("{it:.2}"));
        let given_up = self.given_up * 100.0;
        let mark = if self.is_on_frontier { " *" } else { "" };
        format!(
            "{:60}{:10.2}{lags}{given_up:8.1} %{of_limit:>10}{mark}",
            self.name, self.requests
        )
    }

    /// `None` if the schedule gave up on tasks: the cost of seeing all of them is not known.
    fn cost(&self) -> Option<Cost> {
        let lag = self.lag_mean.filter(|_| self.given_up == 0.0)?;
        Some(Cost {
            requests: self.requests,
            lag,
        })
    }
}
