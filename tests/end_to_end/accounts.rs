//! Accounts from a file, as the binary reads them.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver_proto::v1::VideoTaskLifecycleRequest;
use seedance_archiver_simulator::Script;

use crate::{
    Suite,
    world::{Server, World, command},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test("accounts::each_is_served_its_own_way", served_its_own_way)
        .test("accounts::a_bad_file_is_refused_at_start", bad_file)
        .test(
            "accounts::a_video_on_another_host_is_not_fetched",
            another_host,
        )
}

/// One as the service documents it, one behind a gateway that takes the id as a parameter and wraps the
/// record under an id of its own.
async fn served_its_own_way(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let directory = tempfile::tempdir()?;
    let file = |name: &str| directory.path().join(name);
    let base = world.simulator.base_url();
    std::fs::write(file("key"), world.simulator.api_key())?;
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
        ("SEEDANCE_ACCOUNTS_FILE", path.to_str().context("path")?),
        ("SEEDANCE_API_KEY", ""),
        ("SEEDANCE_BASE_URL", ""),
        ("GATEWAY_KEY", world.simulator.api_key()),
    ];
    let _worker = world.spawn_worker_with(&server, &variables)?;
    for (account, wrapped) in [("direct", false), ("gateway", true)] {
        let id = world.simulator.create(Script {
            wrapped,
            ..Script::default()
        });
        let request = VideoTaskLifecycleRequest {
            task_id: id.clone(),
            account: account.to_owned(),
            ..VideoTaskLifecycleRequest::default()
        };
        let result = world.start_with(&server, request).await?.result().await?;
        let manifest = result.manifest.context("not archived")?;
        ensure!(
            manifest.account == account && manifest.task_id == id,
            "{manifest:?}"
        );
    }
    Ok(())
}

async fn bad_file(_: Arc<Server>) -> anyhow::Result<()> {
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
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(78), "{output:?}");
    for part in [
        "3 errors",
        ":2: accounts.eu.preset must be one of byteplus",
        ":4: accounts.eu.base is an unknown key",
        "SEEDANCE_ARCHIVE_URL is not a URL",
    ] {
        ensure!(words.contains(part), "no {part:?} in {words}");
    }
    ensure!(!words.contains("very-secret"), "{words}");
    Ok(())
}

async fn another_host(server: Arc<Server>) -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    let world = World::new(&server).await?;
    std::fs::write(
        &file,
        format!(
            "[accounts.default]\nbase_url = \"{}\"\napi_key = \"{}\"\nurl_hosts = [\"volces.com\"]\n\
             pace = {{ shortest = \"200ms\" }}\n\
             windows = {{ query_window = \"4s\", margin = \"1s\", url_lifetime = \"4s\" }}\n",
            world.simulator.base_url(),
            world.simulator.api_key()
        ),
    )?;
    let path = file.path().to_str().context("path")?;
    let variables = [
        ("SEEDANCE_ACCOUNTS_FILE", path),
        ("SEEDANCE_API_KEY", ""),
        ("SEEDANCE_BASE_URL", ""),
    ];
    let _worker = world.spawn_worker_with(&server, &variables)?;
    let id = world.simulator.create(Script::default());
    let result = world.start(&server, &id).await?.result().await?;
    ensure!(
        result.outcome == "lost" && result.reason == "url_refused",
        "{result:?}"
    );
    ensure!(result.message.contains("`127.0.0.1`"), "{result:?}");
    let downloads = world.simulator.stats(&id).downloads;
    ensure!(downloads == 0, "{downloads} downloads");
    Ok(())
}
