//! How an account's videos are archived: `[accounts.NAME.archive]`.

use std::collections::BTreeMap;

use object_store::path::Path;

use seedance_archiver_archive::{KeyTemplate, ObjectOptions, checks::Mismatch};

use super::section::Section;

/// How an account's videos are archived.
#[derive(Clone, Debug, Default)]
pub struct ArchiveOptions {
    /// How it wants its objects.
    pub objects: ObjectOptions,
    /// The folder of each task.
    pub keys: KeyTemplate,
    /// What becomes of a video that its record does not describe.
    pub mismatch: Mismatch,
}

/// Those of an account in the accounts file.
pub(super) fn archive_options(account: &Section) -> ArchiveOptions {
    let Some(section) = account.section("archive") else {
        return ArchiveOptions::default();
    };
    let text = |key| section.text(key).map(str::to_owned);
    let options = ArchiveOptions {
        objects: ObjectOptions {
            prefix: section.parsed("prefix", prefix).unwrap_or_default(),
            storage_class: text("storage_class"),
            kms_key_id: text("kms_key_id"),
            tags: tags(&section),
        },
        keys: section.parsed("keys", keys).unwrap_or_default(),
        mismatch: section.parsed("mismatch", mismatch).unwrap_or_default(),
    };
    section.finish();
    options
}

fn prefix(text: &str) -> Result<Path, String> {
    Path::parse(text).map_err(|_| "must be folders such as `team-a/videos`".to_owned())
}

fn keys(text: &str) -> Result<KeyTemplate, String> {
    text.parse::<KeyTemplate>()
        .map_err(|error| error.to_string())
}

fn mismatch(word: &str) -> Result<Mismatch, String> {
    word.parse()
        .map_err(|_| "must be `warn` or `refuse`".to_owned())
}

fn tags(section: &Section) -> BTreeMap<String, String> {
    let Some(tags) = section.section("tags") else {
        return BTreeMap::new();
    };
    let tags = tags.pairs(|value| Some(value.to_owned()), "must be text in quotes");
    tags.into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
