//! Reads all accounts: those of the accounts file, and the account `default` of the environment.

use std::path::PathBuf;

use seedance_archiver_proto::{account as account_name, names};

use super::{
    account::Account,
    account_draft::AccountDraft,
    accounts_file::{AccountTable, File},
    environment::Environment,
    preset,
    reader::{Input, Reader},
    row::Row,
    source::Source,
    tables,
};

type Setting = Row<AccountDraft>;

/// An account that has a base URL and an API key, with its draft. Its other settings may be invalid; the reader
/// has the errors.
pub(super) struct ReadAccount {
    pub(super) account: Account,
    pub(super) draft: AccountDraft,
}

/// Parses the text of an accounts file. `name` is the path in error messages.
pub(super) fn read_file(
    name: &str,
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
    reader: &mut Reader,
) -> Vec<ReadAccount> {
    let first_error = reader.errors.len();
    let file = File::new(name, text, variable);
    let rows = tables::account::rows();
    let root = file.parse(reader);
    let tables = root.iter().flat_map(|root| file.accounts(root, reader));
    let tables: Vec<_> = tables.collect();
    let accounts = tables
        .iter()
        .filter_map(|table| read_table(table, &rows, reader))
        .collect();
    if let Some(errors) = reader.errors.get_mut(first_error..) {
        errors.sort_by_key(|error| match error.source {
            Source::Line { line, .. } => line,
            _ => 0,
        });
    }
    accounts
}

/// Reads the accounts file, if there is one. If the file cannot be read, sets `accounts_file` to `None`.
///
/// Also reads the account `default` from the environment if there is no accounts file or any of the account's
/// variables is set.
pub(super) fn read(
    accounts_file: &mut Option<PathBuf>,
    worker_input: &dyn Input,
    variable: &dyn Fn(&str) -> Option<String>,
    reader: &mut Reader,
) -> Vec<ReadAccount> {
    let has_file = worker_input.value(tables::worker::ACCOUNTS_FILE).is_some();
    let mut accounts = Vec::new();
    if let Some(path) = accounts_file
        .as_ref()
        .map(|path| path.display().to_string())
    {
        match std::fs::read_to_string(&path) {
            Ok(text) => accounts = read_file(&path, &text, variable, reader),
            Err(error) => {
                let problem = format!("names `{path}`, which cannot be read: {error}");
                reader.error(worker_input, tables::worker::ACCOUNTS_FILE, problem);
                *accounts_file = None;
            }
        }
    }
    let rows = tables::account::rows();
    let environment = Environment::new(variable, "accounts.default.", &rows);
    let is_in_file = accounts
        .iter()
        .any(|it| it.account.name() == names::DEFAULT_ACCOUNT);
    match environment.first_given() {
        Some(name) if is_in_file => {
            let account = names::DEFAULT_ACCOUNT;
            let problem = format!(
                "is set, but the accounts file also defines the account `{account}`; remove one of them"
            );
            reader.error(&environment, name, problem);
        }
        None if has_file => {}
        _ => accounts.extend(read_environment(&environment, &rows, reader)),
    }
    accounts
}

/// Reads the table of an account. Returns `None` if its base URL or its key is missing or invalid.
fn read_table(table: &AccountTable, rows: &[Setting], reader: &mut Reader) -> Option<ReadAccount> {
    let mut draft = AccountDraft::new(table.name)?;
    if let Err(problem) = account_name::check(table.name) {
        reader.error(table, "", problem);
    }
    reader.read(rows, table, &mut draft);
    let is_given = |name: &str| table.value(name).is_some();
    if !is_given("base_url") && !is_given("preset") {
        let problem = "has neither a preset nor a base_url; set one";
        reader.error(table, "", problem);
    }
    let has_secret = |name: &str| {
        ["", "_file", "_env"]
            .iter()
            .any(|suffix| is_given(&format!("{name}{suffix}")))
    };
    if !has_secret("api_key") {
        let problem = "has no API key; set api_key, api_key_file or api_key_env";
        reader.error(table, "", problem);
    }
    if table.entries("callbacks").is_ok() && !has_secret("callbacks.token") {
        let problem = "has no token; set token, token_file or token_env";
        reader.error(table, "callbacks", problem);
    }
    if table.entries("webhook").is_ok() {
        if !has_secret("webhook.url") {
            reader.error(table, "webhook", "has no URL; set url, url_file or url_env");
        }
        if !has_secret("webhook.key") {
            reader.error(table, "webhook", "has no key; set key, key_file or key_env");
        }
    }
    let account = draft.finish(table, reader);
    let known: Vec<_> = rows
        .iter()
        .flat_map(Setting::keys)
        .map(|key| key.name)
        .collect();
    table.check_keys(&known, reader);
    account.map(|account| ReadAccount { account, draft })
}

/// Reads the account `default` of the environment.
fn read_environment(
    input: &Environment,
    rows: &[Setting],
    reader: &mut Reader,
) -> Option<ReadAccount> {
    let mut draft = AccountDraft::new(names::DEFAULT_ACCOUNT)?;
    reader.read(rows, input, &mut draft);
    if !input.is_given("api_key") && !input.is_given("api_key_file") {
        let problem = "is not set; set it to the API key of your account, or set \
                       SEEDANCE_API_KEY_FILE to a file that contains the key, or \
                       SEEDANCE_ACCOUNTS_FILE to an accounts file";
        reader.error(input, "api_key", problem);
    }
    if !input.is_given("base_url") && !input.is_given("preset") {
        reader.record_preset(input, "preset", preset::DEFAULT.name);
        draft.preset = Some(preset::DEFAULT);
    }
    if draft.callback_token.is_none() && input.is_given("callbacks.start_lifecycles") {
        let problem = "has no effect without SEEDANCE_CALLBACK_TOKEN; set both";
        reader.error(input, "callbacks.start_lifecycles", problem);
    }
    check_webhook(input, &draft, reader);
    let account = draft.finish(input, reader);
    account.map(|account| ReadAccount { account, draft })
}

/// Checks that the environment gives the URL of a webhook and its key, or neither.
fn check_webhook(input: &Environment, draft: &AccountDraft, reader: &mut Reader) {
    let is_given = |name: &str| input.is_given(name) || input.is_given(&format!("{name}_file"));
    let (has_url, has_key) = (is_given("webhook.url"), is_given("webhook.key"));
    // Another error says why a secret that is given has no value.
    if has_url && !has_key && draft.webhook_url.is_some() {
        let problem = "is not set; set it to the key that signs the events: the output of `openssl rand -base64 32`";
        reader.error(input, "webhook.key", problem);
    }
    if has_key && !has_url && draft.webhook_key.is_some() {
        let problem = "is not set; set it to the URL that receives the events, or remove SEEDANCE_WEBHOOK_KEY";
        reader.error(input, "webhook.url", problem);
    }
}

#[cfg(test)]
mod tests;
