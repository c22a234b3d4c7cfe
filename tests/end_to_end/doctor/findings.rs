//! Each problem that `doctor` finds is reported on one line, with its fix.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver::temporal::sweeps::schedule::Schedule;
use seedance_archiver_proto::{names, v1::AccountWatcherRequest};
use seedance_archiver_simulator::{Fault, ListDialect};
use seedance_archiver_workflows::AccountWatcher;
use temporalio_client::WorkflowStartOptions;

use super::setup::{Setup, WRONG_KEY};
use crate::harness::{HOUR, Server, register};

async fn reports_a_rejected_api_key(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(server).await?;
    setup.set("SEEDANCE_API_KEY", WRONG_KEY);
    setup
        .assert_reported([
            "failed",
            "API of `default`: ",
            "rejected the key: HTTP 401 AuthenticationError",
        ])
        .await
}
register!(reports_a_rejected_api_key);

async fn reports_a_base_url_that_serves_a_web_page(server: Arc<Server>) -> anyhow::Result<()> {
    let setup = Setup::new(server).await?;
    setup.fixture.simulator.set_fault(Some(Fault::Page));
    setup
        .assert_reported([
            "failed",
            "is not the task API: HTTP 200 with an HTML page",
            "fix: correct the base URL",
        ])
        .await
}
register!(reports_a_base_url_that_serves_a_web_page);

async fn reports_a_base_url_with_a_wrong_path(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(server).await?;
    let base = setup.fixture.simulator.base_url().replace("/api/v3", "/v1");
    setup.set("SEEDANCE_BASE_URL", base);
    setup
        .assert_reported([
            "failed",
            "HTTP 404 with an empty body",
            "fix: correct the base URL, up to and including `/api/v3`",
        ])
        .await
}
register!(reports_a_base_url_with_a_wrong_path);

async fn warns_of_a_key_that_may_list_only_named_models(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(server).await?;
    let requires_model = ListDialect::RequiresModel;
    setup
        .fixture
        .simulator
        .set_list_dialect(Some(requires_model));
    setup
        .assert_reported([
            "warning",
            "accepted the key, but rejected the list of tasks: HTTP 403 AccessDenied",
            "fix: name the models that the key may use in `lists.models`",
        ])
        .await?;
    setup.set("SEEDANCE_LIST_MODELS", "seedance-1-5-pro-251215");
    let (stdout, _) = setup.run_doctor(&[]).await?;
    let has_ok = stdout
        .lines()
        .any(|line| line.starts_with("ok") && line.contains("accepted the key"));
    ensure!(has_ok, "{stdout}");
    Ok(())
}
register!(warns_of_a_key_that_may_list_only_named_models);

async fn reports_an_unreachable_api(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(server).await?;
    setup.set("SEEDANCE_BASE_URL", "http://127.0.0.1:1/api/v3");
    setup
        .assert_reported([
            "failed",
            "API of `default`: cannot reach http://127.0.0.1:1/api/v3",
            "fix: correct the base URL, or check",
        ])
        .await
}
register!(reports_an_unreachable_api);

async fn warns_of_an_api_that_returns_errors(server: Arc<Server>) -> anyhow::Result<()> {
    let setup = Setup::new(server).await?;
    setup.fixture.simulator.set_fault(Some(Fault::Unavailable));
    setup
        .assert_reported([
            "warning",
            "failed before it checked the key: HTTP 500",
            "fix: try again later",
        ])
        .await
}
register!(warns_of_an_api_that_returns_errors);

async fn reports_a_wrong_clock(server: Arc<Server>) -> anyhow::Result<()> {
    let setup = Setup::new(server).await?;
    let wrong = setup.fixture.clock.now() - HOUR;
    setup.fixture.simulator.set_date(Some(wrong));
    setup
        .assert_reported([
            "failed",
            "clock against `default`: this machine is 1h ahead of the service",
            "fix: synchronize the clock of this machine by NTP",
        ])
        .await
}
register!(reports_a_wrong_clock);

async fn reports_an_unreachable_temporal_server(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(server).await?;
    setup.set("TEMPORAL_ADDRESS", "127.0.0.1:1");
    setup
        .assert_reported([
            "failed",
            "Temporal: no usable Temporal server at http://127.0.0.1:1",
            "fix: set TEMPORAL_ADDRESS",
        ])
        .await
}
register!(reports_an_unreachable_temporal_server);

async fn reports_a_missing_namespace(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(server).await?;
    setup.set("TEMPORAL_NAMESPACE", "nowhere");
    setup
        .assert_reported([
            "failed",
            "namespace `nowhere`: does not exist on this server",
            "fix: run `seedance-archiver setup`",
        ])
        .await
}
register!(reports_a_missing_namespace);

/// Two deployments with an account `default` share a namespace.
async fn reports_an_account_that_another_deployment_has(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(Arc::new(server.with_new_namespace().await?)).await?;
    setup.set("SEEDANCE_AUTO_ARCHIVE", "true");
    let options = WorkflowStartOptions::new("another", names::watcher_workflow_id("default"));
    let request = AccountWatcherRequest::default();
    let client = &setup.server.client;
    let watcher = client.start_workflow(AccountWatcher, request.into(), options.build());
    let watcher = watcher.await?;
    setup
        .assert_reported([
            "failed",
            "name of `default`: workers of the task queue `another` archive an account of this name",
            "terminate the workflow `account-watcher/default`",
        ])
        .await?;
    watcher.terminate(Default::default()).await?;
    let schedule = Schedule {
        account: "default".to_owned(),
        interval: HOUR,
        task_queue: "another".to_owned(),
    };
    schedule.ensure(&setup.server.client).await?;
    // Terminating the watcher would not move it.
    setup
        .assert_reported([
            "failed",
            "name of `default`: the schedule `sweep-video-tasks/default` starts the sweeps",
            "if the task queue was renamed, start a worker: it moves the schedule",
        ])
        .await
}
register!(reports_an_account_that_another_deployment_has);

async fn warns_that_no_worker_polls(server: Arc<Server>) -> anyhow::Result<()> {
    let setup = Setup::new(server).await?;
    setup
        .assert_reported([
            "warning",
            "no worker has polled it",
            "fix: start a worker with the same TEMPORAL_TASK_QUEUE",
        ])
        .await
}
register!(warns_that_no_worker_polls);

async fn reports_an_archive_that_is_not_writable(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(server).await?;
    setup.set_unwritable_archive()?;
    setup
        .assert_reported([
            "failed",
            "archive file://",
            "fix: create the directory, writable",
        ])
        .await
}
register!(reports_an_archive_that_is_not_writable);

async fn reports_a_missing_api_key_file(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(server).await?;
    setup.set("SEEDANCE_API_KEY", "");
    setup.set("SEEDANCE_API_KEY_FILE", setup.missing_file("key"));
    setup
        .assert_reported([
            "failed",
            "configuration: SEEDANCE_API_KEY_FILE must name a file that contains a secret: cannot read",
            "fix: correct SEEDANCE_API_KEY_FILE in the environment",
        ])
        .await
}
register!(reports_a_missing_api_key_file);

async fn warns_of_a_world_readable_api_key_file(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(server).await?;
    let key = setup.fixture.simulator.api_key().to_owned();
    setup.set("SEEDANCE_API_KEY", "");
    setup.set(
        "SEEDANCE_API_KEY_FILE",
        setup.write_file("key", &key, 0o644)?,
    );
    setup
        .assert_reported([
            "warning",
            "accessible to every user of this machine (mode 644)",
            "fix: chmod o= ",
        ])
        .await
}
register!(warns_of_a_world_readable_api_key_file);

async fn reports_an_unknown_key_in_the_accounts_file(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(server).await?;
    let text = "[accounts.eu]\npreset = \"byteplus\"\napi_keyy = \"wrong-and-secret\"\n";
    setup.set(
        "SEEDANCE_ACCOUNTS_FILE",
        setup.write_file("accounts.toml", text, 0o600)?,
    );
    setup
        .assert_reported([
            "failed",
            "accounts.toml:3: accounts.eu.api_keyy is an unknown key",
            "fix: correct ",
        ])
        .await
}
register!(reports_an_unknown_key_in_the_accounts_file);

async fn reports_a_short_callback_token(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(server).await?;
    setup.set_short_callback_token();
    setup
        .assert_reported([
            "failed",
            "SEEDANCE_CALLBACK_TOKEN must be at least 16",
            "fix: correct SEEDANCE_CALLBACK_TOKEN in the environment",
        ])
        .await
}
register!(reports_a_short_callback_token);

async fn reports_a_missing_seal_keys_file(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(server).await?;
    setup.set_missing_seal_keys_file();
    setup
        .assert_reported([
            "failed",
            "SEEDANCE_SEAL_KEYS_FILE must name a file that contains seal keys",
            "fix: correct SEEDANCE_SEAL_KEYS_FILE in the environment",
        ])
        .await
}
register!(reports_a_missing_seal_keys_file);

async fn reports_an_ingress_address_that_is_in_use(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(server).await?;
    let address = setup.address_in_use()?;
    setup.set("SEEDANCE_CALLBACK_TOKEN", "0123456789abcdef");
    setup.set("SEEDANCE_INGRESS_ADDRESS", address);
    setup
        .assert_reported([
            "failed",
            "in use by another process: no worker polls",
            "fix: set SEEDANCE_INGRESS_ADDRESS",
        ])
        .await
}
register!(reports_an_ingress_address_that_is_in_use);

async fn reports_a_missing_archive_url(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(server).await?;
    setup.set("SEEDANCE_ARCHIVE_URL", "");
    setup
        .assert_reported([
            "failed",
            "archive: no valid archive URL",
            "fix: set SEEDANCE_ARCHIVE_URL",
        ])
        .await
}
register!(reports_a_missing_archive_url);
