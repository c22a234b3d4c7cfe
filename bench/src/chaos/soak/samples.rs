//! The samples of a run, and the phases that they belong to.

use std::{collections::BTreeMap, fmt::Write, ops::Range, time::Duration};

use super::series::Series;

/// What a worker held at a time. A value that could not be read is missing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    /// Since the first sample.
    pub(super) at: Duration,
    pub(super) worker: usize,
    pub(super) pid: u32,
    pub(super) values: BTreeMap<Series, f64>,
}

/// When a run changed, since the first sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phases {
    pub(super) load_start: Duration,
    pub(super) load_end: Duration,
    /// When all lifecycles had closed.
    pub(super) settled: Duration,
}

impl Phases {
    /// Returns a third of the load: 0, 1 or 2.
    pub(super) fn third(&self, number: u32) -> Range<Duration> {
        let third = (self.load_end - self.load_start) / 3;
        let start = self.load_start + third * number;
        start..start + third
    }
}

pub(super) struct Samples {
    /// In the order of time. Those of all workers at a time have the same `at`.
    pub(super) all: Vec<Sample>,
    pub(super) phases: Phases,
}

impl Samples {
    /// Returns the numbers of the workers.
    pub(super) fn workers(&self) -> Vec<usize> {
        let mut workers: Vec<_> = self.all.iter().map(|sample| sample.worker).collect();
        workers.sort_unstable();
        workers.dedup();
        workers
    }

    /// Returns the samples with the phase in which each was taken, as CSV.
    pub(super) fn csv(&self) -> String {
        let columns = Series::ALL.map(Series::column).join(",");
        let mut csv = format!("seconds,phase,worker,pid,{columns}\n");
        for sample in &self.all {
            let Sample {
                at,
                worker,
                pid,
                values,
            } = sample;
            let phase = self.phase(*at);
            let values = Series::ALL.map(|series| match values.get(&series) {
                Some(value) => format!("{value:.1}").trim_end_matches(".0").to_owned(),
                None => String::new(),
            });
            let values = values.join(",");
            let seconds = at.as_secs_f64();
            // Writing to a string does not fail.
            let _ = writeln!(csv, "{seconds:.1},{phase},{worker},{pid},{values}");
        }
        csv
    }

    fn phase(&self, at: Duration) -> &'static str {
        let Phases {
            load_start,
            load_end,
            settled,
        } = self.phases;
        match at {
            at if at < load_start => "before",
            at if at < load_end => "load",
            at if at < settled => "settling",
            _ => "after",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sample_is_a_line_with_its_phase() {
        let sample = |at, values: &[(Series, f64)]| Sample {
            at: Duration::from_secs(at),
            worker: 1,
            pid: 7,
            values: values.iter().copied().collect(),
        };
        let phases = Phases {
            load_start: Duration::from_secs(10),
            load_end: Duration::from_secs(40),
            settled: Duration::from_secs(50),
        };
        let memory = (Series::ResidentMemory, 61.25);
        let all = vec![
            sample(0, &[memory, (Series::Threads, 4.0)]),
            sample(45, &[]),
            sample(50, &[]),
        ];
        let csv = Samples { all, phases }.csv();
        let lines: Vec<_> = csv.lines().collect();
        assert!(lines[0].starts_with("seconds,phase,worker,pid,resident_mebibytes,descriptors"));
        assert_eq!(lines[1], "0.0,before,1,7,61.2,,,4,,,,,");
        assert_eq!(lines[2], "45.0,settling,1,7,,,,,,,,,");
        assert_eq!(lines[3], "50.0,after,1,7,,,,,,,,,");
    }
}
