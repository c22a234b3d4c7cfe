//! Samples all workers at intervals.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use seedance_archiver_clock::Clock;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::{samples::Sample, series::Series};
use crate::{
    chaos::{
        parts::{Shared, Worker},
        scrapes::Pages,
    },
    descriptors::Held,
    usage,
};

const INTERVAL: Duration = Duration::from_secs(2);
/// Metrics that are older, because the worker is stopped, are not a sample.
const MAX_AGE: Duration = Duration::from_secs(5);

/// Samples until it is dropped.
pub(super) struct Sampler {
    start: Instant,
    samples: Arc<Mutex<Vec<Sample>>>,
    task: JoinHandle<()>,
}

impl Sampler {
    pub(super) fn start(workers: &[Shared<Worker>], pages: Pages) -> Self {
        let start = Instant::now();
        let samples = Arc::<Mutex<Vec<Sample>>>::default();
        let (workers, all) = (workers.to_vec(), samples.clone());
        let task = tokio::spawn(async move {
            loop {
                let at = start.elapsed();
                for worker in &workers {
                    let sample = sample(at, worker, &pages).await;
                    all.lock().extend(sample);
                }
                sleep(INTERVAL).await;
            }
        });
        Self {
            start,
            samples,
            task,
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(super) fn samples(&self) -> Vec<Sample> {
        self.samples.lock().clone()
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Returns a sample of a worker, or `None` if it has no process.
async fn sample(at: Duration, worker: &Shared<Worker>, pages: &Pages) -> Option<Sample> {
    let (number, pid, read_at) = {
        let worker = worker.lock().await;
        let incarnation = worker.incarnations.last()?;
        let read_at = incarnation.counted.as_ref().map(|(at, _)| *at);
        (incarnation.worker, incarnation.pid, read_at)
    };
    let mut values = from_proc(pid);
    if read_at.is_some_and(is_recent)
        && let Some(page) = pages.lock().get(&pid)
    {
        values.extend(from_metrics(page));
    }
    Some(Sample {
        at,
        worker: number,
        pid,
        values,
    })
}

fn is_recent(read_at: SystemTime) -> bool {
    let age = Clock::default().now().duration_since(read_at);
    age.is_ok_and(|age| age < MAX_AGE)
}

fn from_proc(pid: u32) -> BTreeMap<Series, f64> {
    let mut values = BTreeMap::new();
    if let Some(bytes) = usage::resident_bytes(pid) {
        values.insert(Series::ResidentMemory, bytes as f64 / f64::from(1 << 20));
    }
    if let Some(held) = Held::by(pid) {
        values.insert(Series::Descriptors, held.descriptors as f64);
        values.insert(Series::Connections, held.connections as f64);
        values.insert(Series::Threads, held.threads as f64);
    }
    values
}

fn from_metrics(page: &str) -> Vec<(Series, f64)> {
    let value = |series: Series| {
        let (name, label) = series.metric()?;
        Some((series, sum(page, name, label)?))
    };
    Series::ALL.into_iter().filter_map(value).collect()
}

/// Returns the sum of a metric over all labels that include this one, or `None` if the page does not have it.
fn sum(page: &str, name: &str, label: &str) -> Option<f64> {
    let value = |line: &str| {
        let (labels, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
        let is_metric = labels.is_empty() || labels.starts_with('{');
        (is_metric && labels.contains(label)).then(|| value.parse::<f64>().ok())?
    };
    let values: Vec<_> = page.lines().filter_map(value).collect();
    (!values.is_empty()).then(|| values.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_the_sum_of_its_series() {
        let page = "# TYPE seedance_archiver_watched_tasks gauge\n\
            seedance_archiver_watched_tasks{account=\"a\"} 4\n\
            seedance_archiver_watched_tasks{account=\"b\"} 3\n\
            seedance_archiver_watcher_requests_total{account=\"a\",request=\"list\",result=\"failed\"} 5\n\
            seedance_archiver_watcher_requests_total{account=\"a\",request=\"query\",result=\"failed\"} 9\n\
            seedance_archiver_runtime_tasks 31\n";
        let expected = [
            (Series::RuntimeTasks, 31.0),
            (Series::WatchedTasks, 7.0),
            (Series::ListRequests, 5.0),
        ];
        assert_eq!(from_metrics(page), expected);
        assert_eq!(sum("tasks_total 1\ntasks 2\n", "tasks", ""), Some(2.0));
    }
}
