//! Follows more lifecycles than a terminal has lines: they are started at a bounded pace, looked at in
//! turns, and summed up in one bar.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use seedance_archiver_proto::v1::VideoTaskLifecycleRequest;
use temporalio_client::Client;

use super::follow::{Ended, Followed};
use crate::temporal::lifecycles::{self, Lifecycle, LifecycleError};

/// Calls to Temporal at once.
const AT_ONCE: usize = 16;
/// Lifecycles that are started before some that run are looked at, and how many those are: the rest must not
/// wait to be started.
const CHUNK: usize = 500;
/// Shortest time between two looks at all that run. A round of looks takes as long again.
const PAUSE: Duration = Duration::from_secs(1);
/// Time between two lines where nobody looks.
const LINE: Duration = Duration::from_secs(10);

/// Starts a lifecycle for each request, or joins the one that is running.
pub(super) async fn start(
    client: &Client,
    task_queue: &str,
    requests: Vec<VideoTaskLifecycleRequest>,
    mut begun: impl FnMut(&str, &Result<Lifecycle, LifecycleError>),
) -> Vec<(String, Result<Lifecycle, LifecycleError>)> {
    let starts = requests.into_iter().map(|request| async {
        let task_id = request.task_id.clone();
        let started = lifecycles::start(client, task_queue, request).await;
        (task_id, started)
    });
    let mut started = stream::iter(starts).buffered(AT_ONCE);
    let mut all = Vec::new();
    while let Some((task_id, lifecycle)) = started.next().await {
        begun(&task_id, &lifecycle);
        all.push((task_id, lifecycle));
    }
    all
}

/// Starts a lifecycle for each request and waits until all have ended.
pub(super) async fn to_the_end(
    client: &Client,
    task_queue: &str,
    requests: Vec<VideoTaskLifecycleRequest>,
) -> Vec<Followed> {
    let mut batch = Batch::new(requests.len());
    let mut requests = requests.into_iter();
    loop {
        let chunk: Vec<_> = requests.by_ref().take(CHUNK).collect();
        let is_last = chunk.is_empty();
        let started = start(client, task_queue, chunk, |_, _| batch.summary.begun()).await;
        batch.take_in(started);
        let round = Instant::now();
        batch.look(if is_last { usize::MAX } else { CHUNK }).await;
        if is_last && batch.running.is_empty() {
            return batch.end();
        }
        if is_last {
            tokio::time::sleep(round.elapsed().max(PAUSE)).await;
        }
    }
}

/// A batch under way.
struct Batch {
    running: Vec<(usize, String, Lifecycle)>,
    ended: BTreeMap<usize, Followed>,
    summary: Summary,
}

impl Batch {
    fn new(total: usize) -> Self {
        Self {
            running: Vec::new(),
            ended: BTreeMap::new(),
            summary: Summary::new(total),
        }
    }

    fn take_in(&mut self, started: Vec<(String, Result<Lifecycle, LifecycleError>)>) {
        for (task_id, lifecycle) in started {
            let index = self.running.len() + self.ended.len();
            match lifecycle {
                Ok(lifecycle) => self.running.push((index, task_id, lifecycle)),
                Err(error) => self.has_ended(index, task_id, Err(error)),
            }
        }
    }

    /// Looks at so many of those that were not looked at for longest, and takes the results of those that have
    /// ended. A look that fails is told and made again.
    async fn look(&mut self, most: usize) {
        let looks = self.running.drain(..most.min(self.running.len())).map(
            |(index, task_id, lifecycle)| async move {
                let seen = look_at(&lifecycle).await;
                (index, task_id, lifecycle, seen)
            },
        );
        let looks: Vec<_> = stream::iter(looks)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        self.summary.fault = None;
        for (index, task_id, lifecycle, seen) in looks {
            let ended = seen.unwrap_or_else(|fault| {
                self.summary.fault = Some(fault.to_string());
                None
            });
            match ended {
                Some(ended) => self.has_ended(index, task_id, ended),
                None => self.running.push((index, task_id, lifecycle)),
            }
        }
        self.summary.tick();
    }

    fn has_ended(&mut self, index: usize, task_id: String, ended: Ended) {
        self.summary.has_ended(&ended);
        self.ended.insert(index, Followed { task_id, ended });
    }

    fn end(self) -> Vec<Followed> {
        self.summary.bar.finish_and_clear();
        self.ended.into_values().collect()
    }
}

/// How it ended, if it has. An error says that Temporal could not be asked.
async fn look_at(lifecycle: &Lifecycle) -> Result<Option<Ended>, LifecycleError> {
    match lifecycle.describe_latest().await? {
        Some(snapshot) if snapshot.execution.is_open() => Ok(None),
        None => {
            let fault = "Temporal does not know it any more. Was its history deleted?";
            Ok(Some(Err(lifecycle.error(fault.into()))))
        }
        Some(_) => match lifecycle.result().await {
            Ok(result) => Ok(Some(Ok((result, None)))),
            Err(error) if error.failure_type().is_some() => Ok(Some(Err(error))),
            Err(error) => Err(error),
        },
    }
}

/// One bar for all.
struct Summary {
    bar: ProgressBar,
    /// Why the last round of looks does not tell of all.
    fault: Option<String>,
    begun: usize,
    outcomes: BTreeMap<String, usize>,
    last_line: Instant,
}

impl Summary {
    fn new(total: usize) -> Self {
        let bar = ProgressBar::new(total as u64).with_style(
            ProgressStyle::with_template("{spinner} {bar:24} {human_pos}/{human_len}  {wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.enable_steady_tick(Duration::from_millis(120));
        Self {
            bar,
            fault: None,
            begun: 0,
            outcomes: BTreeMap::new(),
            last_line: Instant::now(),
        }
    }

    fn begun(&mut self) {
        self.begun += 1;
        self.tick();
    }

    fn has_ended(&mut self, ended: &Ended) {
        let outcome = match ended {
            Ok((result, _)) => result.outcome.clone(),
            Err(_) => "failed".to_owned(),
        };
        *self.outcomes.entry(outcome).or_default() += 1;
        self.bar.inc(1);
    }

    fn tick(&mut self) {
        let words = self.words();
        self.bar.set_message(words.clone());
        if self.bar.is_hidden() && self.last_line.elapsed() > LINE {
            self.last_line = Instant::now();
            eprintln!("{words}");
        }
    }

    fn words(&self) -> String {
        let ended: usize = self.outcomes.values().sum();
        let count = |count: usize| HumanCount(count as u64);
        let mut words = vec![
            format!("{} started", count(self.begun)),
            format!("{} open", count(self.begun.saturating_sub(ended))),
        ];
        let outcomes = self.outcomes.iter();
        words.extend(outcomes.map(|(outcome, many)| format!("{} {outcome}", count(*many))));
        let words = words.join(", ");
        match &self.fault {
            Some(fault) => format!("{words}; cannot look, tried again: {fault}"),
            None => words,
        }
    }
}
