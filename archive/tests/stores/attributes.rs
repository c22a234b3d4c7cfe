//! Content types, metadata and tags of objects.

use anyhow::{Context, ensure};
use object_store::{Attribute, GetOptions, ObjectStore};
use seedance_archiver_archive::ObjectOptions;

use crate::{
    host::Host,
    registry::register,
    requests,
    store::Store,
    world::{PADDINGS, World},
};

/// Tags with characters that are escaped in queries and in XML.
const TAGS: [(&str, &str); 2] = [("team", "video"), ("cost centre", "a+b=c/d")];

async fn objects_have_a_content_type_and_metadata_of_their_task(
    mut world: World,
) -> anyhow::Result<()> {
    for padding in PADDINGS {
        world.set_task(&format!("cgt-{padding}"));
        world.archive_video(&Host::new(padding).await?).await?;
        for (name, content_type, task) in [
            ("video.mp4", "video/mp4", Some(world.task.id.as_str())),
            ("task.json", "application/json", None),
            ("manifest.json", "application/json", None),
        ] {
            let key = world.layout().file(name);
            let object = world.archive.store.get_opts(&key, GetOptions::default());
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
    objects_have_a_content_type_and_metadata_of_their_task,
    Store::has_attributes
);

async fn objects_have_the_tags_of_the_account(mut world: World) -> anyhow::Result<()> {
    world.archive = world.store.open(world.prefix, with_tags())?;
    for padding in PADDINGS {
        world.set_task(&format!("cgt-{padding}"));
        world.archive_video(&Host::new(padding).await?).await?;
        for name in ["video.mp4", "task.json", "manifest.json"] {
            let key = world.layout().file(name);
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

async fn tags_are_rejected_by_stores_without_tags(world: World) -> anyhow::Result<()> {
    let opened = world.store.open(world.prefix, with_tags());
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
