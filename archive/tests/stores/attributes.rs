//! What objects say of themselves, where the store lets them.

use anyhow::{Context, ensure};
use futures::FutureExt;
use object_store::{Attribute, GetOptions, ObjectStore};
use seedance_archiver_archive::ObjectOptions;

use crate::{
    Behaviour,
    host::Host,
    requests,
    store::Store,
    world::{SIZES, World},
};

/// With what queries and XML escape.
const TAGS: [(&str, &str); 2] = [("team", "video"), ("cost centre", "a+b=c/d")];

pub(crate) fn behaviours() -> Vec<Behaviour> {
    vec![
        Behaviour {
            name: "objects_have_a_type_and_name_their_task",
            is_of: Store::has_attributes,
            run: |world| types_and_metadata(world).boxed(),
        },
        Behaviour {
            name: "objects_have_the_accounts_tags",
            is_of: Store::has_tags,
            run: |world| tags(world).boxed(),
        },
        Behaviour {
            name: "tags_are_refused_where_there_are_none",
            is_of: |store| store.has_url() && !store.has_tags(),
            run: |world| no_tags(world).boxed(),
        },
    ]
}

async fn types_and_metadata(mut world: World) -> anyhow::Result<()> {
    for filling in SIZES {
        world.with_task(&format!("cgt-{filling}"));
        world.deposit(&Host::of(filling).await?).await?;
        for (name, content_type, task) in [
            ("video.mp4", "video/mp4", Some(world.task.id.as_str())),
            ("task.json", "application/json", None),
            ("manifest.json", "application/json", None),
        ] {
            let key = world.layout().file(name);
            let object = world.archive.store.get_opts(&key, GetOptions::default());
            let attributes = object.await?.attributes;
            let said = |attribute| attributes.get(&attribute).map(|value| value.as_ref());
            let content = said(Attribute::ContentType);
            ensure!(content == Some(content_type), "{key}: {attributes:?}");
            let named = said(Attribute::Metadata("seedancetask".into()));
            ensure!(named == task, "{key}: {attributes:?}");
        }
    }
    Ok(())
}

async fn tags(mut world: World) -> anyhow::Result<()> {
    world.archive = world.store.open(world.place, with_tags())?;
    for filling in SIZES {
        world.with_task(&format!("cgt-{filling}"));
        world.deposit(&Host::of(filling).await?).await?;
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

async fn no_tags(world: World) -> anyhow::Result<()> {
    let opened = world.store.open(world.place, with_tags());
    let error = opened.err().context("it was opened")?.to_string();
    ensure!(error.contains("cannot have tags"), "{error}");
    Ok(())
}

fn with_tags() -> ObjectOptions {
    ObjectOptions {
        tags: TAGS
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..ObjectOptions::default()
    }
}
