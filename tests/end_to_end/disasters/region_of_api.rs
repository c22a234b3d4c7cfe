//! The region of the API is gone.

use std::sync::Arc;

use anyhow::{Context, anyhow, ensure};
use reqwest::Url;
use seedance_archiver::temporal::lifecycles::Lifecycle;
use seedance_archiver_simulator::Script;

use super::{
    paused::archived,
    procedure::{Procedure, check_promise},
    terminal::Terminal,
};
use crate::harness::{
    Fixture, HOUR, Server,
    lifecycle::{until_running, until_waiting},
    read_local, register,
    simulator::TestSimulator,
    sweeps,
    tcp_proxy::TcpProxy,
};

/// The proxy is the way to the API of the region, and to the host of its videos.
async fn the_same_tasks_at_another_url_are_archived(server: Arc<Server>) -> anyhow::Result<()> {
    let mut text = Procedure::below("The region of the API")?;
    let fixture = Fixture::new(&server).await?;
    let direct: Url = fixture.simulator.base_url().parse()?;
    let region = TcpProxy::start(direct.authority()).await?;
    let mut in_region = direct.clone();
    in_region
        .set_port(Some(region.address.port()))
        .map_err(|()| anyhow!("the URL has no port"))?;
    let mut terminal = Terminal::open(&server, &fixture).await?;
    terminal.set("SEEDANCE_BASE_URL", in_region.as_str());
    let worker = terminal.start_worker()?;
    let create = || {
        fixture.simulator.create(Script {
            running: Some(HOUR),
            ..Script::default()
        })
    };
    let waiting = fixture.start_lifecycle(&server, &create()).await?;
    until_running(&waiting).await?;
    text.says(
        "Polls fail as [`UpstreamUnavailable`](failures/UpstreamUnavailable.md) and are retried, as during an outage of \
         Seedance.",
    )?;
    region.disconnect();
    until_waiting(&waiting, "error sending request").await?;
    let log = terminal.log();
    ensure!(log.contains("UpstreamUnavailable"), "{log}");
    // The region is back.
    region.reconnect();
    fixture.advance_clock(HOUR).await;
    archived(&waiting).await?;

    let moved = create();
    let lifecycle = fixture.start_lifecycle(&server, &moved).await?;
    until_running(&lifecycle).await?;
    region.disconnect();
    text.says(
        "Do not change the URL of the account, unless the same tasks are served at the new URL, for example by a gateway:",
    )?;
    text.step(
        "Test the new URL with an open task: \
         `SEEDANCE_BASE_URL=https://other.example/api/v3 seedance-archiver query cgt-20260828062711-hj94q`.",
    )?;
    let query = text
        .command()?
        .replace("https://other.example/api/v3", direct.as_str())
        .replace("cgt-20260828062711-hj94q", &moved);
    let record = terminal.run(&query).await?;
    ensure!(record.contains(&moved), "{record}");

    text.step(
        "If it returns the record, restart the workers with the new `SEEDANCE_BASE_URL` (`base_url`), and with `url_hosts` if \
         the videos are on another host.",
    )?;
    terminal.set("SEEDANCE_BASE_URL", direct.as_str());
    let _worker = terminal.restart(worker).await?;
    text.says("Open lifecycles continue there.")?;
    fixture.advance_clock(HOUR).await;
    let manifest = archived(&lifecycle).await?;
    let video = manifest.objects.first().context("no object")?;
    let served = fixture.simulator.source(&moved).context("no source")?;
    ensure!(
        read_local(&video.url)? == served.bytes(),
        "the archived bytes differ from the served ones"
    );
    text.end()
}
register!(the_same_tasks_at_another_url_are_archived, takes_long);

async fn a_region_without_the_tasks_costs_no_video(server: Arc<Server>) -> anyhow::Result<()> {
    let promise = "If the API at the new URL does not know the tasks, it returns [404](failures/TaskNotFound.md): set the \
                   old URL again. A lifecycle whose task no poll has returned yet ends as `unknown` after 10 minutes, and a \
                   sweep starts it again an hour later. The others wait until their query window closes.";
    check_promise("The region of the API", promise)?;
    let server = server.with_new_namespace().await?;
    let mut fixture = Fixture::new(&server).await?;
    let old_url = fixture.simulator.base_url();
    let elsewhere = TestSimulator::start(&fixture.clock, |simulator| simulator).await?;
    let [polled, new] = [(); 2].map(|()| {
        fixture.simulator.create(Script {
            running: Some(HOUR),
            ..Script::default()
        })
    });
    let polled = fixture.with_worker(&server, async {
        let lifecycle = fixture.start_lifecycle(&server, &polled).await?;
        until_running(&lifecycle).await?;
        Ok(lifecycle)
    });
    let polled = polled.await?;

    set_base_url(&mut fixture, &elsewhere.base_url())?;
    let ended = fixture.with_worker(&server, async {
        let lifecycle = fixture.start_lifecycle(&server, &new).await?;
        for lifecycle in [&polled, &lifecycle] {
            until_waiting(lifecycle, "404").await?;
        }
        fixture.advance_clock(fixture.not_found_grace()?).await;
        Ok(lifecycle.result().await?)
    });
    let ended = ended.await?;
    ensure!(
        ended.outcome == "unknown" && ended.reason == "task_not_found",
        "{ended:?}"
    );

    set_base_url(&mut fixture, &old_url)?;
    fixture.advance_clock(HOUR).await;
    fixture
        .with_worker(&server, async {
            archived(&polled).await?;
            let swept = sweeps::run(&fixture, &server, "").await?;
            ensure!(swept == sweeps::counts([2, 1, 0, 0, 1]), "{swept:?}");
            archived(&Lifecycle::for_task(&server.client, "", &new)).await?;
            Ok(())
        })
        .await
}
register!(a_region_without_the_tasks_costs_no_video);

/// Changes the URL of the account's API.
fn set_base_url(fixture: &mut Fixture, url: &str) -> anyhow::Result<()> {
    let url: Url = url.parse()?;
    fixture.change_account(|account| account.endpoint.base_url = url)
}
