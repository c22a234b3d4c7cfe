//! The loop of a watcher: keeps the requests running that are worth sending, and handles their answers.

use std::time::{Duration, Instant, SystemTime};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use seedance_archiver_policy::{
    completions::CompletionTimes,
    watch::{self, Candidate, Lists, Request, Waiting, Watch, WatchedTasks},
};
use seedance_archiver_proto::v1::{self, SweepPage, WatchAccountResult};

use super::{
    api_health::ApiHealth,
    deliveries::{Deliveries, PendingDelivery},
    discovery::Discovery,
    end::{End, Next},
    lifecycle_sync::LifecycleSync,
    list_items::ListItems,
    nudges::Nudges,
    progress::Progress,
    requests::{Delivery, Requests},
};
use crate::{
    seedance::{self, ListedTasks, MAX_IDS, Page, Record},
    temporal::lifecycles::LifecycleError,
};

/// Interval between two looks at what is due.
const TICK: Duration = Duration::from_millis(250);
/// Minimum time between two choices of a request: each compares all tasks.
const CHOICE_INTERVAL: Duration = Duration::from_millis(100);
/// Maximum number of queries of single tasks that run concurrently.
const MAX_QUERIES: usize = 8;
/// Maximum number of tasks that are looked at concurrently to start their lifecycles.
const MAX_SWEEPS: usize = 8;

/// The state of a watcher.
pub(super) struct Watcher<'a> {
    pub(super) requests: &'a Requests<'a>,
    pub(super) progress: &'a Progress,
    pub(super) lists: Vec<SweepPage>,
    pub(super) tasks: WatchedTasks,
    pub(super) list_health: ApiHealth,
    pub(super) query_health: ApiHealth,
    /// Maximum number of ids in a list request. 0: the service does not filter by id.
    pub(super) max_ids: usize,
    pub(super) is_listing: bool,
    pub(super) queries: usize,
    pub(super) items: ListItems,
    pub(super) deliveries: Deliveries,
    pub(super) lifecycles: LifecycleSync,
    pub(super) discovery: Option<Discovery>,
    /// Listed tasks that may need a lifecycle.
    pub(super) undiscovered: Vec<Record>,
    pub(super) sweeps: usize,
    pub(super) nudges: Nudges,
    end: End,
    /// The lists to learn completion times from, the next one last.
    pub(super) unlearned: Vec<SweepPage>,
    last_choice: Option<Instant>,
}

/// Why a page is listed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Purpose {
    /// To find the status of watched tasks.
    Watching,
    /// To find tasks without a lifecycle.
    Discovery,
    /// To learn how long tasks take.
    Learning,
}

type Work<'a> = FuturesUnordered<BoxFuture<'a, Event>>;

/// Something that the watcher waited for.
///
/// `requested_at`: the worker's time before the request was sent. The response says what was true then or later.
pub(super) enum Event {
    Found {
        waiting: Result<(Vec<Waiting>, Option<SystemTime>), String>,
        is_complete: bool,
    },
    ListedPage {
        page: SweepPage,
        /// Ids of the tasks that should be on the page.
        expected: Vec<String>,
        purpose: Purpose,
        requested_at: SystemTime,
        result: Result<Page, seedance::Error>,
    },
    ListedTasks {
        list: usize,
        ids: Vec<String>,
        requested_at: SystemTime,
        result: Result<ListedTasks, seedance::Error>,
    },
    Queried {
        id: String,
        requested_at: SystemTime,
        /// `None`: the query window is closed.
        result: Option<Result<Record, seedance::Error>>,
    },
    Delivered {
        delivery: PendingDelivery,
        result: Result<Delivery, LifecycleError>,
    },
    Swept {
        id: String,
        result: Result<bool, String>,
    },
    Nudged,
}

impl<'a> Watcher<'a> {
    pub(super) fn new(
        requests: &'a Requests<'a>,
        progress: &'a Progress,
        completion_times: Option<v1::CompletionTimes>,
        is_busy: bool,
        takes_over: bool,
    ) -> Self {
        let account = requests.account();
        let completion_times = CompletionTimes::from_state(completion_times.unwrap_or_default());
        let watch = Watch {
            lists: account.lists.clone(),
            schedule: account.schedule.clone(),
            windows: account.windows.clone(),
            shows_statuses: requests.queries.has_search_attributes(),
            took_over_at: takes_over.then(|| requests.now()),
        };
        Self {
            requests,
            progress,
            lists: account.lists.all(),
            tasks: WatchedTasks::new(watch, completion_times),
            list_health: ApiHealth::default(),
            query_health: ApiHealth::default(),
            max_ids: MAX_IDS,
            is_listing: false,
            queries: 0,
            items: ListItems::default(),
            deliveries: Deliveries::default(),
            lifecycles: LifecycleSync::default(),
            discovery: account.auto_archive.then(|| Discovery::new(&account.lists)),
            undiscovered: Vec::new(),
            sweeps: 0,
            nudges: Nudges::default(),
            end: End::new(account.auto_archive, is_busy),
            unlearned: account.lists.all().into_iter().rev().collect(),
            last_choice: None,
        }
    }

    /// Watches until nothing is left to watch, or for an hour.
    pub(super) async fn run(mut self) -> WatchAccountResult {
        let mut work = Work::new();
        loop {
            let next = self.end.next(self.tasks.len());
            self.progress
                .set_ending(next != Next::Continue || !self.lifecycles.is_current());
            match next {
                Next::Continue | Next::GiveNotice => {}
                Next::Restart => return self.result(false),
                Next::End => {
                    self.hand_back_all().await;
                    return self.result(true);
                }
            }
            self.start(&mut work);
            tokio::select! {
                Some(event) = work.next() => self.handle(event),
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    fn result(&self, is_idle: bool) -> WatchAccountResult {
        WatchAccountResult {
            is_idle,
            completion_times: Some(self.tasks.completion_times().state()),
            is_busy: !self.tasks.is_empty(),
        }
    }

    /// Makes the lifecycles that are left poll their tasks themselves. Those of other tasks soon do.
    async fn hand_back_all(&self) {
        for id in self.tasks.seen() {
            if let Err(error) = self.requests.nudge(id).await {
                tracing::warn!(task_id = id, %error, "cannot nudge the lifecycle");
            }
        }
    }

    /// Starts what is due.
    fn start(&mut self, work: &mut Work<'a>) {
        let requests = self.requests;
        if let Some(look) = self.lifecycles.next(self.tasks.is_empty()) {
            let started_after = look.started_after;
            work.push(find(requests, started_after).boxed());
        }
        while let Some(delivery) = self.deliveries.next() {
            work.push(deliver(requests, delivery).boxed());
        }
        while let Some(id) = self.nudges.next() {
            work.push(nudge(requests, id).boxed());
        }
        while self.sweeps < MAX_SWEEPS {
            let Some(record) = self.undiscovered.pop() else {
                break;
            };
            self.sweeps += 1;
            work.push(sweep(requests, record).boxed());
        }
        while self.queries < MAX_QUERIES && self.query_health.is_available() {
            let Some(id) = self.items.next() else { break };
            match self.tasks.can_be_queried(&id, requests.now()) {
                true => self.start_query(work, id),
                false => self.deliver_item(&id),
            }
        }
        if !self.query_health.is_available() {
            while let Some(id) = self.items.next() {
                self.deliver_item(&id);
            }
        }
        self.start_learning(work);
        self.start_discovery(work);
        self.start_chosen(work);
    }

    /// Lists the newest tasks of each list once, until enough is known of how long tasks take: those that have ended show
    /// it.
    fn start_learning(&mut self, work: &mut Work<'a>) {
        if self.tasks.completion_times().is_informed() {
            self.unlearned.clear();
        }
        let is_possible = !self.is_listing && self.list_health.is_available();
        if let Some(page) = self.unlearned.last().filter(|_| is_possible) {
            self.is_listing = true;
            let page = list_page(self.requests, page.clone(), Vec::new(), Purpose::Learning);
            work.push(page.boxed());
        }
    }

    fn start_query(&mut self, work: &mut Work<'a>, id: String) {
        self.queries += 1;
        let created_at = self.tasks.created_at(&id);
        let created_at = created_at.unwrap_or_else(|| self.requests.now());
        work.push(query(self.requests, id, created_at).boxed());
    }

    fn start_discovery(&mut self, work: &mut Work<'a>) {
        let is_possible = !self.is_listing && self.list_health.is_available();
        let discovery = self.discovery.as_mut().filter(|_| is_possible);
        if let Some(page) = discovery.and_then(Discovery::next) {
            self.is_listing = true;
            work.push(list_page(self.requests, page, Vec::new(), Purpose::Discovery).boxed());
        }
    }

    /// Starts the request that is worth most, if it is worth sending.
    fn start_chosen(&mut self, work: &mut Work<'a>) {
        let is_too_early = self
            .last_choice
            .is_some_and(|at| at.elapsed() < CHOICE_INTERVAL);
        let can_query = self.queries < MAX_QUERIES && self.query_health.is_available();
        let can_list = !self.is_listing && self.list_health.is_available();
        if is_too_early || !can_query && !can_list {
            return;
        }
        self.last_choice = Some(Instant::now());
        let now = self.requests.now();
        let (ids, candidates) = self
            .tasks
            .candidates(now, self.max_ids > 0, self.is_listing);
        let lists = Lists {
            are_available: self.list_health.is_available(),
            page_size: self.requests.account().endpoint.list_page_size,
            max_ids: self.max_ids,
        };
        match watch::choose(&candidates, lists, can_query) {
            Some(Request::Query(index)) => {
                let id = ids[index].clone();
                self.tasks.set_requested(std::slice::from_ref(&id), true);
                self.start_query(work, id);
            }
            Some(Request::Tasks { list, candidates }) if can_list => {
                self.is_listing = true;
                let ids: Vec<_> = candidates.into_iter().map(|it| ids[it].clone()).collect();
                self.tasks.set_requested(&ids, true);
                work.push(list_tasks(self.requests, self.lists[list].clone(), list, ids).boxed());
            }
            Some(Request::Page { list, page_num }) if can_list => {
                self.is_listing = true;
                let is_expected = |(_, candidate): &(&String, &Candidate)| {
                    let position = candidate.position.filter(|_| candidate.list == Some(list));
                    position.is_some_and(|it| it / lists.page_size.max(1) + 1 == page_num)
                };
                let expected = ids.iter().zip(&candidates).filter(is_expected);
                let expected = expected.map(|(id, _)| id.clone()).collect();
                let page = SweepPage {
                    page_num: i64::try_from(page_num).unwrap_or(i64::MAX),
                    ..self.lists[list].clone()
                };
                work.push(list_page(self.requests, page, expected, Purpose::Watching).boxed());
            }
            _ => {}
        }
    }
}

async fn find(requests: &Requests<'_>, started_after: Option<SystemTime>) -> Event {
    Event::Found {
        waiting: requests.waiting(started_after).await,
        is_complete: started_after.is_none(),
    }
}

async fn deliver(requests: &Requests<'_>, delivery: PendingDelivery) -> Event {
    let result = requests.deliver(delivery.result.clone()).await;
    Event::Delivered { delivery, result }
}

async fn nudge(requests: &Requests<'_>, id: String) -> Event {
    if let Err(error) = requests.nudge(&id).await {
        tracing::warn!(task_id = id, %error, "cannot nudge the lifecycle");
    }
    Event::Nudged
}

async fn sweep(requests: &Requests<'_>, record: Record) -> Event {
    Event::Swept {
        id: record.id().to_owned(),
        result: requests.sweep(record).await,
    }
}

async fn query(requests: &Requests<'_>, id: String, created_at: SystemTime) -> Event {
    let requested_at = requests.now();
    let result = requests.query(&id, created_at).await;
    Event::Queried {
        id,
        requested_at,
        result,
    }
}

async fn list_page(
    requests: &Requests<'_>,
    page: SweepPage,
    expected: Vec<String>,
    purpose: Purpose,
) -> Event {
    let requested_at = requests.now();
    let result = requests.list(&page).await;
    Event::ListedPage {
        page,
        expected,
        purpose,
        requested_at,
        result,
    }
}

async fn list_tasks(
    requests: &Requests<'_>,
    page: SweepPage,
    list: usize,
    ids: Vec<String>,
) -> Event {
    let requested_at = requests.now();
    let result = requests.list_tasks(&page, &ids).await;
    Event::ListedTasks {
        list,
        ids,
        requested_at,
        result,
    }
}
