//! Reads the metrics of all workers, as a monitoring system does.

use std::time::Duration;

use parking_lot::Mutex;
use reqwest::Client;
use seedance_archiver_clock::Clock;
use std::sync::Arc;
use tokio::task::JoinHandle;

use super::{
    counted,
    parts::{Shared, Worker},
};

const INTERVAL: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(2);

/// Reads metrics until it is dropped.
pub(super) struct Scrapes {
    task: JoinHandle<()>,
    /// The latest page of each process, for the search for secrets.
    pub(super) pages: Pages,
}

pub(super) type Pages = Arc<Mutex<std::collections::BTreeMap<u32, String>>>;

impl Scrapes {
    pub(super) fn start(workers: &[Shared<Worker>]) -> anyhow::Result<Self> {
        let client = Client::builder().no_proxy().timeout(TIMEOUT).build()?;
        let pages = Pages::default();
        let tasks = workers.iter().cloned().map(|worker| {
            let (client, pages) = (client.clone(), pages.clone());
            async move {
                loop {
                    scrape(&client, &worker, &pages).await;
                    tokio::time::sleep(INTERVAL).await;
                }
            }
        });
        let all = futures::future::join_all(tasks);
        let task = tokio::spawn(async move {
            let _: Vec<()> = all.await;
        });
        Ok(Self { task, pages })
    }
}

impl Drop for Scrapes {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads the metrics of a worker, if it answers.
async fn scrape(client: &Client, worker: &Shared<Worker>, pages: &Pages) {
    let at = Clock::default().now();
    let (pid, admin) = {
        let worker = worker.lock().await;
        (worker.pid(), worker.settings.admin)
    };
    let response = client.get(format!("http://{admin}/metrics")).send().await;
    let Ok(response) = response else { return };
    let Ok(page) = response.text().await else {
        return;
    };
    let mut worker = worker.lock().await;
    // Another process may have answered.
    if let Some(pid) = pid.filter(|_| worker.pid() == pid) {
        worker.set_counted(pid, at, counted::parse(&page));
        pages.lock().insert(pid, page);
    }
}
