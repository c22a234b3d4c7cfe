//! Embeds the archiver in another Rust worker.

use std::{convert::Infallible, time::Duration};

use reqwest::Url;
use seedance_archiver_clock::Clock;
use seedance_archiver_workflows::{
    AccountWatcher, AuditArchive, DeliverEvent, GenerateVideo, SweepVideoTasks, VideoTaskClaim,
    VideoTaskLifecycle, VideoTaskSubmission,
};
use temporalio_client::Client;
use temporalio_sdk::{WorkerOptions, WorkflowRegistrationError};

use crate::{
    activities::{
        EventActivities, QueryActivities, ServeError, SweepActivities, TransferActivities,
        task_queries::TaskQueries,
    },
    config::Accounts,
    http, seedance,
    temporal::{search_attributes, sweeps::auto_archive},
};

/// Interval between two checks whether search attributes were registered.
const SEARCH_ATTRIBUTES_INTERVAL: Duration = Duration::from_secs(30);

/// Registers the workflows and activities of the archiver with your own Rust worker.
///
/// The workflows are `VideoTaskLifecycle`, `SweepVideoTasks`, `AccountWatcher`, `AuditArchive`, `DeliverEvent`,
/// `GenerateVideo`, `VideoTaskSubmission` and `VideoTaskClaim`. Your task queue then serves what a
/// `seedance-archiver worker` serves on the task queues `seedance-archiver` and
/// `seedance-archiver-transfers`, next to your own workflows. Start lifecycles on your task queue.
///
/// ```no_run
/// use seedance_archiver::{Plugin, config::Account};
/// use temporalio_client::{Client, Connection, ClientOptions, envconfig::LoadClientConfigProfileOptions};
/// use temporalio_sdk::{Runtime, Worker, WorkerOptions};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let (connection, options) =
///     ClientOptions::load_from_config(LoadClientConfigProfileOptions::default())?;
/// let client = Client::new(Connection::connect(connection).await?, options)?;
///
/// let base_url = "https://ark.ap-southeast.bytepluses.com/api/v3".parse()?;
/// let account = Account::new("default", base_url, std::env::var("SEEDANCE_API_KEY")?.into());
/// let plugin = Plugin::builder()
///     .client(&client)
///     .accounts([account])
///     .archive_url("s3://my-bucket/videos".parse()?)
///     .build()
///     .await?;
///
/// let mut options = WorkerOptions::new("my-queue").build(); // register your own workflows here
/// plugin.register(&mut options)?;
///
/// let runtime = Runtime::from_current_tokio(Default::default())?;
/// Worker::new(&runtime, client, options)?.run().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Capacity
///
/// - Transfers: at most 32 run concurrently, in 200 MiB of memory. Further ones occupy an activity slot and
///   wait.
/// - `AwaitVideoTask`: at most 50 calls hold an activity slot until the lifecycle ends. Further ones check
///   the lifecycle at intervals and hold no slot in between.
/// - `WatchAccount`: one call per account with a list holds an activity slot, for at most 6 accounts, while some worker
///   watches it.
/// - `DeliverEvent`: at most four requests to the webhooks of accounts hold an activity slot, for at most 15 s each.
///
/// Give the worker at least 64 activity slots, so that these calls leave room for queries.
///
/// # Differences from `seedance-archiver worker`
///
/// - Transfers run on your task queue. A lifecycle sends its transfers to the task queue named by the worker
///   that queried its task, so both kinds of workers can serve one task queue.
/// - Audits run on your task queue too if their requests name it as `transfers_task_queue`.
/// - Accounts with [`auto_archive`](crate::config::Account::auto_archive) need [`Plugin::auto_archive`] to
///   run beside the worker.
/// - The rate limits of an account apply to your worker alone: it does not share them with other workers. Set them to
///   its part of the account's limits.
/// - Watchers are started by polls only. If somebody terminates the watcher of an account, the next poll of any of its
///   tasks starts another one: the first one of a new lifecycle, or the backstop of a waiting one, which may be 12 h away.
/// - Search attributes that are registered after the plugin was built are not noticed.
/// - The plugin has no HTTP endpoint for callbacks. Lifecycles detect changes by polling.
#[derive(Clone)]
pub struct Plugin {
    client: Client,
    accounts: Accounts,
    queries: TaskQueries,
    query_activities: QueryActivities,
    sweep_activities: SweepActivities,
    event_activities: EventActivities,
    transfer_activities: TransferActivities,
}

#[bon::bon]
impl Plugin {
    /// Returns a plugin that serves these accounts.
    ///
    /// Checks once, with one call to Temporal, whether the search attributes are registered in the namespace.
    /// Lifecycles write them if they are. Calls neither the Seedance API nor the archive.
    ///
    /// - `client`: a client of the worker's namespace.
    /// - `accounts`: the Seedance accounts that requests can name.
    /// - `archive_url`: where videos are archived unless a request names another destination:
    ///   `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix` or `file:///path`. Credentials
    ///   come from the environment, in the variables that the store's own tools read.
    /// - `clock`: the clock for query windows, deadlines and expiries. A test can advance it.
    ///
    /// # Errors
    ///
    /// [`ServeError::Archive`] if the archive cannot be opened with the options of an account,
    /// [`ServeError::Http`] if an HTTP client cannot be created.
    #[builder]
    pub async fn new(
        client: &Client,
        #[builder(into)] accounts: Accounts,
        archive_url: Url,
        #[builder(default)] clock: Clock,
    ) -> Result<Self, ServeError> {
        let http = http::client().map_err(|error| ServeError::Http(http::describe(error)))?;
        let seedance = seedance::Client::new(http.clone()).with_clock(clock.clone());
        let registered = search_attributes::ensure_registered(client).await;
        let queries = TaskQueries::new(seedance.clone(), registered);
        Ok(Self {
            client: client.clone(),
            accounts: accounts.clone(),
            query_activities: QueryActivities::new(accounts.clone(), queries.clone())
                .with_archive(&archive_url),
            sweep_activities: SweepActivities::new(
                accounts.clone(),
                queries.clone(),
                &archive_url,
            )?,
            event_activities: EventActivities::new(accounts.clone(), http, clock),
            transfer_activities: TransferActivities::new(accounts, seedance, &archive_url)?,
            queries,
        })
    }

    /// Registers the workflows and activities with a worker.
    ///
    /// # Errors
    ///
    /// Returns an error if a workflow with the name of one of these is registered already: `VideoTaskLifecycle`,
    /// `SweepVideoTasks`, `AccountWatcher`, `AuditArchive`, `DeliverEvent`, `GenerateVideo`, `VideoTaskSubmission` and
    /// `VideoTaskClaim`.
    pub fn register(&self, options: &mut WorkerOptions) -> Result<(), WorkflowRegistrationError> {
        let task_queue = options.task_queue.clone();
        let activities = self.query_activities.clone().with_transfers_on(&task_queue);
        let sweep_activities = self.sweep_activities.clone().with_transfers_on(&task_queue);
        self.register_workflows(options, activities, sweep_activities)?;
        self.register_transfers(options, &task_queue);
        Ok(())
    }

    /// Creates and maintains the Temporal Schedules that sweep the accounts with
    /// [`auto_archive`](crate::config::Account::auto_archive). A sweep starts a lifecycle for every task that
    /// has none. `task_queue` is the task queue of the worker.
    ///
    /// Runs until it is dropped: run it beside the worker. Errors are logged and retried.
    ///
    /// ```no_run
    /// # async fn run(plugin: seedance_archiver::Plugin, mut worker: temporalio_sdk::Worker)
    /// # -> Result<(), temporalio_sdk::WorkerRunError> {
    /// tokio::select! {
    ///     ended = worker.run() => ended,
    ///     never = plugin.auto_archive("my-queue") => match never {},
    /// }
    /// # }
    /// ```
    pub async fn auto_archive(&self, task_queue: &str) -> Infallible {
        auto_archive::maintain_schedules(
            &self.client,
            &self.accounts,
            task_queue,
            auto_archive::CHECK_INTERVAL,
        )
        .await
    }

    /// Checks again whether the search attributes are registered: the namespace may have been created again.
    pub(crate) async fn check_search_attributes(&self) {
        let registered = search_attributes::ensure_registered(&self.client).await;
        self.queries.set_registered(registered);
    }

    /// Notices search attributes that an operator registers while the worker runs.
    pub(crate) async fn watch_search_attributes(&self) -> Infallible {
        loop {
            tokio::time::sleep(SEARCH_ATTRIBUTES_INTERVAL).await;
            // If Temporal does not answer, nothing is known to have changed.
            if let Ok(registered) = search_attributes::registered(&self.client).await
                && registered != self.queries.registered()
            {
                tracing::info!(?registered, "registered search attributes changed");
                self.queries.set_registered(registered);
            }
        }
    }

    pub(crate) fn queries(&self) -> &TaskQueries {
        &self.queries
    }

    /// Registers everything but transfers, which another task queue serves.
    pub(crate) fn register_queries(
        &self,
        options: &mut WorkerOptions,
    ) -> Result<(), WorkflowRegistrationError> {
        let sweep_activities = self.sweep_activities.clone();
        self.register_workflows(options, self.query_activities.clone(), sweep_activities)
    }

    fn register_workflows(
        &self,
        options: &mut WorkerOptions,
        query_activities: QueryActivities,
        sweep_activities: SweepActivities,
    ) -> Result<(), WorkflowRegistrationError> {
        options
            .register_workflow::<VideoTaskLifecycle>()?
            .register_workflow::<SweepVideoTasks>()?
            .register_workflow::<AccountWatcher>()?
            .register_workflow::<AuditArchive>()?
            .register_workflow::<DeliverEvent>()?
            .register_workflow::<GenerateVideo>()?
            .register_workflow::<VideoTaskSubmission>()?
            .register_workflow::<VideoTaskClaim>()?
            .register_activities(query_activities)
            .register_activities(sweep_activities)
            .register_activities(self.event_activities.clone());
        Ok(())
    }

    /// Registers transfers only. `workflow_queue` is the task queue of the workflows.
    pub(crate) fn register_transfers(&self, options: &mut WorkerOptions, workflow_queue: &str) {
        let activities = self.transfer_activities.clone();
        options.register_activities(activities.with_workflows_on(workflow_queue));
    }
}
