//! The settings of how an account's videos are archived: `[accounts.NAME.archive]`.

use object_store::path::Path;
use seedance_archiver_archive::{Destinations, KeyTemplate, ObjectOptions};

use crate::config::{
    account_draft::AccountDraft,
    format::{NONE, list, pairs, text, variant, verbatim},
    row::{Map, Row},
};

type Setting = Row<AccountDraft>;

/// Returns the archive options of an account.
pub(super) fn rows() -> Vec<Setting> {
    vec![
        Setting::value(
            "archive.prefix",
            verbatim("path", parse_prefix, show_prefix),
            |it| &mut it.account.archive.objects.prefix,
            "Prefix of the account under the archive URL, such as `team-a/videos`. It also applies to the \
             `destination` of a request.",
        ),
        Setting::value(
            "archive.destinations",
            list(Destinations::parse),
            |it| &mut it.account.archive.destinations,
            "Archive URLs to which the `destination` of a request may send the account's videos, besides the archive of \
             the worker. A URL allows the prefixes below it too. See [accounts.md](accounts.md).",
        )
        .variable("SEEDANCE_DESTINATIONS"),
        Setting::value(
            "archive.keys",
            verbatim("template", parse_template, ToString::to_string),
            |it| &mut it.account.archive.keys,
            "Template of the prefix of each task. See \
             [accounts.md](accounts.md).",
        ),
        Setting::value(
            "archive.storage_class",
            text().optional(),
            |it| &mut it.account.archive.objects.storage_class,
            "Storage class of videos and other generated files, but not of `task.json` and the receipt. Only \
             with `s3://`.",
        )
        .default("that of the bucket"),
        Setting::value(
            "archive.kms_key_id",
            text().optional(),
            |it| &mut it.account.archive.objects.kms_key_id,
            "SSE-KMS key of every object. Only with `s3://`.",
        )
        .default("that of the bucket"),
        Setting::map(
            "archive.tags",
            Map {
                description: "table of tags",
                insert: |it, tag, value| {
                    ObjectOptions::check_tag(value)?;
                    let tags = &mut it.account.archive.objects.tags;
                    tags.insert(tag.to_owned(), value.to_owned());
                    Ok(())
                },
                show: |it| pairs(&it.account.archive.objects.tags),
            },
            "Tags of every object. `{safety_identifier}` in a value is replaced by that of the task, and a tag that stores \
             may reject is left out. Only with `s3://`.",
        ),
        Setting::value(
            "archive.mismatch",
            variant(),
            |it| &mut it.account.archive.mismatch,
            "What to do with a valid MP4 that does not match its task record: `warn` archives it with a \
             warning in the receipt, `refuse` treats it as corrupt. See \
             [receipt.md](receipt.md).",
        ),
    ]
}

fn parse_prefix(text: &str) -> Result<Path, String> {
    Path::parse(text).map_err(|_| "must be a path such as `team-a/videos`".to_owned())
}

fn show_prefix(prefix: &Path) -> String {
    if prefix.as_ref().is_empty() {
        return NONE.to_owned();
    }
    prefix.to_string()
}

fn parse_template(text: &str) -> Result<KeyTemplate, String> {
    text.parse::<KeyTemplate>()
        .map_err(|error| error.to_string())
}
