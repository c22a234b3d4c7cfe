//! Follows lifecycles to their end: a bar for each video, or plain lines where nobody looks.

use std::time::Duration;

use futures::future::join_all;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use seedance_archiver_proto::{
    outcome,
    v1::{VideoTaskLifecycleRequest, VideoTaskLifecycleResult},
};
use temporalio_client::Client;

use crate::lifecycles::{self, Cost, Doing, LifecycleError};

/// How a lifecycle ended, and what it took.
pub(super) type Ended = Result<(VideoTaskLifecycleResult, Option<Cost>), LifecycleError>;

/// A lifecycle that has ended.
pub(super) struct Followed {
    pub(super) task_id: String,
    pub(super) ended: Ended,
}

/// Starts a lifecycle for each request and waits until all have ended.
pub(super) async fn to_the_end(
    client: &Client,
    task_queue: &str,
    requests: Vec<VideoTaskLifecycleRequest>,
) -> Vec<Followed> {
    let bars = MultiProgress::new();
    let all = requests.into_iter().map(|request| {
        let line = Line::new(&bars, &request.task_id);
        follow(client, task_queue, request, line)
    });
    join_all(all).await
}

async fn follow(
    client: &Client,
    task_queue: &str,
    request: VideoTaskLifecycleRequest,
    mut line: Line,
) -> Followed {
    let task_id = request.task_id.clone();
    let ended = async {
        let lifecycle = lifecycles::start(client, task_queue, request).await?;
        let result = lifecycle.follow(|doing| line.show(&doing)).await?;
        let cost = lifecycle.cost().await.ok();
        Ok((result, cost))
    }
    .await;
    line.end(&ended);
    Followed { task_id, ended }
}

/// What one video shows.
struct Line {
    task_id: String,
    bar: ProgressBar,
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
    fn new(bars: &MultiProgress, task_id: &str) -> Self {
        let bar = bars.add(ProgressBar::no_length());
        bar.set_prefix(task_id.to_owned());
        bar.set_style(style(WAITING));
        bar.enable_steady_tick(Duration::from_millis(120));
        let mut line = Self {
            task_id: task_id.to_owned(),
            bar,
            phase: Phase::Waiting,
            last: String::new(),
        };
        line.say("starting", "starting");
        line
    }

    fn show(&mut self, doing: &Doing) {
        match doing {
            Doing::Waiting(words) => {
                // Off a terminal one line a change is enough: leave out what counts up.
                let change = words.split("; ").next().unwrap_or_default();
                self.say(words, change);
            }
            // The transfer has not begun, or begins again.
            Doing::Archiving { total: 0, .. } => self.say("archiving", "archiving"),
            Doing::Archiving { done, total } => self.show_transfer(*done, *total),
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
