//! The columns of CSV.

use seedance_archiver_proto::{
    names,
    v1::{ArchivedObject, Manifest, Usage},
};
use serde::Serialize;

use super::cell::Cell;
use crate::archive::{ObjectKind, audit::StoredReceipt, receipt};

/// A column: its name, and its cell for a receipt.
pub(super) type Column = (&'static str, fn(&StoredReceipt) -> Cell);

/// All columns. Names and order are documented and stable: a new column is the last one.
pub(super) const COLUMNS: [Column; 40] = [
    ("task_id", |it| Cell::text(&it.manifest.task_id)),
    ("account", |it| Cell::text(&it.manifest.account)),
    ("model", |it| Cell::text(&it.manifest.model)),
    ("service_tier", |it| Cell::text(&it.manifest.service_tier)),
    ("task_created_at", |it| {
        Cell::time(it.manifest.task_created_at)
    }),
    ("task_updated_at", |it| {
        Cell::time(it.manifest.task_updated_at)
    }),
    ("archived_at", |it| Cell::time(it.manifest.archived_at)),
    ("resolution", |it| Cell::text(&it.manifest.resolution)),
    ("ratio", |it| Cell::text(&it.manifest.ratio)),
    ("duration", |it| Cell::number(it.manifest.duration)),
    ("frames", |it| Cell::number(it.manifest.frames)),
    ("framespersecond", |it| {
        Cell::number(it.manifest.framespersecond)
    }),
    ("generate_audio", |it| {
        Cell::flag(it.manifest.generate_audio)
    }),
    ("seed", |it| Cell::number(it.manifest.seed)),
    ("completion_tokens", |it| {
        usage(it, |usage| usage.completion_tokens)
    }),
    ("total_tokens", |it| usage(it, |usage| usage.total_tokens)),
    ("tool_usage", tool_usage),
    ("object_key", object_key),
    ("object_url", |it| object(it, |it| Cell::text(&it.url))),
    ("object_size_bytes", |it| {
        object(it, |it| Cell::Number(it.size_bytes))
    }),
    ("object_sha256", |it| {
        object(it, |it| Cell::text(&it.sha256))
    }),
    ("object_content_type", |it| {
        object(it, |it| Cell::text(&it.content_type))
    }),
    ("object_etag", |it| object(it, |it| Cell::text(&it.etag))),
    ("object_version", |it| {
        object(it, |it| Cell::text(&it.version))
    }),
    ("manifest_key", |it| Cell::text(it.key.as_ref())),
    ("manifest_url", |it| Cell::text(&it.manifest.manifest_url)),
    ("draft", |it| Cell::flag(it.manifest.draft)),
    ("draft_task_id", |it| Cell::text(&it.manifest.draft_task_id)),
    ("priority", |it| Cell::number(it.manifest.priority)),
    ("safety_identifier", |it| {
        Cell::text(&it.manifest.safety_identifier)
    }),
    ("execution_expires_after", |it| {
        Cell::number(it.manifest.execution_expires_after)
    }),
    ("tools", tools),
    ("source_host", |it| Cell::text(&it.manifest.source_host)),
    ("attempts", |it| Cell::positive(it.manifest.attempts)),
    ("bytes_fetched_again", |it| {
        Cell::Number(it.manifest.bytes_fetched_again)
    }),
    ("archiver_version", |it| {
        Cell::text(&it.manifest.archiver_version)
    }),
    ("contract_version", |it| {
        Cell::text(&it.manifest.contract_version)
    }),
    ("warnings", |it| list(&it.manifest.warnings)),
    ("objects", |it| list(&it.manifest.objects)),
    ("has_c2pa_manifest", |it| {
        object(it, |it| Cell::flag(it.has_c2pa_manifest))
    }),
];

/// Returns the object that the task was created for: the video, or the file of a 3D task.
pub(super) fn main_object(manifest: &Manifest) -> Option<&ArchivedObject> {
    let is_frame = |name: &str| {
        let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
        stem == ObjectKind::LastFrame.name()
    };
    let mut objects = manifest.objects.iter();
    objects.find(|it| it.name != names::TASK && !is_frame(&it.name))
}

fn object(receipt: &StoredReceipt, cell: fn(&ArchivedObject) -> Cell) -> Cell {
    main_object(&receipt.manifest).map_or(Cell::Unknown, cell)
}

/// Unlike the URL in the receipt, the key is right in an archive that was moved.
fn object_key(receipt: &StoredReceipt) -> Cell {
    let object = main_object(&receipt.manifest);
    object.map_or(Cell::Unknown, |object| {
        Cell::text(receipt::beside(&receipt.key, &object.name).as_ref())
    })
}

fn usage(receipt: &StoredReceipt, tokens: fn(&Usage) -> i64) -> Cell {
    Cell::number(receipt.manifest.usage.as_ref().map(tokens))
}

fn tool_usage(receipt: &StoredReceipt) -> Cell {
    let usage = receipt.manifest.usage.as_ref();
    let calls = usage.map(|usage| &usage.tool_usage);
    Cell::json(calls.filter(|calls| !calls.is_empty()))
}

fn tools(receipt: &StoredReceipt) -> Cell {
    let tools = receipt.manifest.tools.iter();
    let types: Vec<_> = tools.map(|tool| &tool.r#type).collect();
    list(&types)
}

/// Returns the cell of a list. That of an empty list is empty, as in a receipt.
fn list(items: &[impl Serialize]) -> Cell {
    Cell::json((!items.is_empty()).then_some(&items))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../docs/receipts.md");

    #[test]
    fn each_column_is_documented_in_its_order() {
        let (_, section) = PAGE.split_once("\n## Columns\n").expect("no section");
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
        let names = rows.filter_map(|row| Some(row.split_once("` |")?.0));
        let documented: Vec<_> = names.take(COLUMNS.len()).collect();
        assert_eq!(documented, COLUMNS.map(|(name, _)| name));
    }

    #[test]
    fn the_main_object_is_the_video_or_the_file() {
        let name_of = |names: &[&str]| {
            let object = |name: &&str| ArchivedObject {
                name: (*name).to_owned(),
                ..ArchivedObject::default()
            };
            let manifest = Manifest {
                objects: names.iter().map(object).collect(),
                ..Manifest::default()
            };
            main_object(&manifest).map(|object| object.name.clone())
        };
        for (names, expected) in [
            (
                &["video.mp4", "last_frame.png", "task.json"][..],
                Some("video.mp4"),
            ),
            (
                &["last_frame.jpg", "task.json", "file.glb"],
                Some("file.glb"),
            ),
            (&["last_frame.png", "task.json"], None),
        ] {
            assert_eq!(name_of(names).as_deref(), expected);
        }
    }
}
