//! Rotating what workers authenticate with at Temporal: an API key, or a client certificate.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver_simulator::Script;

use super::{
    paused::{PausedTransfer, archived},
    procedure::Procedure,
    terminal::Terminal,
};
use crate::harness::{
    DAY, Fixture, Server, register,
    tls_proxy::{Authentication, TlsProxy},
    until,
};

/// The server's own certificate expires at the beginning of this year.
const EXPIRY_YEAR: i32 = 2200;
/// How long each of the certificates that follow one another is valid. One outlasts the double time of the one before.
const LIFETIMES: [Duration; 3] = [DAY, DAY.saturating_mul(10), DAY.saturating_mul(100)];
/// The API keys that follow one another.
static API_KEYS: [&str; 3] = ["first-key", "second-key", "third-key"];

async fn a_new_certificate_costs_no_video(server: Arc<Server>) -> anyhow::Result<()> {
    let proxy = TlsProxy::start(&server.address, Authentication::Certificate, EXPIRY_YEAR).await?;
    let replace = |terminal: &mut Terminal, number: usize| {
        let [certificate, key] = proxy.issue(LIFETIMES[number])?;
        let certificate = terminal.write_file("client.pem", &certificate)?;
        let key = terminal.write_file("client.key", &key)?;
        terminal.set("TEMPORAL_TLS_CLIENT_CERT_PATH", certificate);
        terminal.set("TEMPORAL_TLS_CLIENT_KEY_PATH", key);
        anyhow::Ok(())
    };
    let disable = async |number: usize| {
        proxy.clock.advance(2 * LIFETIMES[number]).await;
        proxy.disconnect();
    };
    check_rotation(&server, &proxy, replace, disable).await
}
register!(a_new_certificate_costs_no_video, takes_long);

async fn a_new_api_key_of_temporal_costs_no_video(server: Arc<Server>) -> anyhow::Result<()> {
    let first = Authentication::ApiKeys(&API_KEYS[..1]);
    let proxy = TlsProxy::start(&server.address, first, EXPIRY_YEAR).await?;
    let replace = |terminal: &mut Terminal, number: usize| {
        proxy.accept_api_keys(&API_KEYS[..=number]);
        terminal.set("TEMPORAL_API_KEY", API_KEYS[number]);
        anyhow::Ok(())
    };
    let disable = async |number: usize| proxy.accept_api_keys(&API_KEYS[number + 1..]);
    check_rotation(&server, &proxy, replace, disable).await
}
register!(a_new_api_key_of_temporal_costs_no_video, takes_long);

/// Replaces what workers authenticate with twice: in time, as the text says, and then after the old one was disabled.
/// `replace` sets the one with a number, and `disable` disables it.
async fn check_rotation(
    server: &Server,
    proxy: &TlsProxy,
    replace: impl Fn(&mut Terminal, usize) -> anyhow::Result<()>,
    disable: impl AsyncFn(usize),
) -> anyhow::Result<()> {
    let mut text = Procedure::below("Temporal's API key or certificate")?;
    let fixture = Fixture::new(server).await?;
    let mut terminal = Terminal::open(server, &fixture).await?;
    terminal.set("TEMPORAL_ADDRESS", proxy.temporal_address());
    let authority = proxy.file("ca.pem").display().to_string();
    terminal.set("TEMPORAL_TLS_SERVER_CA_CERT_PATH", authority);
    replace(&mut terminal, 0)?;
    let worker = terminal.start_worker()?;
    let transfer = PausedTransfer::start(&fixture, server).await?;

    text.step("Create a new API key or client certificate.")?;
    text.says("The old one remains valid.")?;
    text.step(
        "Replace the old one in `TEMPORAL_API_KEY`, in the files that `TEMPORAL_TLS_CLIENT_CERT_PATH` and \
         `TEMPORAL_TLS_CLIENT_KEY_PATH` name, or in `temporal.toml`, and run `seedance-archiver doctor` to test the new one.",
    )?;
    replace(&mut terminal, 1)?;
    terminal.run_doctor(&text.command()?).await?;

    text.step("Restart the workers one by one.")?;
    text.says("Lifecycles and transfers continue.")?;
    let downloads = transfer.downloads(&fixture);
    let mut worker = terminal.restart(worker).await?;
    transfer.continued(&fixture, downloads).await?;

    text.step("Delete the old key, or let the old certificate expire.")?;
    disable(0).await;
    let manifest = transfer.finish(&fixture).await?;
    let rejected = proxy.rejected();
    ensure!(rejected == 0, "{rejected} rejected: {}", terminal.log());

    text.says("Workers read both at start, also those in files.")?;
    text.says(
        "The server rejects the requests of a worker that still has a deleted key, and the next connection of a worker that \
         still has an expired certificate.",
    )?;
    text.says(
        "Such a worker logs `waiting for Temporal`, and [TemporalUnreachable](runbooks/TemporalUnreachable.md) fires: \
         restart it.",
    )?;
    replace(&mut terminal, 2)?;
    disable(1).await;
    until("the worker waits", || {
        proxy.rejected() > 0 && terminal.log().contains("waiting for Temporal")
    })
    .await?;
    text.says("No video is lost before its URL expires.")?;
    let late = fixture.simulator.create(Script::default());
    let lifecycle = fixture.start_lifecycle(server, &late).await?;
    worker.kill().await?;
    let _worker = terminal.start_worker()?;
    let late_manifest = archived(&lifecycle).await?;
    fixture.assert_all_archived(&[(&transfer.id, &manifest), (&late, &late_manifest)])?;
    text.end()
}
