//! The archiver in a Rust worker of your own.

use std::convert::Infallible;

use reqwest::Url;
use seedance_archiver_workflows::{SweepVideoTasks, VideoTaskLifecycle};
use temporalio_client::Client;
use temporalio_sdk::{WorkerOptions, WorkflowRegistrationError};

use crate::{
    activities::{
        QueryActivities, ServeError, SweepActivities, TransferActivities, task_query::Questions,
    },
    config::Accounts,
    http, seedance,
    temporal::{search_attributes, sweeps::auto_archive},
};

/// Registers the workflows `VideoTaskLifecycle` and `SweepVideoTasks` and the activities into a Rust worker of your own: its task
/// queue then serves all that the queues `seedance-archiver` and `seedance-archiver-transfers` of a worker
/// of this project do, next to your own workflows.
///
/// Start lifecycles on that task queue. A question that this worker answers says that transfers are served
/// there too; where workers of both kinds serve a queue, each lifecycle follows the one that answered.
///
/// At most 32 videos are transferred at once, in 180 MiB of memory, however many slots the worker has;
/// others wait for their turn. Up to 50 calls of `AwaitVideoTask` hold a slot each: a worker with fewer than
/// 60 slots for activities has too few.
///
/// Accounts with [`auto_archive`](crate::config::Account::auto_archive) need [`Plugin::auto_archive`] beside
/// the worker. Callbacks come in at a `seedance-archiver worker` only: here they are not listened for, and
/// questions find out what they would have told.
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
/// let mut options = WorkerOptions::new("my-queue").build(); // with workflows of your own
/// plugin.register(&mut options)?;
///
/// let runtime = Runtime::from_current_tokio(Default::default())?;
/// Worker::new(&runtime, client, options)?.run().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Plugin {
    client: Client,
    accounts: Accounts,
    questions: Questions,
    query_activities: QueryActivities,
    sweep_activities: SweepActivities,
    transfer_activities: TransferActivities,
}

#[bon::bon]
impl Plugin {
    /// What serves these accounts.
    ///
    /// - `client`: of the namespace that the worker is of. It is asked once whether the search attributes
    ///   are registered there; lifecycles write them then.
    /// - `accounts`: the Seedance endpoints that requests may name.
    /// - `archive_url`: where videos go whose request names no other destination: `s3://bucket/prefix`,
    ///   `gs://bucket/prefix`, `az://container/prefix` or `file:///path`. Credentials come from the
    ///   environment, as the store's own tools read them.
    ///
    /// # Errors
    ///
    /// [`ServeError`] where the archive cannot be opened as an account wants it. Nothing is written, and no
    /// account is asked.
    #[builder]
    pub async fn new(
        client: &Client,
        #[builder(into)] accounts: Accounts,
        archive_url: Url,
    ) -> Result<Self, ServeError> {
        let http = http::client().map_err(|error| ServeError::Http(http::describe(error)))?;
        let seedance = seedance::Client::new(http);
        let has_search_attributes = search_attributes::ensure_registered(client).await;
        let questions = Questions::new(seedance.clone(), has_search_attributes);
        Ok(Self {
            client: client.clone(),
            accounts: accounts.clone(),
            query_activities: QueryActivities::new(accounts.clone(), questions.clone()),
            sweep_activities: SweepActivities::new(
                accounts.clone(),
                seedance.clone(),
                &archive_url,
            )?,
            transfer_activities: TransferActivities::new(accounts, seedance, &archive_url)?,
            questions,
        })
    }

    /// Registers everything with a worker.
    ///
    /// # Errors
    ///
    /// Where the worker has a workflow of one of these names already.
    pub fn register(&self, options: &mut WorkerOptions) -> Result<(), WorkflowRegistrationError> {
        let task_queue = options.task_queue.clone();
        let questions = self.query_activities.clone();
        self.register_workflows(options, questions.with_transfers_on(&task_queue))?;
        self.register_transfers(options);
        Ok(())
    }

    /// Keeps the Temporal Schedules that sweep the accounts with `auto_archive`: every video of theirs is
    /// archived, with no caller at all. `task_queue` is the worker's own.
    ///
    /// Never ends: run it beside the worker. What fails is logged and tried again.
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

    pub(crate) fn questions(&self) -> &Questions {
        &self.questions
    }

    /// Workflows and questions alone, for a worker that leaves transfers to another task queue.
    pub(crate) fn register_questions(
        &self,
        options: &mut WorkerOptions,
    ) -> Result<(), WorkflowRegistrationError> {
        self.register_workflows(options, self.query_activities.clone())
    }

    fn register_workflows(
        &self,
        options: &mut WorkerOptions,
        questions: QueryActivities,
    ) -> Result<(), WorkflowRegistrationError> {
        options
            .register_workflow::<VideoTaskLifecycle>()?
            .register_workflow::<SweepVideoTasks>()?
            .register_activities(questions)
            .register_activities(self.sweep_activities.clone());
        Ok(())
    }

    /// Transfers alone.
    pub(crate) fn register_transfers(&self, options: &mut WorkerOptions) {
        options.register_activities(self.transfer_activities.clone());
    }
}
