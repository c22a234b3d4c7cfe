//! What `status` shows of a watcher.

use std::sync::Arc;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::harness::{HOUR, Server, register, watchers::Watched};

async fn status_shows_the_watcher(server: Arc<Server>) -> anyhow::Result<()> {
    let watched = Watched::new(&server).await?;
    let ids = watched.create(4);
    let text = async |arguments: &[&str]| {
        let output = watched.status(arguments).await?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{arguments:?}: {stderr}");
        Ok(String::from_utf8(output.stdout)?)
    };
    let json = async |arguments: &[&str]| {
        let text = text(&[arguments, &["--output", "json"]].concat()).await?;
        serde_json::from_str::<Value>(&text).with_context(|| format!("not JSON: {text}"))
    };
    let output = watched.status(&[]).await?;
    let stderr = String::from_utf8(output.stderr)?;
    let account = &watched.account;
    ensure!(
        output.status.code() == Some(1),
        "{}: {stderr}",
        output.status
    );
    ensure!(
        stderr.contains(&format!("account `{account}` has no watcher")),
        "{stderr}"
    );

    let fixture = &watched.fixture;
    fixture
        .with_worker(&server, async {
            let lifecycles = watched.start(&ids).await?;
            watched.until_watched(4).await?;
            fixture.advance_clock(HOUR).await;
            watched.until_running(&lifecycles).await?;
            watched
                .until("the heartbeat counts the deliveries", |it| {
                    it.delivered >= 4
                })
                .await?;

            let facts = text(&[]).await?;
            for fact in [
                &format!("`account-watcher/{account}`, running on "),
                "the watcher; the lifecycles' own polls are a backstop",
                "4 tasks",
                "4 records",
                "last list",
            ] {
                ensure!(facts.contains(fact), "no {fact:?} in {facts}");
            }
            let watcher = json(&[]).await?;
            ensure!(
                watcher["is_alive"] == true && watcher["is_reliable"] == true,
                "{watcher:#}"
            );
            ensure!(
                watcher["watched"] == 4 && watcher["lists"].as_i64() > Some(0),
                "{watcher:#}"
            );

            let facts = text(&[&ids[0]]).await?;
            ensure!(
                facts.contains("pending activity") && facts.contains("tasks watched"),
                "{facts}"
            );
            let status = json(&[&ids[0]]).await?;
            ensure!(status["pending"]["activity"] == "query", "{status:#}");
            ensure!(status["watcher"]["watched"] == 4, "{status:#}");

            fixture.advance_clock(HOUR).await;
            watched.archived(&lifecycles).await?;
            // A lifecycle that has ended waits for nobody.
            let status = json(&[&ids[0]]).await?;
            ensure!(status["watcher"].is_null(), "{status:#}");
            Ok(())
        })
        .await
}
register!(status_shows_the_watcher);
