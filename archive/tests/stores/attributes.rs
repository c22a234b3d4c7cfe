//! Content types, metadata and tags of objects.

use anyhow::{Context, ensure};
use object_store::{Attribute, GetOptions, ObjectStore};
use seedance_archiver_archive::ObjectOptions;

use crate::{
    fixture::{Fixture, PADDINGS},
    host::Host,
    registry::register,
    requests,
    store::Store,
};

/// Tags with characters that are escaped in queries and in XML.
const TAGS: [(&str, &str); 2] = [("team", "video"), ("cost centre", "a+b=c/d")];

async fn objects_have_a_content_type_and_the_metadata_of_their_task(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    for padding in PADDINGS {
        fixture.set_task(&format!("cgt-{padding}"));
        fixture.archive_video(&Host::start(padding).await?).await?;
        for (name, content_type, task) in [
            ("video.mp4", "video/mp4", Some(fixture.task.id.as_str())),
            ("task.json", "application/json", None),
            ("manifest.json", "application/json", None),
        ] {
            let key = fixture.layout().file(name);
            let object = fixture.archive.store.get_opts(&key, GetOptions::default());
            let attributes = object.await?.attributes;
            let value = |attribute| attributes.get(&attribute).map(|value| value.as_ref());
            let found = value(Attribute::ContentType);
            ensure!(found == Some(content_type), "{key}: {attributes:?}");
            let found = value(Attribute::Metadata("seedancetask".into()));
            ensure!(found == task, "{key}: {attributes:?}");
        }
    }
    Ok(())
}
register!(
    objects_have_a_content_type_and_the_metadata_of_their_task,
    Store::has_attributes
);

async fn objects_have_the_tags_of_the_account(mut fixture: Fixture) -> anyhow::Result<()> {
    fixture.archive = fixture.store.open(fixture.prefix, with_tags())?;
    for padding in PADDINGS {
        fixture.set_task(&format!("cgt-{padding}"));
        fixture.archive_video(&Host::start(padding).await?).await?;
        for name in ["video.mp4", "task.json", "manifest.json"] {
            let key = fixture.layout().file(name);
            let found = requests::tags(&key).await?;
            for (name, value) in TAGS {
                let tag = format!("<Key>{name}</Key><Value>{value}</Value>");
                ensure!(found.contains(&tag), "{key} has no {tag}: {found}");
            }
        }
    }
    Ok(())
}
register!(objects_have_the_tags_of_the_account, Store::has_tags);

async fn a_tag_can_be_the_user_of_the_task(mut fixture: Fixture) -> anyhow::Result<()> {
    let options = ObjectOptions {
        tags: [("user", "{safety_identifier}"), ("team", "video")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..ObjectOptions::default()
    };
    fixture.archive = fixture.store.open(fixture.prefix, options)?;
    for padding in PADDINGS {
        for (user, expected) in [
            ("user-7", Some("<Key>user</Key><Value>user-7</Value>")),
            ("", None),
            ("Ünal*, \"7\"\n", None),
            (&"x".repeat(65_536), None),
        ] {
            fixture.set_task(&format!("cgt-{padding}-{}", user.len()));
            fixture.task.safety_identifier = user.to_owned();
            let manifest = fixture.archive_video(&Host::start(padding).await?).await?;
            for name in ["video.mp4", "task.json", "manifest.json"] {
                let key = fixture.layout().file(name);
                let found = requests::tags(&key).await?;
                ensure!(found.contains("<Value>video</Value>"), "{key}: {found}");
                match expected {
                    Some(tag) => ensure!(found.contains(tag), "{key}: {found}"),
                    None => ensure!(!found.contains("<Key>user</Key>"), "{key}: {found}"),
                }
            }
            let is_warned = manifest
                .warnings
                .iter()
                .any(|it| it.starts_with("no tag `user`"));
            let is_dropped = expected.is_none() && !user.is_empty();
            ensure!(is_warned == is_dropped, "{:?}", manifest.warnings);
        }
    }
    Ok(())
}
register!(a_tag_can_be_the_user_of_the_task, Store::has_tags);

async fn tags_are_rejected_by_stores_without_tags(fixture: Fixture) -> anyhow::Result<()> {
    let opened = fixture.store.open(fixture.prefix, with_tags());
    let error = opened.err().context("the archive was opened")?.to_string();
    ensure!(error.contains("does not support object tags"), "{error}");
    Ok(())
}
register!(tags_are_rejected_by_stores_without_tags, |store| {
    store.has_url() && !store.has_tags()
});

fn with_tags() -> ObjectOptions {
    ObjectOptions {
        tags: TAGS
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..ObjectOptions::default()
    }
}
