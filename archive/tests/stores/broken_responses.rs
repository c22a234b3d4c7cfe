//! Audits archives whose stores send broken responses.

use std::sync::Arc;

use anyhow::ensure;
use futures::TryStreamExt;
use seedance_archiver_archive::audit::{self, Finding};

use crate::{
    breaking_store::BreakingStore,
    fixture::{Fixture, LARGE},
    host::Host,
    registry::register,
};

/// Archives a large video, and then replaces the store.
async fn archive_and_break(
    fixture: &mut Fixture,
    store: impl FnOnce(BreakingStore) -> BreakingStore,
    breaks: &[u64],
) -> anyhow::Result<Arc<BreakingStore>> {
    let host = Host::start(LARGE).await?;
    fixture.archive_video(&host).await?;
    let breaking = BreakingStore::new(fixture.archive.store.clone(), breaks);
    let breaking = Arc::new(store(breaking));
    fixture.archive.store = breaking.clone();
    Ok(breaking)
}

async fn findings(fixture: &Fixture) -> anyhow::Result<Vec<Finding>> {
    let verified: Vec<_> = audit::verify(&fixture.archive, None, true)
        .try_collect()
        .await?;
    ensure!(verified.len() == 1, "{verified:?}");
    Ok(verified.into_iter().flat_map(|it| it.findings).collect())
}

async fn an_audit_continues_a_broken_response(mut fixture: Fixture) -> anyhow::Result<()> {
    let breaks = [5_000_000, 5_100_000, 12_000_000];
    let store = archive_and_break(&mut fixture, |store| store, &breaks).await?;
    let findings = findings(&fixture).await?;
    ensure!(findings.is_empty(), "{findings:?}");
    ensure!(store.starts() == breaks, "{:?}", store.starts());
    Ok(())
}
register!(an_audit_continues_a_broken_response);

async fn an_object_whose_responses_always_break_is_unreadable(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    archive_and_break(&mut fixture, |store| store, &[5_000_000; 100]).await?;
    let findings = findings(&fixture).await?;
    let problems: Vec<_> = findings.iter().map(|it| it.problem.as_str()).collect();
    ensure!(
        matches!(problems[..], [problem] if problem.contains("the connection was reset")),
        "{problems:?}"
    );
    Ok(())
}
register!(an_object_whose_responses_always_break_is_unreadable);

async fn a_broken_response_does_not_continue_in_another_object(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    // Only the ETag differs.
    let video = Host::start(LARGE).await?.video().clone();
    let mut changed = video.to_vec();
    changed[0] ^= 1;
    let replace = |store: BreakingStore| store.with_replacement(changed.into());
    let store = archive_and_break(&mut fixture, replace, &[5_000_000]).await?;
    let findings = findings(&fixture).await?;
    let problems: Vec<_> = findings.iter().map(|it| it.problem.as_str()).collect();
    ensure!(
        matches!(problems[..], [problem] if problem.starts_with("cannot be read: ")),
        "{problems:?}"
    );
    ensure!(store.starts() == [5_000_000], "{:?}", store.starts());
    Ok(())
}
register!(a_broken_response_does_not_continue_in_another_object);
