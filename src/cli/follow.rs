//! Follows lifecycles to their end: a bar for each video, or plain lines where nobody looks.

use std::{
    cell::Cell,
    time::{Duration, SystemTime},
};

use futures::{StreamExt, stream};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use seedance_archiver_proto::{
    outcome,
    v1::{VideoTaskLifecycleRequest, VideoTaskLifecycleResult},
};
use temporalio_client::Client;

use crate::temporal::lifecycles::{self, Cost, LifecycleError, Step};

/// How often a transfer that is under way late is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long after its URL has died a video is still waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a lifecycle ended, and what it took.
pub(super) type Ended = Result<(VideoTaskLifecycleResult, Option<Cost>), LifecycleError>;

/// A lifecycle that has ended.
pub(super) struct Followed {
    pub(super) task_id: String,
    pub(super) ended: Ended,
}

/// A lifecycle to follow.
pub(super) struct Job {
    pub(super) request: VideoTaskLifecycleRequest,
    /// When its URL dies. Soon after, waiting is given up, unless its bytes come in. `None`: never.
    pub(super) dies_at: Option<SystemTime>,
}

impl From<VideoTaskLifecycleRequest> for Job {
    fn from(request: VideoTaskLifecycleRequest) -> Self {
        Self {
            request,
            dies_at: None,
        }
    }
}

/// Starts a lifecycle for each request and waits until all have ended.
pub(super) async fn to_the_end(
    client: &Client,
    task_queue: &str,
    requests: Vec<VideoTaskLifecycleRequest>,
) -> Vec<Followed> {
    let jobs: Vec<_> = requests.into_iter().map(Job::from).collect();
    let at_once = jobs.len();
    in_turn(client, task_queue, jobs, at_once).await
}

/// The same with so many at once, started in their order.
pub(super) async fn in_turn(
    client: &Client,
    task_queue: &str,
    jobs: Vec<Job>,
    at_once: usize,
) -> Vec<Followed> {
    let bars = MultiProgress::new();
    // More bars than fit on a terminal: those that have ended scroll away.
    let scrolls = jobs.len() > at_once;
    let all = jobs.into_iter().enumerate().map(|(index, job)| {
        let bars = &bars;
        async move {
            let line = Line::new(bars, &job.request.task_id, scrolls);
            (index, follow(client, task_queue, job, line).await)
        }
    });
    let mut followed: Vec<_> = stream::iter(all)
        .buffer_unordered(at_once.max(1))
        .collect()
        .await;
    followed.sort_by_key(|(index, _)| *index);
    followed.into_iter().map(|(_, followed)| followed).collect()
}

async fn follow(client: &Client, task_queue: &str, job: Job, mut line: Line) -> Followed {
    let task_id = job.request.task_id.clone();
    let ended = async {
        let lifecycle = lifecycles::start(client, task_queue, job.request).await?;
        let is_transferring = Cell::new(false);
        let result = tokio::select! {
            result = lifecycle.follow(|doing| {
                is_transferring.set(matches!(doing, Step::Archiving { .. }));
                line.show(&doing);
            }) => result?,
            () = patience(job.dies_at, &is_transferring) => {
                return Err(lifecycle.error("its URL has died before it could be fetched".into()));
            }
        };
        let cost = lifecycle.cost().await.ok();
        Ok((result, cost))
    }
    .await;
    line.end(&ended);
    Followed { task_id, ended }
}

/// Ends when nothing is to be expected any more.
async fn patience(dies_at: Option<SystemTime>, is_transferring: &Cell<bool>) {
    let Some(dies_at) = dies_at else {
        return std::future::pending().await;
    };
    // None is left where its turn comes late: a fresh URL may be had.
    let left = dies_at
        .duration_since(SystemTime::now())
        .unwrap_or_default();
    tokio::time::sleep(left.saturating_add(PATIENCE)).await;
    while is_transferring.get() {
        tokio::time::sleep(LOOK).await;
    }
}

/// What one video shows.
struct Line {
    task_id: String,
    bar: ProgressBar,
    /// Where its end is shown for good. `None`: in its place.
    above: Option<MultiProgress>,
    phase: Phase,
    last: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Waiting,
    Transferring,
}

const WAITING: &str = "{spinner} {prefix}  {wide_msg}";
const TRANSFERRING: &str =
    "{spinner} {prefix}  archiving {bar:24} {bytes}/{total_bytes} {bytes_per_sec}";

impl Line {
    fn new(bars: &MultiProgress, task_id: &str, scrolls: bool) -> Self {
        let bar = bars.add(ProgressBar::no_length());
        bar.set_prefix(task_id.to_owned());
        bar.set_style(style(WAITING));
        bar.enable_steady_tick(Duration::from_millis(120));
        let mut line = Self {
            task_id: task_id.to_owned(),
            bar,
            above: scrolls.then(|| bars.clone()),
            phase: Phase::Waiting,
            last: String::new(),
        };
        line.say("starting", "starting");
        line
    }

    fn show(&mut self, doing: &Step) {
        match doing {
            Step::Waiting(words) => {
                // Off a terminal one line a change is enough: leave out what counts up.
                let change = words.split("; ").next().unwrap_or_default();
                self.say(words, change);
            }
            // The transfer has not begun, or begins again.
            Step::Archiving { total: 0, .. } => self.say("archiving", "archiving"),
            Step::Archiving { done, total } => self.show_transfer(*done, *total),
        }
    }

    fn show_transfer(&mut self, done: u64, total: u64) {
        if self.phase == Phase::Waiting {
            self.phase = Phase::Transferring;
            self.bar.set_style(style(TRANSFERRING));
            self.bar.set_length(total);
            self.bar.set_position(done);
            // The rate counts from here: not the wait, nor what came before the first look.
            self.bar.reset_eta();
        }
        self.bar.set_position(done);
        self.say_off_terminal("archiving");
    }

    fn end(&mut self, ended: &Ended) {
        let (mark, words) = match ended {
            Ok((result, _)) if result.outcome == outcome::ARCHIVED => ("✓", result.outcome.clone()),
            Ok((result, _)) => ("–", format!("{}: {}", result.outcome, result.message)),
            Err(error) => ("✗", error.to_string()),
        };
        self.say(&words, &words);
        if let Some(bars) = &self.above {
            self.bar.finish_and_clear();
            // A terminal that is gone shows nothing.
            let _ = bars.println(format!("{mark} {}  {words}", self.task_id));
            return;
        }
        self.bar
            .set_style(style(&WAITING.replace("{spinner}", mark)));
        self.bar.finish();
    }

    /// Shows `words` in the bar, or `change`, once, where there is none.
    fn say(&mut self, words: &str, change: &str) {
        if self.phase == Phase::Transferring {
            self.phase = Phase::Waiting;
            self.bar.set_style(style(WAITING));
        }
        self.bar.set_message(words.to_owned());
        self.say_off_terminal(change);
    }

    fn say_off_terminal(&mut self, words: &str) {
        if self.last != words {
            self.last = words.to_owned();
            if self.bar.is_hidden() {
                eprintln!("{}  {words}", self.task_id);
            }
        }
    }
}

/// A template of ours that does not parse shows as the default bar.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
