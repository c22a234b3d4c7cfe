//! Rotating a key: the transfers that were waiting still use the URLs in Temporal's history.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver::archive::PART_SIZE;
use seedance_archiver_simulator::Script;

use super::{
    buckets::assert_stored,
    paused::{PausedTransfer, archive_another, archived},
    procedure::{Procedure, check_promise},
    terminal::Terminal,
};
use crate::harness::{Fixture, Server, lifecycle::until_waiting, minio::Minio, register, tools};

const NEW_API_KEY: &str = "new-api-key";

async fn a_rotated_api_key_costs_no_url(server: Arc<Server>) -> anyhow::Result<()> {
    let mut text = Procedure::below("The API key")?;
    let fixture = Fixture::new(&server).await?;
    let simulator = &fixture.simulator;
    let mut terminal = Terminal::open(&server, &fixture).await?;
    terminal.unset("SEEDANCE_API_KEY");
    let key_file = terminal.write_file("api-key", simulator.api_key())?;
    terminal.set("SEEDANCE_API_KEY_FILE", key_file);
    let worker = terminal.start_worker()?;
    let sealed_by_api_key = PausedTransfer::start_hidden(&fixture, &server).await?;
    let queries = simulator.stats(&sealed_by_api_key.id).queries;

    text.says("To avoid that, follow these steps in order:")?;
    text.step("Check `seedance-archiver config show` for `seal_keys_file`.")?;
    let settings = terminal.run(&text.command()?).await?;
    let mut settings = settings.lines().map(str::trim);
    let is_default = |row: &str| row.contains(".seal_keys_file") && row.ends_with("default");
    ensure!(settings.any(is_default), "seal keys are configured");

    text.step(
        "Write a file with two lines: a new random key (`openssl rand -base64 32`), which seals from now on, and below it \
         the old API key, which unseals.",
    )?;
    let new_seal_key = terminal.run(&text.command()?).await?;
    let lines = format!("{new_seal_key}{}\n", simulator.api_key());
    let seal_keys = terminal.write_file("seal-keys", &lines)?;
    text.says(
        "Set `seal_keys_file` or `SEEDANCE_SEAL_KEYS_FILE` to its path and restart the workers.",
    )?;
    terminal.set("SEEDANCE_SEAL_KEYS_FILE", seal_keys);
    let downloads = sealed_by_api_key.downloads(&fixture);
    let worker = terminal.restart(worker).await?;
    sealed_by_api_key.continued(&fixture, downloads).await?;
    let sealed_by_new_key = PausedTransfer::start_hidden(&fixture, &server).await?;

    text.step("Replace the API key.")?;
    text.says(
        "A file (`api_key_file`, `SEEDANCE_API_KEY_FILE`) is read for each request, so no restart is needed.",
    )?;
    simulator.add_api_key(NEW_API_KEY);
    terminal.write_file("api-key", NEW_API_KEY)?;

    text.step("Run `seedance-archiver doctor` to test the new key.")?;
    terminal.run_doctor(&text.command()?).await?;

    text.step("Disable the old key at the service.")?;
    simulator.rotate_api_key(NEW_API_KEY);
    let (third, third_manifest) = archive_another(&fixture, &server).await?;
    // Other attempts, which unseal the URLs again.
    let transfers = [&sealed_by_api_key, &sealed_by_new_key];
    let downloads = transfers.map(|it| it.downloads(&fixture));
    let _worker = terminal.restart(worker).await?;
    for (transfer, downloads) in transfers.iter().zip(downloads) {
        transfer.continued(&fixture, downloads).await?;
    }
    let first_manifest = sealed_by_api_key.finish(&fixture).await?;
    let second_manifest = sealed_by_new_key.finish(&fixture).await?;
    let all_queries = simulator.stats(&sealed_by_api_key.id).queries;
    ensure!(all_queries == queries, "a fresh URL was needed");

    text.step(
        "Remove the old line from the seal keys when the lifecycles that use it have ended: after the query window or the \
         URL's lifetime, whichever is longer.",
    )?;
    terminal.write_file("seal-keys", &new_seal_key)?;
    let (fourth, fourth_manifest) = archive_another(&fixture, &server).await?;

    fixture.assert_all_archived(&[
        (&sealed_by_api_key.id, &first_manifest),
        (&sealed_by_new_key.id, &second_manifest),
        (&third, &third_manifest),
        (&fourth, &fourth_manifest),
    ])?;
    text.end()
}
register!(a_rotated_api_key_costs_no_url, takes_long);

/// The API key is in a variable, and seal keys were set long ago.
async fn an_api_key_that_seals_no_url_is_only_replaced(server: Arc<Server>) -> anyhow::Result<()> {
    let mut text = Procedure::below("The API key")?;
    let fixture = Fixture::new(&server).await?;
    let simulator = &fixture.simulator;
    let mut terminal = Terminal::open(&server, &fixture).await?;
    let seal_key = terminal.run("openssl rand -base64 32").await?;
    let seal_keys = terminal.write_file("seal-keys", &seal_key)?;
    terminal.set("SEEDANCE_SEAL_KEYS_FILE", &seal_keys);
    let worker = terminal.start_worker()?;
    let transfer = PausedTransfer::start_hidden(&fixture, &server).await?;
    let queries = simulator.stats(&transfer.id).queries;

    text.step("Check ")?;
    let settings = terminal.run(&text.command()?).await?;
    let mut settings = settings.lines();
    let is_set = |row: &str| row.contains(".seal_keys_file") && row.contains(&seal_keys);
    ensure!(settings.any(is_set), "no seal keys are configured");
    text.says("If it is set, the API key does not seal URLs: do only steps 3 to 5.")?;
    text.skip("Write a file with two lines")?;
    text.says("From now on, API keys can be replaced without this step.")?;

    text.step("Replace the API key.")?;
    simulator.add_api_key(NEW_API_KEY);
    text.says("If the key is in a variable or in the accounts file, restart the workers.")?;
    terminal.set("SEEDANCE_API_KEY", NEW_API_KEY);
    let downloads = transfer.downloads(&fixture);
    let worker = terminal.restart(worker).await?;
    transfer.continued(&fixture, downloads).await?;

    text.step("Run ")?;
    terminal.run_doctor(&text.command()?).await?;

    text.step("Disable the old key at the service.")?;
    simulator.rotate_api_key(NEW_API_KEY);
    let (second, second_manifest) = archive_another(&fixture, &server).await?;
    // Another attempt, which unseals the URL again.
    let downloads = transfer.downloads(&fixture);
    let _worker = terminal.restart(worker).await?;
    transfer.continued(&fixture, downloads).await?;
    let manifest = transfer.finish(&fixture).await?;
    let all_queries = simulator.stats(&transfer.id).queries;
    ensure!(all_queries == queries, "a fresh URL was needed");
    text.skip("Remove the old line from the seal keys")?;

    fixture.assert_all_archived(&[(&transfer.id, &manifest), (&second, &second_manifest)])?;
    text.end()
}
register!(an_api_key_that_seals_no_url_is_only_replaced, takes_long);

async fn after_another_order_the_old_api_key_can_be_added(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    check_promise(
        "The API key",
        "By default the API key also seals the URLs in Temporal's history, so if you replace it, workers cannot unseal \
         them.",
    )?;
    let promise = "If you used another order, no video is lost immediately: the failures of pending transfers say that a \
                   seal key is missing, and the next attempts succeed once you add the old key as a line.";
    check_promise("The API key", promise)?;
    let fixture = Fixture::new(&server).await?;
    let mut terminal = Terminal::open(&server, &fixture).await?;
    let worker = terminal.start_worker()?;
    let transfer = PausedTransfer::start_hidden(&fixture, &server).await?;
    fixture.simulator.rotate_api_key(NEW_API_KEY);
    terminal.set("SEEDANCE_API_KEY", NEW_API_KEY);
    let worker = terminal.restart(worker).await?;
    until_waiting(
        &transfer.lifecycle,
        "add the key to the account's seal keys",
    )
    .await?;

    let seal_key = terminal.run("openssl rand -base64 32").await?;
    let lines = format!("{seal_key}{}\n", fixture.simulator.api_key());
    let seal_keys = terminal.write_file("seal-keys", &lines)?;
    terminal.set("SEEDANCE_SEAL_KEYS_FILE", seal_keys);
    let _worker = terminal.restart(worker).await?;
    let manifest = transfer.finish(&fixture).await?;
    fixture.assert_archived(&transfer.id, &manifest)
}
register!(after_another_order_the_old_api_key_can_be_added, takes_long);

async fn a_rotated_seal_key_costs_no_url(server: Arc<Server>) -> anyhow::Result<()> {
    let mut text = Procedure::below("A seal key")?;
    let fixture = Fixture::new(&server).await?;
    let mut terminal = Terminal::open(&server, &fixture).await?;
    let old_key = terminal.run("openssl rand -base64 32").await?;
    let set_keys = |terminal: &mut Terminal, worker: &str, keys: &str| {
        let path = terminal.write_file(worker, keys)?;
        terminal.set("SEEDANCE_SEAL_KEYS_FILE", path);
        anyhow::Ok(())
    };
    set_keys(&mut terminal, "seal-keys-of-query-worker", &old_key)?;
    let _query_worker = terminal.start_worker_with("--queues query")?;
    set_keys(&mut terminal, "seal-keys-of-transfer-worker", &old_key)?;
    let transfer_worker = terminal.start_worker_with("--queues transfer")?;
    let sealed_by_old_key = PausedTransfer::start_hidden(&fixture, &server).await?;
    let queries = fixture.simulator.stats(&sealed_by_old_key.id).queries;

    text.step("Insert the new key (`openssl rand -base64 32`) above the old one in the file of every worker.")?;
    let new_key = terminal.run(&text.command()?).await?;
    let both = format!("{new_key}{old_key}");
    terminal.write_file("seal-keys-of-query-worker", &both)?;
    text.says(
        "A worker that does not have the new key yet cannot unseal URLs that it sealed, and queries fresh ones.",
    )?;
    let before = fixture.simulator.final_queries();
    let (second, second_manifest) = archive_another(&fixture, &server).await?;
    ensure!(
        fixture.simulator.final_queries() > before + 1,
        "the transfer worker unsealed a URL without its key"
    );
    terminal.write_file("seal-keys-of-transfer-worker", &both)?;
    let downloads = sealed_by_old_key.downloads(&fixture);
    drop(transfer_worker);
    let _transfer_worker = terminal.start_worker_with("--queues transfer")?;
    sealed_by_old_key.continued(&fixture, downloads).await?;
    let first_manifest = sealed_by_old_key.finish(&fixture).await?;
    let all_queries = fixture.simulator.stats(&sealed_by_old_key.id).queries;
    ensure!(all_queries == queries, "a fresh URL was needed");

    text.says("Remove the old key as in step 6.")?;
    for file in ["seal-keys-of-query-worker", "seal-keys-of-transfer-worker"] {
        terminal.write_file(file, &new_key)?;
    }
    let (third, third_manifest) = archive_another(&fixture, &server).await?;
    fixture.assert_all_archived(&[
        (&sealed_by_old_key.id, &first_manifest),
        (&second, &second_manifest),
        (&third, &third_manifest),
    ])?;
    text.end()
}
register!(a_rotated_seal_key_costs_no_url, takes_long);

async fn a_leaked_key_that_is_disabled_at_once_costs_no_video(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let mut text = Procedure::below("A leaked key")?;
    let fixture = Fixture::new(&server).await?;
    let mut terminal = Terminal::open(&server, &fixture).await?;
    let worker = terminal.start_worker()?;
    let transfer = PausedTransfer::start_hidden(&fixture, &server).await?;
    let downloads = transfer.downloads(&fixture);

    text.step("Disable it at the service first.")?;
    fixture.simulator.rotate_api_key(NEW_API_KEY);
    text.says(
        "Polls fail as [`Unauthorized`](failures/Unauthorized.md) and are retried until the new key is there.",
    )?;
    let polled = fixture.simulator.create(Script::default());
    let polled_lifecycle = fixture.start_lifecycle(&server, &polled).await?;
    until_waiting(&polled_lifecycle, "401").await?;
    let log = terminal.log();
    ensure!(log.contains("Unauthorized"), "{log}");

    text.says(
        "Keep the old key in the seal keys, below a new one, so that workers can still unseal your URLs.",
    )?;
    let seal_key = terminal.run("openssl rand -base64 32").await?;
    let lines = format!("{seal_key}{}\n", fixture.simulator.api_key());
    let seal_keys = terminal.write_file("seal-keys", &lines)?;
    terminal.set("SEEDANCE_SEAL_KEYS_FILE", seal_keys);
    terminal.set("SEEDANCE_API_KEY", NEW_API_KEY);
    let _worker = terminal.restart(worker).await?;
    transfer.continued(&fixture, downloads).await?;
    let manifest = transfer.finish(&fixture).await?;
    let polled_manifest = archived(&polled_lifecycle).await?;
    fixture.assert_all_archived(&[(&transfer.id, &manifest), (&polled, &polled_manifest)])?;
    text.end()
}
register!(
    a_leaked_key_that_is_disabled_at_once_costs_no_video,
    takes_long
);

/// The store rejects the old key while both workers still have it, which is harder than the text asks for.
async fn workers_get_new_keys_of_the_store_one_by_one(server: Arc<Server>) -> anyhow::Result<()> {
    let text = Procedure::below("Keys of the store")?;
    let mut minio = Minio::start(tools::minio()?).await?;
    let bucket = minio.new_bucket("bucket")?;
    let fixture = Fixture::new(&server).await?;
    let mut terminal = Terminal::open(&server, &fixture).await?;
    for (name, value) in bucket.environment() {
        terminal.set(name, value);
    }
    let workers = [terminal.start_worker()?, terminal.start_worker()?];
    let transfer = PausedTransfer::start(&fixture, &server).await?;
    transfer.until_stored(&server, 2).await?;

    text.says("For keys in the environment, restart the workers one by one; transfers resume.")?;
    minio.replace_password("new-minio-password").await?;
    terminal.set_all(minio.environment());
    let mut restarted = Vec::new();
    for worker in workers {
        restarted.push(terminal.restart(worker).await?);
    }
    let manifest = transfer.finish(&fixture).await?;
    let again = manifest.bytes_fetched_again;
    ensure!(
        again <= PART_SIZE as i64,
        "{again} bytes were fetched again"
    );
    let bucket = minio.bucket("bucket")?;
    assert_stored(&fixture, &bucket, "team-a", &transfer.id).await?;
    text.end()
}
register!(
    workers_get_new_keys_of_the_store_one_by_one,
    needs = [minio],
    takes_long
);
