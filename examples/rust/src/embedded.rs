//! A worker with the archiver embedded: one task queue for your workflows and the archiver's.

use anyhow::Context;
use seedance_archiver::{Plugin, config::Account};
use seedance_archiver_proto::v1::VideoTaskLifecycleResult;
use temporalio_client::Client;
use temporalio_sdk::{Runtime, Worker, WorkerOptions};

use crate::{TASK_QUEUE, client};

const BASE_URL: &str = "https://ark.ap-southeast.bytepluses.com/api/v3";

pub(crate) async fn archive(
    client: &Client,
    task_id: &str,
) -> anyhow::Result<VideoTaskLifecycleResult> {
    let variable = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
    let base_url = variable("SEEDANCE_BASE_URL").unwrap_or_else(|_| BASE_URL.to_owned());
    let account = Account::new(
        "default",
        base_url.parse()?,
        variable("SEEDANCE_API_KEY")?.into(),
    );
    let plugin = Plugin::builder()
        .client(client)
        .accounts([account])
        .archive_url(variable("SEEDANCE_ARCHIVE_URL")?.parse()?)
        .build()
        .await?;

    let mut options = WorkerOptions::new(TASK_QUEUE).build();
    plugin.register(&mut options)?;

    let runtime = Runtime::from_current_tokio(Default::default())?;
    let mut worker = Worker::new(&runtime, client.clone(), options)?;
    let shut_down = worker.shutdown_handle();
    let result = async {
        let result = client::archive_on(client, TASK_QUEUE, task_id).await;
        shut_down();
        result
    };
    let (worker_result, result) = futures::join!(worker.run(), result);
    worker_result?;
    result
}
