//! Audits archives whose objects differ from their receipts.

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{ObjectStoreExt, path::Path};
use seedance_archiver_archive::{
    Archive, ObjectOptions,
    audit::{self, FindingKind, Verification, verify_receipt},
};
use seedance_archiver_proto::v1::AuditReport;

use crate::{
    fixture::{Fixture, LARGE, SMALL},
    host::Host,
    registry::register,
    s3_proxy::Dialect,
    servers::set_dialect,
    store::Store,
};

async fn an_audit_finds_changed_truncated_and_missing_objects(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    for id in [
        "cgt-unchanged",
        "cgt-changed",
        "cgt-truncated",
        "cgt-missing",
    ] {
        fixture.set_task(id);
        fixture.archive_video(&host).await?;
    }
    let found = problems(&fixture, true).await?;
    ensure!(found.is_empty(), "{found:?}");

    fixture.set_task("cgt-missing");
    fixture.archive.store.delete(&fixture.video_key()).await?;
    let mut changed = host.video().to_vec();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fixture.set_task("cgt-changed");
    fixture.put(&Bytes::from(changed)).await?;
    fixture.set_task("cgt-truncated");
    fixture.put(&host.video().slice(..middle)).await?;

    let (changed, truncated, missing) = (
        ("cgt-changed", "has SHA-256"),
        ("cgt-truncated", "bytes, expected"),
        ("cgt-missing", "is missing"),
    );
    for (deep, expected) in [
        (true, &[changed, missing, truncated][..]),
        (false, &[missing, truncated]),
    ] {
        let found = problems(&fixture, deep).await?;
        let is_expected = |(found, expected): (&String, &(&str, &str))| {
            found.contains(expected.0) && found.contains(expected.1)
        };
        ensure!(found.len() == expected.len(), "{found:?}");
        ensure!(found.iter().zip(expected).all(is_expected), "{found:?}");
    }
    Ok(())
}
register!(an_audit_finds_changed_truncated_and_missing_objects);

async fn a_changed_byte_at_the_end_of_a_large_object_is_found(
    fixture: Fixture,
) -> anyhow::Result<()> {
    let host = Host::start(LARGE).await?;
    fixture.archive_video(&host).await?;
    let mut changed = host.video().to_vec();
    *changed.last_mut().context("the video is empty")? ^= 1;
    fixture.put(&changed.into()).await?;
    for (deep, expected) in [(false, 0), (true, 1)] {
        let verified: Vec<_> = audit::verify(&fixture.archive, None, deep)
            .try_collect()
            .await?;
        let findings: Vec<_> = verified.iter().flat_map(|it| &it.findings).collect();
        ensure!(findings.len() == expected, "{findings:?}");
        ensure!(findings.iter().all(|it| it.problem.contains("SHA-256")));
    }
    Ok(())
}
register!(a_changed_byte_at_the_end_of_a_large_object_is_found);

async fn an_audit_continues_after_any_key(mut fixture: Fixture) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    // `-` and `.` sort before `/`, which ends the name of a directory, and `0` sorts after it.
    for account in ["default", "default-eu"] {
        account.clone_into(&mut fixture.account);
        for id in ["cgt-10", "cgt-1", "cgt-1.b", "cgt-1-b"] {
            fixture.set_task(id);
            fixture.archive_video(&host).await?;
        }
    }
    let keys = keys_after(&fixture, None).await?;
    ensure!(keys.len() == 8 && keys.is_sorted(), "{keys:?}");
    for (index, key) in keys.iter().enumerate() {
        let rest = keys_after(&fixture, Some(key.clone())).await?;
        ensure!(rest == keys[index + 1..], "after {key}: {rest:?}");
    }
    for (position, expected) in [("d", 8), ("default", 8), ("default/0", 4), ("default/3", 0)] {
        let root = &fixture.archive.root;
        let position = Path::parse(format!("{root}/{position}"))?;
        let rest = keys_after(&fixture, Some(position.clone())).await?;
        ensure!(rest.len() == expected, "after {position}: {rest:?}");
    }
    Ok(())
}
register!(an_audit_continues_after_any_key);

async fn an_audit_verifies_only_the_receipts_of_its_share(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    for id in ["cgt-1", "cgt-2", "cgt-3", "cgt-4"] {
        fixture.set_task(id);
        fixture.archive_video(&host).await?;
    }
    let archive = &fixture.archive;
    let all = keys_after(&fixture, None).await?;
    let mut found = Vec::new();
    for is_first in [true, false] {
        let filter = |key: &Path| (audit::hash_of(archive, key) < 1 << 31) == is_first;
        let verification = Verification {
            filter: Some(&filter),
            deep: true,
            concurrency: 1,
            ..Verification::default()
        };
        let verified: Vec<_> = verification.run(archive).try_collect().await?;
        ensure!(
            verified
                .iter()
                .all(|it| it.findings.is_empty() && it.bytes > 0),
            "{verified:?}"
        );
        found.extend(verified.into_iter().map(|it| it.key));
    }
    found.sort();
    ensure!(found == all, "{found:?}");
    Ok(())
}
register!(an_audit_verifies_only_the_receipts_of_its_share);

async fn the_newest_report_of_an_audit_is_found(fixture: Fixture) -> anyhow::Result<()> {
    let archive = &fixture.archive;
    let now = fixture.resources.clock.now();
    ensure!(audit::last_report(archive, now).await?.is_none());
    let report = |started_at| AuditReport {
        started_at,
        ..AuditReport::default()
    };
    for (name, started_at) in [("2025-08-29.json", 2), ("2025-08-28.json", 1)] {
        audit::write_report(archive, name, &report(started_at)).await?;
    }
    // A repeated attempt changes nothing.
    audit::write_report(archive, "2025-08-29.json", &report(3)).await?;
    let last = audit::last_report(archive, now)
        .await?
        .context("no report")?;
    ensure!(last == report(2), "{last:?}");
    ensure!(keys_after(&fixture, None).await?.is_empty());
    Ok(())
}
register!(the_newest_report_of_an_audit_is_found);

/// Verifies the receipts after a key, and returns their keys.
async fn keys_after(fixture: &Fixture, after: Option<Path>) -> anyhow::Result<Vec<Path>> {
    let verification = Verification {
        after,
        ..Verification::default()
    };
    let verified: Vec<_> = verification.run(&fixture.archive).try_collect().await?;
    Ok(verified.into_iter().map(|it| it.key).collect())
}

async fn an_unreadable_object_or_receipt_does_not_end_an_audit(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    for (id, name, dialect) in [
        ("cgt-audit-tier", "video.mp4", Dialect::IsArchived),
        ("cgt-audit-failing", "video.mp4", Dialect::FailsReads),
        (
            "cgt-audit-receipt-tier",
            "manifest.json",
            Dialect::IsArchived,
        ),
        ("cgt-audit-receipt", "manifest.json", Dialect::DeniesMissing),
        ("cgt-audit-readable", "video.mp4", Dialect::None),
    ] {
        fixture.set_task(id);
        fixture.archive_video(&host).await?;
        set_dialect(&format!("{id}/{name}"), dialect).await?;
    }
    fixture.set_task("cgt-audit-receipt");
    let receipt = fixture.layout().manifest();
    let broken = "{\"objects\": ".into();
    fixture.archive.store.put(&receipt, broken).await?;

    let verified: Vec<_> = audit::verify(&fixture.archive, None, true)
        .try_collect()
        .await?;
    ensure!(verified.len() == 5, "{verified:?}");
    let findings = verified.iter().flat_map(|it| &it.findings);
    let mut found: Vec<_> = findings
        .map(|it| format!("{}: {} {}", it.receipt, it.object, it.problem))
        .collect();
    found.sort();
    let expected = [
        ("cgt-audit-failing/", "video.mp4 cannot be read: "),
        (
            "cgt-audit-receipt-tier/",
            "manifest.json is in an archive tier",
        ),
        ("cgt-audit-receipt/", "is not a receipt"),
        (
            "cgt-audit-tier/",
            "video.mp4 is in an archive tier of the store (InvalidObjectState)",
        ),
    ];
    ensure!(found.len() == expected.len(), "{found:?}");
    for (found, (key, problem)) in found.iter().zip(expected) {
        ensure!(found.contains(key) && found.contains(problem), "{found}");
    }
    Ok(())
}
register!(
    an_unreadable_object_or_receipt_does_not_end_an_audit,
    |store| store == Store::S3
);

/// A store may list what it has lost.
async fn a_receipt_that_is_listed_and_does_not_exist_is_missing(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    for id in ["cgt-audit-kept", "cgt-audit-lost"] {
        fixture.set_task(id);
        fixture.archive_video(&host).await?;
    }
    set_dialect("cgt-audit-lost/manifest.json", Dialect::IsGone).await?;
    let archive = &fixture.archive;
    let verified: Vec<_> = audit::verify(archive, None, false).try_collect().await?;
    let findings: Vec<_> = verified.iter().flat_map(|it| &it.findings).collect();
    let [finding] = findings[..] else {
        bail!("{verified:?}");
    };
    ensure!(finding.kind == FindingKind::Missing, "{finding:?}");
    ensure!(finding.object == "manifest.json", "{finding:?}");
    let read: Vec<_> = audit::read_receipts(archive, None).try_collect().await?;
    let unreadable: Vec<_> = read.iter().filter_map(|it| it.as_ref().err()).collect();
    ensure!(
        unreadable.len() == 1 && unreadable[0].problem == "is listed, but does not exist",
        "{read:?}"
    );
    Ok(())
}
register!(
    a_receipt_that_is_listed_and_does_not_exist_is_missing,
    |store| store == Store::S3
);

async fn a_receipt_that_is_deleted_after_it_was_listed_is_not_verified(
    fixture: Fixture,
) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    fixture.archive_video(&host).await?;
    let (archive, receipt) = (&fixture.archive, fixture.layout().manifest());
    ensure!(!verify_receipt(archive, &receipt, true).await.is_deleted());
    archive.store.delete(&receipt).await?;
    let verified = verify_receipt(archive, &receipt, true).await;
    ensure!(verified.is_deleted(), "{verified:?}");
    Ok(())
}
register!(a_receipt_that_is_deleted_after_it_was_listed_is_not_verified);

async fn only_what_an_attempt_staged_is_a_leftover(fixture: Fixture) -> anyhow::Result<()> {
    let staging = fixture.archive.root.clone().join(".staging");
    let at = |key: &str| staging.parts().chain(Path::from(key).parts()).collect();
    let attempt = "8f14e45f-ceea-4a7b-9f2b-3d1c5d0e6a11";
    let staged = [
        format!("cgt-1-{attempt}/video"),
        format!("cgt-1-{attempt}/last_frame"),
        format!("probe-{attempt}/copied-if-none-match"),
    ];
    // What version 0.1.0 archived at a destination under `.staging/`, and what somebody else put there.
    let others = [
        "default/2025/07/18/cgt-1/manifest.json".to_owned(),
        "default/2025/07/18/cgt-1/task.json".to_owned(),
        "default/2025/07/18/cgt-1/video.mp4".to_owned(),
        format!("cgt-1-{attempt}/video.mp4"),
        format!("cgt-1-{attempt}/deeper/video"),
        "cgt-1/video".to_owned(),
        format!("cgt-2-{attempt}"),
    ];
    for key in staged.iter().chain(&others) {
        let key: Path = at(key);
        fixture.archive.store.put(&key, "bytes".into()).await?;
    }
    let root = &fixture.archive.root;
    let copied = root.clone().join(format!("probe-{attempt}-copied"));
    for key in [
        copied.clone(),
        root.clone().join(format!("probe-{attempt}")),
    ] {
        fixture.archive.store.put(&key, "bytes".into()).await?;
    }
    let leftovers = audit::find_leftovers(&fixture.archive, fixture.resources.clock.now()).await;
    ensure!(leftovers.errors.is_empty(), "{leftovers:?}");
    let mut found: Vec<_> = leftovers
        .objects
        .into_iter()
        .map(|it| it.location)
        .collect();
    let mut expected: Vec<Path> = staged.iter().map(|key| at(key)).collect();
    expected.push(copied);
    found.sort();
    expected.sort();
    ensure!(found == expected, "{found:?}");
    Ok(())
}
register!(only_what_an_attempt_staged_is_a_leftover);

async fn an_archive_is_never_under_staging(fixture: Fixture) -> anyhow::Result<()> {
    let options = |prefix: &str| ObjectOptions {
        prefix: Path::from(prefix),
        ..ObjectOptions::default()
    };
    let name = fixture.prefix;
    for prefix in [
        ".staging",
        ".staging/",
        ".staging/team",
        "team/.staging/videos",
        "%2Estaging/team",
        "team%2F.stag%69ng",
    ] {
        let prefix = format!("{name}/{prefix}");
        let opened = fixture.store.open(&prefix, ObjectOptions::default());
        check_refusal(&prefix, opened.map_err(|error| error.to_string()))?;
        let destination = format!("{}/{prefix}", bucket(&fixture));
        let opened = fixture.archive.at(&destination.parse()?);
        check_refusal(&destination, opened.map_err(|error| error.to_string()))?;
    }
    let opened = fixture.store.open(name, options("team/.staging"));
    check_refusal("team/.staging", opened.map_err(|error| error.to_string()))?;
    for allowed in ["staging", ".staging2", "a.staging"] {
        fixture
            .store
            .open(&format!("{name}/{allowed}"), options(allowed))?;
    }
    // Some file systems ignore case, no object store does.
    let other_case = fixture.store.open(&format!("{name}/.Staging"), options(""));
    ensure!(other_case.is_ok() == (fixture.store != Store::File));
    Ok(())
}
register!(an_archive_is_never_under_staging, Store::has_url);

/// Returns the URL above the prefix of the scenario.
fn bucket(fixture: &Fixture) -> String {
    let url = fixture.archive.url().as_str().trim_end_matches('/');
    url.trim_end_matches(fixture.prefix)
        .trim_end_matches('/')
        .to_owned()
}

fn check_refusal(prefix: &str, opened: Result<Archive, String>) -> anyhow::Result<()> {
    let error = opened.err().with_context(|| format!("opened {prefix}"))?;
    ensure!(
        error.contains("`.staging` is reserved"),
        "{prefix}: {error}"
    );
    Ok(())
}

/// Returns the problems in all receipts, ordered by the receipts' keys.
async fn problems(fixture: &Fixture, deep: bool) -> anyhow::Result<Vec<String>> {
    let verified: Vec<_> = audit::verify(&fixture.archive, None, deep)
        .try_collect()
        .await?;
    // A receipt names two objects: the video and `task.json`.
    ensure!(verified.iter().all(|it| it.objects == 2), "{verified:?}");
    ensure!(verified.len() == 4, "{verified:?}");
    let findings = verified.into_iter().flat_map(|it| it.findings);
    let mut problems: Vec<_> = findings
        .map(|it| format!("{}: {} {}", it.receipt, it.object, it.problem))
        .collect();
    problems.sort();
    Ok(problems)
}
