//! The world that workers live in: the API of each account, with its tasks.

use std::{net::SocketAddr, sync::Arc, time::SystemTime};

use parking_lot::Mutex;
use reqwest::Url;
use seedance_archiver_clock::Clock;
use seedance_archiver_proto::time::unix_seconds;
use seedance_archiver_simulator::{Arrival, EarlyRequest, RecordDialect, Script, Simulator};

use super::{
    accounts::Secrets,
    plan::{Account, EXPIRES, URL_LIFETIME, Video},
};
use crate::minio::PASSWORD;

/// What [`RecordDialect::RepeatsSecrets`] repeats besides the API key.
const REPEATED_PASSWORD: &str = "user:password@proxy.example";

/// The APIs, which outlive all faults.
pub(super) struct World {
    /// In the order of [`Account::ALL`].
    apis: Vec<Api>,
    tasks: Mutex<Vec<Task>>,
}

struct Api {
    secrets: Secrets,
    simulator: Simulator,
}

/// A task that was created.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) created_at: SystemTime,
    pub(super) video: Video,
    /// The reasons for which it may be lost, besides those of its script.
    pub(super) reasons_of_faults: Vec<&'static str>,
}

impl Task {
    /// Returns whether no record says when the task was created.
    pub(super) fn has_no_times(&self) -> bool {
        self.video.script.dialect == Some(RecordDialect::Timeless)
    }
}

#[cfg(test)]
impl Task {
    /// Returns a task of a video that a workflow calls for, created at the epoch.
    pub(super) fn called(id: &str, expected: super::plan::Expected) -> Self {
        Self {
            id: id.to_owned(),
            created_at: SystemTime::UNIX_EPOCH,
            video: Video {
                at: std::time::Duration::ZERO,
                trigger: super::plan::Trigger::Call,
                called_account: Account::Called,
                script: Script::default(),
                callback: None,
                hidden_for: std::time::Duration::ZERO,
                query_fault: None,
                held_for: std::time::Duration::ZERO,
                to_disk: false,
                expected,
            },
            reasons_of_faults: Vec::new(),
        }
    }
}

impl World {
    pub(super) async fn start(seed: u64) -> anyhow::Result<Self> {
        let mut apis = Vec::new();
        for account in Account::ALL {
            apis.push(Api::start(account, seed).await?);
        }
        Ok(Self {
            apis,
            tasks: Mutex::default(),
        })
    }

    pub(super) fn simulator(&self, account: Account) -> &Simulator {
        &self.api(account).simulator
    }

    pub(super) fn secrets(&self, account: Account) -> &Secrets {
        &self.api(account).secrets
    }

    fn api(&self, account: Account) -> &Api {
        &self.apis[account.index()]
    }

    /// Returns the addresses of the APIs, in the order of [`Account::ALL`].
    pub(super) fn addresses(&self) -> anyhow::Result<[SocketAddr; Account::ALL.len()]> {
        let mut addresses: Vec<SocketAddr> = Vec::new();
        for account in Account::ALL {
            let url: Url = self.simulator(account).base_url().parse()?;
            addresses.extend(url.socket_addrs(|| None)?.first());
        }
        <[SocketAddr; Account::ALL.len()]>::try_from(addresses)
            .map_err(|_| anyhow::anyhow!("an API has no address"))
    }

    /// Creates the task of a video, whose callbacks are posted to an address.
    pub(super) fn create(
        &self,
        video: &Video,
        callbacks: Option<SocketAddr>,
        reasons_of_faults: Vec<&'static str>,
    ) -> Task {
        let Api { secrets, simulator } = self.api(video.account());
        let path = secrets.callback_path();
        let script = Script {
            callback_url: callbacks.map(|address| format!("http://{address}{path}")),
            video_url: video.script.video_url.as_deref().map(with_expiry),
            ..video.script.clone()
        };
        let task = Task {
            created_at: Clock::default().now() - script.age,
            id: simulator.create(script),
            video: video.clone(),
            reasons_of_faults,
        };
        self.tasks.lock().push(task.clone());
        task
    }

    /// Returns the tasks that were created.
    pub(super) fn tasks(&self) -> Vec<Task> {
        self.tasks.lock().clone()
    }

    /// Returns whether the API has returned a record of a task.
    pub(super) fn was_returned(&self, task: &Task) -> bool {
        let simulator = self.simulator(task.video.account());
        simulator.was_returned(&task.id)
    }

    /// Returns the number of queries after the query window of a task. `knows_no_window`: whether no response said when a
    /// task was created, so that the client cannot know when its query window closes.
    pub(super) fn queries_outside_window(&self, knows_no_window: impl Fn(&Task) -> bool) -> u64 {
        let misuse = Account::ALL.map(|account| self.simulator(account).misuse());
        let all = misuse.iter().map(|misuse| misuse.outside_window);
        let tasks = self.tasks().into_iter().filter(knows_no_window);
        let excused = tasks.map(|task| {
            let simulator = self.simulator(task.video.account());
            simulator.stats(&task.id).queries_outside_window
        });
        all.sum::<u64>() - excused.sum::<u64>()
    }

    /// Returns the queries and list requests of each account.
    pub(super) fn arrivals(&self) -> [(Account, Vec<Arrival>); Account::ALL.len()] {
        Account::ALL.map(|account| (account, self.simulator(account).arrivals()))
    }

    /// Returns the requests before the time in a `Retry-After`.
    pub(super) fn early_requests(&self) -> Vec<EarlyRequest> {
        let of = |account| self.simulator(account).early_requests();
        Account::ALL.into_iter().flat_map(of).collect()
    }

    /// Returns the number of responses with `Retry-After`.
    pub(super) fn retry_afters(&self) -> u64 {
        let of = |account| self.simulator(account).retry_afters();
        Account::ALL.into_iter().map(of).sum()
    }

    /// Returns the number of downloads that carried an API key.
    pub(super) fn downloads_with_key(&self) -> u64 {
        let of = |account| self.simulator(account).misuse().with_key;
        Account::ALL.into_iter().map(of).sum()
    }

    /// Returns every secret that the APIs handed out, or that the accounts or the store have.
    pub(super) fn all_secrets(&self) -> AllSecrets {
        let mut all = self.secrets_of_apis();
        all.words.push(PASSWORD.to_owned());
        all
    }

    /// Returns every secret that the APIs handed out, or that the accounts have.
    pub(super) fn secrets_of_apis(&self) -> AllSecrets {
        let of = |account| {
            let secrets = self.secrets(account).all();
            secrets.map(str::to_owned).into_iter()
        };
        AllSecrets {
            signatures: Account::ALL
                .iter()
                .flat_map(|account| self.simulator(*account).signatures())
                .collect(),
            words: Account::ALL
                .into_iter()
                .flat_map(of)
                .chain([REPEATED_PASSWORD.to_owned()])
                .collect(),
        }
    }
}

/// Writes the expiry into the URL of a video.
fn with_expiry(url: &str) -> String {
    let expiry = Clock::default().now() + URL_LIFETIME;
    url.replace(EXPIRES, &unix_seconds(expiry).to_string())
}

/// Secrets that must be nowhere.
#[derive(Clone, Debug, Default)]
pub(super) struct AllSecrets {
    /// Signatures of URLs: hexadecimal SHA-256.
    pub(super) signatures: Vec<String>,
    /// Keys, tokens and passwords.
    pub(super) words: Vec<String>,
}

impl Api {
    async fn start(account: Account, seed: u64) -> anyhow::Result<Self> {
        let secrets = Secrets::new(account, seed);
        let builder = Simulator::builder()
            .api_key(secrets.key.clone())
            .keep_signatures()
            .keep_arrivals();
        let simulator = builder.start().await?;
        simulator.add_api_key(&secrets.other_key);
        Ok(Self { secrets, simulator })
    }
}

/// The world, shared.
pub(super) type SharedWorld = Arc<World>;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn the_words_that_a_record_repeats_are_secrets() {
        let world = World::start(7).await.unwrap();
        let simulator = world.simulator(Account::Called);
        let id = simulator.create(Script {
            age: Duration::from_secs(60),
            dialect: Some(RecordDialect::RepeatsSecrets),
            ..Script::default()
        });
        let url = format!("{}/contents/generations/tasks/{id}", simulator.base_url());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.get(url).bearer_auth(simulator.api_key());
        let record = request.send().await.unwrap().text().await.unwrap();
        let words = world.all_secrets().words;
        let repeated = words.iter().filter(|word| record.contains(*word));
        assert_eq!(repeated.count(), 2, "{record}");
        assert!(words.contains(&PASSWORD.to_owned()));
    }
}
