//! Accounts that the worker reads from a file.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver::config::{Account, Accounts};
use seedance_archiver_proto::v1::VideoTaskLifecycleRequest;
use seedance_archiver_simulator::Script;

use crate::harness::{DAY, Fixture, Server, command, lifecycle::until_waiting, register};

/// `direct` uses the documented API. `gateway` takes the task id as a query parameter, and wraps the record in
/// an object with its own id.
async fn each_account_is_queried_with_its_own_task_path_and_key(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let directory = tempfile::tempdir()?;
    let file = |name: &str| directory.path().join(name);
    let base = fixture.simulator.base_url();
    std::fs::write(file("key"), fixture.simulator.api_key())?;
    std::fs::write(
        file("accounts.toml"),
        format!(
            r#"
            [accounts.direct]
            base_url = "{base}"
            api_key_file = "{key}"
            pace = {{ shortest = "200ms" }}

            [accounts.gateway]
            base_url = "{base}"
            task_path = "contents/generations/tasks?id={{task_id}}"
            api_key_env = "GATEWAY_KEY"
            pace = {{ shortest = "200ms" }}
            limits = {{ queries_per_second = 50 }}
            "#,
            key = file("key").display(),
        ),
    )?;
    let path = file("accounts.toml");
    let variables = [
        (
            "SEEDANCE_ACCOUNTS_FILE",
            path.to_str().context("the path is not UTF-8")?,
        ),
        ("SEEDANCE_API_KEY", ""),
        ("SEEDANCE_BASE_URL", ""),
        ("GATEWAY_KEY", fixture.simulator.api_key()),
    ];
    let _worker = fixture.spawn_worker_with(&server, &variables)?;
    for (account, wrapped) in [("direct", false), ("gateway", true)] {
        let id = fixture.simulator.create(Script {
            wrapped,
            ..Script::default()
        });
        let request = VideoTaskLifecycleRequest {
            task_id: id.clone(),
            account: account.to_owned(),
            ..VideoTaskLifecycleRequest::default()
        };
        let result = fixture
            .start_lifecycle_with(&server, request)
            .await?
            .result()
            .await?;
        let manifest = result.manifest.context("not archived")?;
        ensure!(
            manifest.account == account && manifest.task_id == id,
            "{manifest:?}"
        );
    }
    Ok(())
}
register!(each_account_is_queried_with_its_own_task_path_and_key);

async fn an_invalid_accounts_file_stops_the_worker_at_startup(
    _: Arc<Server>,
) -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(
        &file,
        "[accounts.eu]\npreset = \"byteplsu\"\napi_key = \"very-secret\"\nbase = 1\n",
    )?;
    let output = command()
        .arg("worker")
        .env("SEEDANCE_ACCOUNTS_FILE", file.path())
        .env("SEEDANCE_ARCHIVE_URL", "videos")
        .output()
        .await?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(78), "{output:?}");
    for part in [
        "3 errors",
        ":2: accounts.eu.preset must be one of byteplus",
        ":4: accounts.eu.base is an unknown key",
        "SEEDANCE_ARCHIVE_URL is not a URL",
    ] {
        ensure!(stderr.contains(part), "no {part:?} in {stderr}");
    }
    ensure!(!stderr.contains("very-secret"), "{stderr}");
    Ok(())
}
register!(an_invalid_accounts_file_stops_the_worker_at_startup);

async fn a_video_on_a_host_that_is_not_allowed_is_never_downloaded(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    let fixture = Fixture::new(&server).await?;
    std::fs::write(
        &file,
        format!(
            "[accounts.default]\nbase_url = \"{}\"\napi_key = \"{}\"\nurl_hosts = [\"volces.com\"]\n\
             pace = {{ shortest = \"200ms\" }}\n\
             windows = {{ query_window = \"4s\", margin = \"1s\", url_lifetime = \"4s\" }}\n",
            fixture.simulator.base_url(),
            fixture.simulator.api_key()
        ),
    )?;
    let path = file.path().to_str().context("the path is not UTF-8")?;
    let variables = [
        ("SEEDANCE_ACCOUNTS_FILE", path),
        ("SEEDANCE_API_KEY", ""),
        ("SEEDANCE_BASE_URL", ""),
    ];
    let _worker = fixture.spawn_worker_with(&server, &variables)?;
    let id = fixture.simulator.create(Script::default());
    let result = fixture
        .start_lifecycle(&server, &id)
        .await?
        .result()
        .await?;
    ensure!(
        result.outcome == "lost" && result.reason == "url_refused",
        "{result:?}"
    );
    ensure!(result.message.contains("`127.0.0.1`"), "{result:?}");
    let downloads = fixture.simulator.stats(&id).downloads;
    ensure!(downloads == 0, "{downloads} downloads");
    Ok(())
}
register!(a_video_on_a_host_that_is_not_allowed_is_never_downloaded);

/// In a rollout, an old worker takes the first attempts.
async fn a_lifecycle_waits_for_a_worker_that_serves_its_account(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let mut fixture = Fixture::new(&server).await?;
    let old = fixture.spawn_worker(&server)?;
    let id = fixture.simulator.create(Script::default());
    let request = VideoTaskLifecycleRequest {
        task_id: id.clone(),
        account: "eu".to_owned(),
        ..VideoTaskLifecycleRequest::default()
    };
    let lifecycle = fixture.start_lifecycle_with(&server, request).await?;
    until_waiting(
        &lifecycle,
        "`account` is `eu`, which this worker does not serve",
    )
    .await?;
    let known = Account::clone(&*fixture.config.accounts.get("")?);
    let mut added = known.clone();
    added.endpoint.account = "eu".to_owned();
    fixture.config.accounts = Accounts::from([known, added]);
    let result = fixture
        .with_worker(&server, async {
            // Each attempt that the old worker took would only lengthen the retry interval.
            drop(old);
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}
register!(a_lifecycle_waits_for_a_worker_that_serves_its_account);

/// The account may have a longer query window than others. Only a worker that serves it knows.
async fn an_old_task_waits_for_a_worker_that_serves_its_account_too(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        age: 8 * DAY,
        ..Script::default()
    });
    let request = VideoTaskLifecycleRequest {
        task_id: id,
        account: "eu".to_owned(),
        ..VideoTaskLifecycleRequest::default()
    };
    fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle_with(&server, request).await?;
            until_waiting(&lifecycle, "which this worker does not serve").await
        })
        .await
}
register!(an_old_task_waits_for_a_worker_that_serves_its_account_too);

async fn a_task_of_an_account_that_no_worker_serves_is_unknown(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let request = VideoTaskLifecycleRequest {
        task_id: id.clone(),
        account: "eu".to_owned(),
        ..VideoTaskLifecycleRequest::default()
    };
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle_with(&server, request).await?;
            until_waiting(&lifecycle, "does not serve").await?;
            fixture.close_query_window().await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(
        result.outcome == "unknown" && result.reason == "unknown_account",
        "{result:?}"
    );
    ensure!(result.message.contains("it serves `default`"), "{result:?}");
    Ok(())
}
register!(a_task_of_an_account_that_no_worker_serves_is_unknown);
