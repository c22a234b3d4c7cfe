//! `doctor` fetches a video as a transfer does, and says how requests leave the machine.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver_simulator::Script;

use super::setup::Setup;
use crate::harness::{Server, register};

/// Returns the line of `doctor` with a text.
async fn line(setup: &Setup, text: &str) -> anyhow::Result<String> {
    let (stdout, _) = setup.run_doctor(&[]).await?;
    ensure!(
        !stdout.contains("Signature"),
        "a signed URL was printed: {stdout}"
    );
    let line = stdout.lines().find(|line| line.contains(text));
    let line = line.with_context(|| format!("no {text:?} in {stdout}"))?;
    Ok(line.to_owned())
}

async fn one_byte_of_the_newest_video_is_fetched(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(server).await?;
    let none = line(&setup, "video of `default`").await?;
    ensure!(
        none.starts_with("ok ") && none.contains("no listed task has a video"),
        "{none}"
    );

    let id = setup.fixture.simulator.create(Script {
        queued: Some(Duration::ZERO),
        running: Some(Duration::ZERO),
        ..Script::default()
    });
    let fetched = line(&setup, "video of `default`").await?;
    ensure!(
        fetched.starts_with("ok ") && fetched.contains(&id),
        "{fetched}"
    );
    let stats = setup.fixture.simulator.stats(&id);
    ensure!(stats.downloads == 1, "{stats:?}");

    setup.set("SEEDANCE_URL_HOSTS", "volces.com");
    let refused = line(&setup, "video of `default`").await?;
    ensure!(refused.starts_with("failed "), "{refused}");
    ensure!(
        refused.contains("fix: add the host to `url_hosts`"),
        "{refused}"
    );
    let stats = setup.fixture.simulator.stats(&id);
    ensure!(
        stats.downloads == 1,
        "a refused URL was requested: {stats:?}"
    );
    Ok(())
}
register!(one_byte_of_the_newest_video_is_fetched);

async fn a_proxy_is_used_only_if_it_is_configured(server: Arc<Server>) -> anyhow::Result<()> {
    let mut setup = Setup::new(server).await?;
    setup.set("HTTPS_PROXY", "http://127.0.0.1:1");
    let hint = line(&setup, "network of `default`").await?;
    ensure!(hint.contains("HTTPS_PROXY is set, but not used"), "{hint}");
    let api = line(&setup, "API of `default`").await?;
    ensure!(api.starts_with("ok "), "{api}");

    setup.set("SEEDANCE_PROXY", "http://user:very-secret@127.0.0.1:1");
    let used = line(&setup, "network of `default`").await?;
    ensure!(
        used.contains("requests use the proxy http://127.0.0.1:1"),
        "{used}"
    );
    let api = line(&setup, "API of `default`").await?;
    ensure!(
        api.starts_with("failed ") && api.contains("`proxy`"),
        "{api}"
    );
    ensure!(!api.contains("very-secret"), "{api}");
    Ok(())
}
register!(a_proxy_is_used_only_if_it_is_configured);
