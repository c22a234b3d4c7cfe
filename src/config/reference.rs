//! Generates the tables of `docs/configuration.md`. The rest of the page is written by hand.

use std::fmt::Write;

use super::{
    account_draft::AccountDraft,
    format::NONE,
    row::{Kind, Row},
    settings::show_default,
    tables,
    worker_draft::WorkerDraft,
};

/// Comment after each table.
const END: &str = "<!-- end -->";

/// Returns the page with new tables: each replaces the text between `<!-- settings: GROUP -->` and
/// `<!-- end -->`.
pub fn update_page(page: &str) -> String {
    let mut page = page.to_owned();
    for (group, table) in tables() {
        let start = format!("<!-- settings: {group} -->\n");
        if let Some((before, rest)) = page.split_once(&start)
            && let Some((_, after)) = rest.split_once(END)
        {
            page = format!("{before}{start}{table}{END}{after}");
        }
    }
    page
}

/// Returns the tables by group. No setting is in two groups.
fn tables() -> Vec<(&'static str, String)> {
    let worker = table(&tables::worker::rows(), &mut WorkerDraft::default(), "");
    let mut tables = vec![("worker", worker)];
    let Some(mut draft) = AccountDraft::new("NAME") else {
        return tables;
    };
    let (callbacks, rows) = split(tables::account::rows(), "callbacks.");
    let (webhook, rows) = split(rows, "webhook.");
    let (archive, account) = split(rows, "archive.");
    for (group, rows, prefix) in [
        ("account", account, ""),
        ("archive", archive, "archive."),
        ("callbacks", callbacks, "callbacks."),
        ("webhook", webhook, "webhook."),
    ] {
        tables.push((group, table(&rows, &mut draft, prefix)));
    }
    tables
}

/// Splits off the rows whose names start with a prefix.
fn split<D>(rows: Vec<Row<D>>, prefix: &str) -> (Vec<Row<D>>, Vec<Row<D>>) {
    rows.into_iter()
        .partition(|row| row.name.starts_with(prefix))
}

/// Returns the table of some settings. `prefix` is removed from their names.
fn table<D>(rows: &[Row<D>], draft: &mut D, prefix: &str) -> String {
    let mut table = "| Setting | Variable | Format | Default | Meaning |\n\
                     |---|---|---|---|---|\n"
        .to_owned();
    for row in rows {
        let keys = row.keys();
        let names = keys.iter().map(|key| key.name.strip_prefix(prefix));
        let variables = keys.iter().map(|key| key.variable.as_deref());
        let cells = [
            code(names.flatten()),
            code(variables.flatten()),
            description(row).replace('|', "\\|"),
            default(row, draft),
            row.doc.to_owned(),
        ];
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| {} |", cells.join(" | "));
    }
    table
}

fn code<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn description<D>(row: &Row<D>) -> &str {
    match &row.kind {
        Kind::Value(field) => field.description(),
        Kind::Map(map) => map.description,
        Kind::Secret(_) => "secret, path, or name of a variable",
    }
}

fn default<D>(row: &Row<D>, draft: &mut D) -> String {
    match (row.default, show_default(row, draft).as_str()) {
        (Some(default), _) => default.to_owned(),
        (None, NONE) => "none".to_owned(),
        (None, value) => format!("`{value}`"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_page_describes_every_setting() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
        let page = std::fs::read_to_string(&path).unwrap();
        for (group, _) in tables() {
            let start = format!("<!-- settings: {group} -->\n");
            assert!(
                page.contains(&start),
                "docs/configuration.md has no {start}"
            );
        }
        let updated = update_page(&page);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &updated).unwrap();
            return;
        }
        assert!(
            page == updated,
            "docs/configuration.md is stale; regenerate its tables with `UPDATE_DOCS=1 cargo test --lib \
             config::reference`"
        );
    }

    #[test]
    fn names_and_variables_are_unique() {
        let worker = tables::worker::rows();
        let account = tables::account::rows();
        let keys = worker.iter().flat_map(Row::keys);
        let keys: Vec<_> = keys.chain(account.iter().flat_map(Row::keys)).collect();
        let variables = keys.iter().filter_map(|key| key.variable.as_ref());
        for (index, variable) in variables.clone().enumerate() {
            assert!(
                !variables.clone().skip(index + 1).any(|it| it == variable),
                "{variable}"
            );
        }
        let names = account.iter().flat_map(Row::keys).map(|key| key.name);
        let names: Vec<_> = names.collect();
        for (index, name) in names.iter().enumerate() {
            assert!(!names[index + 1..].contains(name), "{name}");
        }
    }
}
