//! The accounts file: one table for each account, `[accounts.NAME]`.

use std::path::PathBuf;

use reqwest::Url;
use seedance_archiver_policy::{poll::PollSchedule, windows::Windows};
use seedance_archiver_proto::{account as account_name, status};
use seedance_archiver_seedance::{Endpoint, RateLimit, StatusAliases, read_lines};

use super::{
    Account, Callbacks, Secret, TaskPath, UrlHosts,
    archive_options::archive_options,
    callbacks,
    preset::{self, Preset},
    section::{File, Section},
    source::{Fault, Sources},
    url::http_url,
};

/// What a file says.
pub(super) struct Reading {
    /// The accounts that could be made of it.
    pub(super) accounts: Vec<Account>,
    /// Where their settings are.
    pub(super) sources: Sources,
    /// All that is wrong with it.
    pub(super) faults: Vec<Fault>,
}

/// Reads the text of a file. `variable` looks a variable of the environment up.
pub(super) fn read(name: &str, text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Reading {
    let file = File::new(name, text);
    let table = file.parse();
    let accounts = accounts(&file.root(&table), variable);
    let (sources, faults) = file.end();
    Reading {
        accounts,
        sources,
        faults,
    }
}

fn accounts(root: &Section, variable: &dyn Fn(&str) -> Option<String>) -> Vec<Account> {
    let Some(accounts) = root.section("accounts") else {
        root.fault(
            "accounts",
            "must be a table: [accounts.NAME] for each account",
        );
        return Vec::new();
    };
    let accounts = accounts.sections().into_iter();
    accounts
        .filter_map(|(name, section)| account(name, section, variable))
        .collect()
}

/// `None` where something without which it is no account is missing or wrong; the fault is told.
fn account(
    name: &str,
    section: Section,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Option<Account> {
    if let Err(problem) = account_name::check(name) {
        section.fault_in(problem);
    }
    let preset = section.parsed("preset", Preset::named);
    let base_url = base_url(&section, preset);
    let api_key = secret(&section, API_KEY, variable);
    if !API_KEY.iter().any(|key| section.has(key)) {
        section.fault_in("has no api_key, api_key_file or api_key_env: give one");
    }
    let url_hosts = url_hosts(&section, preset, base_url.as_ref());
    let task_path = section.parsed("task_path", str::parse::<TaskPath>);
    let auto_archive = section.flag("auto_archive").unwrap_or_default();
    if auto_archive && task_path.as_ref().is_some_and(|path| !path.has_list()) {
        section.fault("auto_archive", NO_LIST);
    }
    let windows = windows(&section, preset);
    let schedule = schedule(&section);
    let status_aliases = status_aliases(&section);
    let (query_limit, list_limit) = rate_limits(&section);
    let seal_keys_file = section.parsed("seal_keys_file", seal_keys_file);
    let callbacks = callbacks(&section, variable);
    let archive = archive_options(&section);
    section.finish();
    Some(Account {
        endpoint: Endpoint {
            task_path: task_path.unwrap_or_default(),
            status_aliases,
            query_limit,
            list_limit,
            ..Endpoint::new(name, base_url?, api_key?)
        },
        preset: preset.map(|preset| preset.name),
        seal_keys_file,
        url_hosts,
        schedule,
        windows,
        auto_archive,
        callbacks,
        archive,
    })
}

const NO_LIST: &str = "needs a list of the account's tasks, and with a task_path of its own it is not \
                       known where that is: remove one of the two";
const TOKEN: [&str; 3] = ["token", "token_file", "token_env"];
const API_KEY: [&str; 3] = ["api_key", "api_key_file", "api_key_env"];

/// A secret by value, file or variable, of which there may be one.
fn secret(
    section: &Section,
    [value, file, env]: [&'static str; 3],
    variable: &dyn Fn(&str) -> Option<String>,
) -> Option<Secret> {
    let by_value = section.text(value);
    let by_file = section.text(file);
    let by_variable = section.text(env);
    let given = [by_value, by_file, by_variable].iter().flatten().count();
    if given > 1 {
        section.fault_in(&format!(
            "has more than one of {value}, {file} and {env}: keep one"
        ));
        return None;
    }
    if let Some(value) = by_value {
        return Some(Secret::from(value.trim().to_owned()));
    }
    if by_file.is_some() {
        return section.parsed(file, secret_file);
    }
    section.parsed(env, |name| {
        let value = variable(name).filter(|value| !value.trim().is_empty());
        let value = value.ok_or_else(|| unset(name))?;
        Ok(Secret::from(value.trim().to_owned()))
    })
}

/// What is no name of a variable may be the secret itself.
fn unset(name: &str) -> String {
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if name.chars().all(is_name) {
        format!("names the variable {name}, which is not set")
    } else {
        "must be the name of a variable that is set, such as `EU_API_KEY`".into()
    }
}

fn base_url(section: &Section, preset: Option<Preset>) -> Option<Url> {
    if let Some(url) = section.parsed("base_url", http_url) {
        return Some(url);
    }
    if !section.has("base_url") && !section.has("preset") {
        section.fault_in("has neither a preset nor a base_url: give one");
    }
    let preset = preset?;
    section.note_preset("base_url", preset.name);
    preset.base_url.parse().ok()
}

fn url_hosts(section: &Section, preset: Option<Preset>, base_url: Option<&Url>) -> UrlHosts {
    if let Some(hosts) = section.texts("url_hosts") {
        return UrlHosts::parse(&hosts).unwrap_or_else(|problem| {
            section.fault("url_hosts", &problem);
            preset::url_hosts()
        });
    }
    let of_services = preset::url_hosts();
    match (preset, base_url) {
        (None, Some(base_url)) => of_services.with_host_of(base_url),
        _ => of_services,
    }
}

fn windows(section: &Section, preset: Option<Preset>) -> Windows {
    let mut windows = Windows::default();
    if let Some(preset) = preset {
        windows.url_lifetime = preset.url_lifetime;
        section.note_preset("windows.url_lifetime", preset.name);
    }
    let Some(section) = section.section("windows") else {
        return windows;
    };
    section.set_duration("query_window", &mut windows.query_window);
    section.set_duration("margin", &mut windows.margin);
    section.set_duration("cancelled_retention", &mut windows.cancelled_retention);
    section.set_duration("url_lifetime", &mut windows.url_lifetime);
    if windows.margin >= windows.query_window {
        section.fault("margin", "must be shorter than the query_window");
    }
    section.finish();
    windows
}

fn schedule(section: &Section) -> PollSchedule {
    let mut schedule = PollSchedule::default();
    let Some(section) = section.section("pace") else {
        return schedule;
    };
    section.set_duration("shortest", &mut schedule.min_interval);
    section.set_duration("longest", &mut schedule.max_interval);
    section.set_duration("not_found_grace", &mut schedule.not_found_grace);
    if schedule.min_interval.is_zero() {
        section.fault("shortest", "must be longer than nothing");
    }
    if schedule.max_interval < schedule.min_interval {
        section.fault("longest", "must not be less than shortest");
    }
    section.finish();
    schedule
}

fn status_aliases(section: &Section) -> StatusAliases {
    let mut statuses = StatusAliases::default();
    let Some(section) = section.section("statuses") else {
        return statuses;
    };
    let own_word = |word: &str| status::ALL.into_iter().find(|own| *own == word);
    let must = format!("must be one of {}", status::ALL.join(", "));
    for (word, own) in section.pairs(own_word, &must) {
        statuses.0.insert(word.to_lowercase(), own.to_owned());
    }
    statuses
}

/// Of questions and of lists.
fn rate_limits(section: &Section) -> (RateLimit, RateLimit) {
    let Some(section) = section.section("limits") else {
        return (RateLimit::public_queries(), RateLimit::public_lists());
    };
    let queries = section.positive("queries_per_second");
    let lists = section.positive("lists_per_second");
    section.finish();
    (
        queries.map_or_else(RateLimit::public_queries, RateLimit::per_second),
        lists.map_or_else(RateLimit::public_lists, RateLimit::per_second),
    )
}

fn callbacks(section: &Section, variable: &dyn Fn(&str) -> Option<String>) -> Option<Callbacks> {
    let section = section.section("callbacks")?;
    let token = secret(&section, TOKEN, variable);
    if !TOKEN.iter().any(|key| section.has(key)) {
        section.fault_in("has no token, token_file or token_env: give one");
    }
    if let Some(Err(problem)) = token.as_ref().map(callbacks::check) {
        section.fault_in(&format!("has a token that {problem}"));
    }
    let start_lifecycles = section.flag("start_lifecycles").unwrap_or_default();
    section.finish();
    Some(Callbacks {
        token: token?,
        start_lifecycles,
    })
}

/// A file that is not there at start is a mistake; later it may be on its way.
pub(super) fn secret_file(path: &str) -> Result<Secret, String> {
    let secret = Secret::File(path.into());
    secret
        .read()
        .map_err(|error| format!("names no secret: {error}"))?;
    Ok(secret)
}

/// The same of a file of several.
pub(super) fn seal_keys_file(path: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(path);
    read_lines(&path).map_err(|error| format!("names no seal keys: {error}"))?;
    Ok(path)
}

#[cfg(test)]
mod tests;
