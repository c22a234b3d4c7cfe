//! Whether what workers hold stayed level while the load lasted, and went back once it had ended.

use std::{collections::BTreeSet, fmt::Write, time::Duration};

use super::{
    points::{self, Line},
    rule::{level, limit, low},
    samples::Samples,
    series::{Afterwards, Series},
};
use crate::chaos::checker::Row;

/// Time at the end of a phase of which the level is taken.
const END_OF_PHASE: Duration = Duration::from_secs(20);

/// The levels of a line.
struct Judged {
    series: Series,
    whose: String,
    before: Option<f64>,
    middle: Option<f64>,
    last: Option<f64>,
    /// At the end, or that of the lowest values after the load if they are compared.
    after: Option<f64>,
}

pub(super) struct Verdict {
    judged: Vec<Judged>,
    /// Workers that are not one process.
    replaced: Vec<String>,
}

pub(super) fn of(samples: &Samples) -> Verdict {
    let of_series = |series| {
        let lines = points::compared(samples, series).into_iter();
        lines.map(move |line| judge(samples, series, line))
    };
    Verdict {
        judged: Series::ALL.into_iter().flat_map(of_series).collect(),
        replaced: replaced(samples),
    }
}

fn judge(samples: &Samples, series: Series, line: Line) -> Judged {
    let phases = &samples.phases;
    let points = &line.points;
    let before = phases.load_start.saturating_sub(END_OF_PHASE)..phases.load_start;
    let end = samples
        .all
        .last()
        .map(|sample| sample.at)
        .unwrap_or_default();
    let after = phases.settled..end + Duration::from_secs(1);
    let end_of_after = after.start.max(end.saturating_sub(END_OF_PHASE))..after.end;
    Judged {
        series,
        before: level(points, &before),
        middle: level(points, &phases.third(1)),
        last: level(points, &phases.third(2)),
        after: match series.afterwards() {
            Afterwards::TwiceAtMost => low(points, &after),
            _ => level(points, &end_of_after),
        },
        whose: line.whose,
    }
}

impl Judged {
    /// Returns how the level rose while the load lasted, if it did or is not known.
    fn rise(&self) -> Option<String> {
        let Self { series, whose, .. } = self;
        let (title, slack) = (series.title(), series.slack());
        let (Some(middle), Some(last)) = (self.middle, self.last) else {
            return Some(format!("{title}, {whose}: too few samples"));
        };
        let limit = limit(middle, slack);
        (last > limit).then(|| {
            format!("{title}, {whose}: {middle:.1} in the middle third, {last:.1} in the last one, above {limit:.1}")
        })
    }

    /// Returns what is left after the load, if it is too much or not known.
    fn rest(&self) -> Option<String> {
        let Self { series, whose, .. } = self;
        let (title, slack) = (series.title(), series.slack());
        let limit = match series.afterwards() {
            Afterwards::Anything => return None,
            Afterwards::Zero => Some(0.0),
            Afterwards::AsBefore => self.before.map(|before| limit(before, slack)),
            Afterwards::TwiceAtMost => self.before.map(|before| 2.0 * before + slack),
        };
        let (Some(limit), Some(after)) = (limit, self.after) else {
            return Some(format!("{title}, {whose}: too few samples"));
        };
        (after > limit)
            .then(|| format!("{title}, {whose}: {after:.1} after the load, above {limit:.1}"))
    }
}

impl Verdict {
    /// Returns what a run reports.
    pub(super) fn rows(&self) -> [Row; 3] {
        let rises = self.judged.iter().filter_map(Judged::rise).collect();
        let rests = self.judged.iter().filter_map(Judged::rest).collect();
        [
            Row::none_of("levels that rose under the load", rises),
            Row::none_of("levels that did not return after the load", rests),
            Row::none_of("workers that were replaced", self.replaced.clone()),
        ]
    }

    /// Returns the table of levels.
    pub(super) fn text(&self) -> String {
        let mut text = String::from(
            "| level | of | before | middle third | last third | after |\n|---|---|---:|---:|---:|---:|\n",
        );
        for judged in &self.judged {
            let Judged {
                series,
                whose,
                before,
                middle,
                last,
                after,
            } = judged;
            let levels = [before, middle, last, after];
            let levels = levels.map(|it| it.map_or("-".into(), |level| format!("{level:.1}")));
            let title = series.title();
            // Writing to a string does not fail.
            let _ = writeln!(text, "| {title} | {whose} | {} |", levels.join(" | "));
        }
        text
    }
}

/// Returns the workers that had more than one process: a leak can only be seen in one that lives for the whole run.
fn replaced(samples: &Samples) -> Vec<String> {
    let processes = |worker: &usize| {
        let of_worker = samples.all.iter().filter(|it| it.worker == *worker);
        let pids: BTreeSet<_> = of_worker.map(|sample| sample.pid).collect();
        (pids.len() > 1).then(|| format!("worker {worker}: {} processes", pids.len()))
    };
    samples.workers().iter().filter_map(processes).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::samples::{Phases, Sample},
        *,
    };

    const BEFORE: u64 = 60;
    const LOAD: u64 = 30 * 60;
    const SETTLED: u64 = BEFORE + LOAD + 60;
    const END: u64 = SETTLED + 120;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Returns samples of one worker, whose value of a series is changed.
    fn samples(changed: Series, change: impl Fn(u64) -> f64) -> Samples {
        let is_loaded = |at| (BEFORE..BEFORE + LOAD).contains(&at);
        let value = |series, at| match series {
            Series::ListRequests => at as f64 / 2.0,
            Series::OpenLifecycles | Series::WatchedTasks if !is_loaded(at) => 0.0,
            _ if is_loaded(at) => 60.0,
            _ => 40.0,
        };
        let sample = |at| Sample {
            at: seconds(at),
            worker: 0,
            pid: 7,
            values: Series::ALL
                .map(|series| {
                    let value = value(series, at);
                    (
                        series,
                        if series == changed {
                            value + change(at)
                        } else {
                            value
                        },
                    )
                })
                .into(),
        };
        Samples {
            all: (0..END).step_by(2).map(sample).collect(),
            phases: Phases {
                load_start: seconds(BEFORE),
                load_end: seconds(BEFORE + LOAD),
                settled: seconds(SETTLED),
            },
        }
    }

    fn counts(samples: &Samples) -> [u64; 3] {
        of(samples).rows().map(|row| row.count)
    }

    #[test]
    fn a_level_that_rises_or_does_not_return_is_found() {
        for series in Series::ALL {
            assert_eq!(counts(&samples(series, |_| 0.0)), [0, 0, 0], "{series:?}");
            // 60 more in each ten minutes; for totals, a rate of 30 that becomes one of 90.
            let leak = |at: u64| match series.is_total() {
                true => at.saturating_sub(BEFORE + LOAD * 2 / 3) as f64,
                false => at as f64 / 10.0,
            };
            let leaking = samples(series, leak);
            let stays = series.afterwards() != Afterwards::Anything;
            let expected = [1, u64::from(stays), 0];
            assert_eq!(counts(&leaking), expected, "{series:?}");
        }
    }

    /// Returns 1 after the load, and 0 before.
    fn after_load(at: u64) -> f64 {
        f64::from(u8::from(at > SETTLED))
    }

    #[test]
    fn memory_that_stays_after_the_load_is_found_but_not_that_of_a_list() {
        // 40 before the load: up to 104 may stay.
        let memory = |change: fn(u64) -> f64| counts(&samples(Series::ResidentMemory, change));
        assert_eq!(memory(|at| after_load(at) * 64.0), [0; 3]);
        assert_eq!(memory(|at| after_load(at) * 65.0), [0, 1, 0]);
        // A page is held for 34 s of 40.
        let has_page = |at: u64| f64::from(u8::from(at % 40 > 4));
        let memory = |at| after_load(at) * has_page(at) * 300.0;
        let samples = samples(Series::ResidentMemory, memory);
        assert_eq!(counts(&samples), [0; 3]);
    }

    #[test]
    fn one_open_lifecycle_after_the_load_is_found() {
        for series in [Series::OpenLifecycles, Series::WatchedTasks] {
            assert_eq!(counts(&samples(series, after_load)), [0, 1, 0]);
        }
        let connections = samples(Series::Connections, after_load);
        assert_eq!(counts(&connections), [0, 0, 0]);
    }

    #[test]
    fn a_series_without_values_and_a_replaced_worker_are_found() {
        let mut samples = samples(Series::Threads, |_| 0.0);
        for sample in &mut samples.all {
            sample.values.remove(&Series::WatchedTasks);
            sample.pid = if sample.at > seconds(600) { 8 } else { 7 };
        }
        assert_eq!(counts(&samples), [1, 1, 1]);
    }
}
