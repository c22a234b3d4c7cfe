//! Services and gateways that differ from the documented API. Each row of `docs/compatibility.md` about the API names its
//! test here or next to the code.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver_proto::v1::VideoTaskLifecycleResult;
use seedance_archiver_simulator::{Ending, Fault, ListDialect, RecordDialect, Script};

use crate::harness::{DAY, Fixture, Server, register, sweeps};

/// Runs the lifecycle of a task in a dialect.
async fn run(
    server: &Server,
    fixture: &Fixture,
    dialect: RecordDialect,
    script: Script,
) -> anyhow::Result<VideoTaskLifecycleResult> {
    let id = fixture.simulator.create(Script {
        dialect: Some(dialect),
        ..script
    });
    fixture.run_lifecycle(server, &id).await
}

async fn a_video_is_archived_in_every_dialect(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    for dialect in [
        RecordDialect::Milliseconds,
        RecordDialect::Dates,
        RecordDialect::Timeless,
        RecordDialect::MetadataUrl,
        RecordDialect::ResultUrl,
        RecordDialect::OtherWords,
        RecordDialect::UnknownWord,
        RecordDialect::StrictParsersRefuse,
        RecordDialect::Large,
        RecordDialect::RepeatsSecrets,
    ] {
        for wrapped in [false, true] {
            let script = Script {
                wrapped,
                ..Script::default()
            };
            let result = run(&server, &fixture, dialect, script).await;
            let result = result.with_context(|| format!("{dialect:?}, wrapped: {wrapped}"))?;
            ensure!(result.outcome == "archived", "{dialect:?}: {result:?}");
            let task = result.task.unwrap_or_default();
            ensure!(task.created_at > 0, "{dialect:?} has no time: {task:?}");
            ensure!(task.archive_deadline > 0, "{dialect:?}: {task:?}");
        }
    }
    Ok(())
}
register!(a_video_is_archived_in_every_dialect, takes_long);

async fn the_end_of_a_task_is_recognized_in_other_words(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    for (ending, status) in [
        (Ending::Failed, "failed"),
        (Ending::Expired, "expired"),
        // Which of both `terminated` means does not matter: there is no video.
        (Ending::Cancelled, "failed"),
    ] {
        let script = Script {
            ending,
            ..Script::default()
        };
        let result = run(&server, &fixture, RecordDialect::OtherWords, script).await?;
        ensure!(result.outcome == "unsuccessful", "{result:?}");
        let task = result.task.unwrap_or_default();
        ensure!(task.status == status, "{task:?}");
    }
    Ok(())
}
register!(the_end_of_a_task_is_recognized_in_other_words);

async fn a_configured_pointer_leads_to_the_video(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::with_account(&server, |account| {
        account.endpoint.video_url_pointer = Some("/clips/0/link".into());
    });
    let fixture = fixture.await?;
    let result = run(
        &server,
        &fixture,
        RecordDialect::UnknownUrl,
        Script::default(),
    )
    .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}
register!(a_configured_pointer_leads_to_the_video);

/// Neither history nor the archive contains them.
async fn secrets_that_the_service_repeats_are_removed(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let script = Script {
        ending: Ending::Failed,
        ..Script::default()
    };
    let result = run(&server, &fixture, RecordDialect::RepeatsSecrets, script).await?;
    ensure!(result.outcome == "unsuccessful", "{result:?}");
    ensure!(result.message.contains("REDACTED"), "{result:?}");
    let mut texts = vec![format!("{result:?}")];
    for file in fixture.archived_files()? {
        texts.push(std::fs::read_to_string(
            fixture.directory.path().join(file),
        )?);
    }
    ensure!(texts.len() == 3, "no outcome.json and task.json");
    for text in texts {
        let has_secret =
            text.contains(fixture.simulator.api_key()) || text.contains("user:password");
        ensure!(!has_secret, "{text}");
    }
    Ok(())
}
register!(secrets_that_the_service_repeats_are_removed);

/// An ingress without a backend returns 404 for longer than the API does for a new task.
async fn a_404_that_is_not_the_apis_is_retried(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    for fault in [Fault::NoBackend, Fault::LargePage] {
        fixture.simulator.set_fault(Some(fault));
        let result = fixture
            .with_worker(&server, async {
                let lifecycle = fixture.start_lifecycle(&server, &id).await?;
                fixture.polled(&id, 1).await?;
                fixture.advance_clock(2 * fixture.not_found_grace()?).await;
                fixture.polled(&id, 1).await?;
                fixture.simulator.set_fault(None);
                Ok(lifecycle.result().await?)
            })
            .await?;
        ensure!(result.outcome == "archived", "{fault:?}: {result:?}");
    }
    Ok(())
}
register!(a_404_that_is_not_the_apis_is_retried);

async fn a_list_whose_pages_are_all_the_same_ends(server: Arc<Server>) -> anyhow::Result<()> {
    let small_pages = |account: &mut seedance_archiver::config::Account| {
        account.endpoint.list_page_size = 2;
    };
    let (fixture, account) = sweeps::fixture(&server, small_pages).await?;
    fixture
        .simulator
        .set_list_dialect(Some(ListDialect::IgnoresPageNum));
    for _ in 0..3 {
        fixture.simulator.create(Script::default());
    }
    let swept = fixture
        .with_worker(&server, sweeps::run(&fixture, &server, &account))
        .await?;
    ensure!(
        swept.started == 2 && swept.incomplete_lists == 1,
        "{swept:?}"
    );
    ensure!(
        fixture.simulator.lists() < 10,
        "{} lists",
        fixture.simulator.lists()
    );
    Ok(())
}
register!(a_list_whose_pages_are_all_the_same_ends);

async fn a_key_that_may_list_only_named_models_lists_them(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let (fixture, account) = sweeps::fixture(&server, |account| {
        account.lists.models = vec!["no-such-model".into(), "seedance-1-5-pro-251215".into()];
    })
    .await?;
    fixture
        .simulator
        .set_list_dialect(Some(ListDialect::RequiresModel));
    let id = fixture.simulator.create(Script::default());
    let swept = fixture
        .with_worker(&server, sweeps::run(&fixture, &server, &account))
        .await?;
    ensure!(swept.started == 1, "{swept:?} for {id}");
    Ok(())
}
register!(a_key_that_may_list_only_named_models_lists_them);

async fn a_service_that_lists_all_tiers_together_is_swept(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let (fixture, account) = sweeps::fixture(&server, |_| {}).await?;
    fixture
        .simulator
        .set_list_dialect(Some(ListDialect::ListsAllTiers));
    fixture.simulator.create(Script {
        flex: true,
        ..Script::default()
    });
    let swept = fixture
        .with_worker(&server, sweeps::run(&fixture, &server, &account))
        .await?;
    ensure!(swept.started == 1, "{swept:?}");
    Ok(())
}
register!(a_service_that_lists_all_tiers_together_is_swept);

/// While no poll succeeded for longer than a day, a task can be cancelled and its record purged.
async fn a_queued_task_that_vanished_during_an_outage_was_purged(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(30 * DAY),
        ..Script::default()
    });
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            fixture.polled(&id, 1).await?;
            fixture.simulator.set_fault(Some(Fault::Unavailable));
            fixture.polled(&id, 1).await?;
            fixture.advance_clock(2 * DAY).await;
            fixture.simulator.set_hidden(&id, true);
            fixture.simulator.set_fault(None);
            fixture.polled(&id, 1).await?;
            fixture.advance_clock(fixture.not_found_grace()?).await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "unsuccessful", "{result:?}");
    ensure!(result.reason == "cancelled_and_purged", "{result:?}");
    Ok(())
}
register!(a_queued_task_that_vanished_during_an_outage_was_purged);
