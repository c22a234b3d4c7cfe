//! The archiver: the decisions of `seedance-archiver-policy`, glued as activities and workflows glue them.
//!
//! Time is virtual. The next event is always the earliest one.

mod callback;
mod client;
mod lifecycle;
mod polling;
mod requests;
mod state;
mod transfer;
mod urls;
mod watching;

use std::{cmp::Reverse, collections::BinaryHeap, time::SystemTime};

use seedance_archiver_policy::{
    completions::Expectation, poll::PollSchedule, watch::MIN_WATCHED, windows::Windows,
};
use seedance_archiver_seedance::created_at_in_id;

use crate::{
    learned,
    log::{Entry, Life, What},
    mutation::Mutation,
    service::Service,
    world::World,
};
use client::Client;
use state::Lifecycle;
use watching::Watcher;

/// A life with more events does not end.
const MAX_EVENTS: usize = 400_000;

/// Something that is due. An attempt counts only if its lifecycle still waits for this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Start { task: usize },
    Poll { task: usize, epoch: u32 },
    Transfer { task: usize, epoch: u32 },
    Callback { task: usize },
    Nudge { task: usize },
    Watch,
}

/// The archiver in a world.
pub(crate) struct System<'w> {
    world: &'w World,
    mutation: Option<Mutation>,
    service: Service<'w>,
    client: Client,
    schedule: PollSchedule,
    windows: Windows,
    expectation: Expectation,
    lifecycles: Vec<Lifecycle>,
    /// The creation times in the ids of the tasks.
    id_created_at: Vec<Option<SystemTime>>,
    watcher: Option<Watcher>,
    now: u64,
    /// What is due, with a number that keeps the order.
    due: BinaryHeap<Reverse<(u64, usize, Event)>>,
    events: usize,
    log: Vec<Entry>,
}

impl<'w> System<'w> {
    pub(crate) fn new(world: &'w World, mutation: Option<Mutation>) -> Self {
        let (times, expectation) = learned::times(world.learned);
        let watcher = world.list.as_ref().map(|_| Watcher::new(world, times));
        let mut system = Self {
            service: Service::new(world),
            client: Client::new(world),
            schedule: world.schedule(),
            windows: world.windows(),
            expectation,
            lifecycles: world.tasks.iter().map(|_| Lifecycle::default()).collect(),
            id_created_at: world
                .tasks
                .iter()
                .map(|it| created_at_in_id(&it.id))
                .collect(),
            watcher,
            now: 0,
            due: BinaryHeap::new(),
            events: 0,
            log: Vec::new(),
            world,
            mutation,
        };
        for (task, planned) in world.tasks.iter().enumerate() {
            system.at(planned.started, Event::Start { task });
            for callback in &planned.callbacks {
                system.at(*callback, Event::Callback { task });
            }
        }
        if system.watcher.is_some() {
            system.at(0, Event::Watch);
        }
        system
    }

    /// Runs until all lifecycles have ended.
    pub(crate) fn run(mut self) -> Life {
        while let Some(Reverse((now, _, event))) = self.due.pop() {
            self.now = now;
            if self.events > MAX_EVENTS || self.has_ended() {
                break;
            }
            self.handle(event);
        }
        let ends = self.lifecycles.into_iter();
        Life {
            ends: ends.map(Lifecycle::into_end).collect(),
            log: self.log,
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Start { task } => self.start(task),
            Event::Poll { task, epoch } if self.is_current(task, epoch) => self.poll(task),
            Event::Transfer { task, epoch } if self.is_current(task, epoch) => self.transfer(task),
            Event::Callback { task } => self.callback(task),
            Event::Nudge { task } => self.nudge(task),
            Event::Watch => self.watch(),
            Event::Poll { .. } | Event::Transfer { .. } => {}
        }
    }

    fn is_current(&self, task: usize, epoch: u32) -> bool {
        self.lifecycles[task].epoch == epoch
    }

    fn has_ended(&self) -> bool {
        self.lifecycles.iter().all(Lifecycle::has_ended)
    }

    /// Returns the number of open lifecycles.
    fn open(&self) -> usize {
        self.lifecycles.iter().filter(|it| it.is_open()).count()
    }

    fn is_worth_watching(&self) -> bool {
        self.open() >= MIN_WATCHED
    }

    fn at(&mut self, time: u64, event: Event) {
        self.events += 1;
        self.due.push(Reverse((time, self.events, event)));
    }

    fn note(&mut self, task: usize, what: What) {
        self.note_at(self.now, task, what);
    }

    fn note_at(&mut self, at: u64, task: usize, what: What) {
        self.log.push(Entry {
            at,
            task: Some(task),
            what,
        });
    }

    fn has(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }
}
