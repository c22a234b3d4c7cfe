//! The configuration as it takes effect, setting by setting, each with where it comes from. No secret
//! is among the values.

use std::{fmt::Display, time::Duration};

use seedance_archiver_workflows::format;
use serde::Serialize;

use super::{Account, Operations, Reading, Secret, Source, environment::setting, source::Sources};
use crate::seedance::StatusAliases;

/// A setting as it takes effect.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// Its name, for accounts as in the accounts file, e.g. `accounts.eu.base_url`.
    pub name: String,
    /// Its value; of a secret, that there is one.
    pub value: String,
    /// Where it comes from.
    pub source: Source,
}

const SECRET: &str = "(a secret)";
const WRONG: &str = "(cannot be used)";
const NONE: &str = "(none)";

impl Reading {
    /// Every setting of which something is known.
    pub fn settings(&self) -> Vec<Setting> {
        let mut list = List {
            sources: &self.sources,
            settings: Vec::new(),
        };
        list.add(setting::ARCHIVE_URL, or_none(self.archive_url.as_ref()));
        list.add(setting::TASK_QUEUE, &self.task_queue);
        list.add(
            setting::INGRESS_ADDRESS,
            or_none(self.ingress_address.as_ref()),
        );
        list.operations(&self.operations);
        let file = self.accounts_file.as_ref().map(|path| path.display());
        list.add(setting::ACCOUNTS_FILE, or_none(file.as_ref()));
        for account in self.accounts.iter() {
            list.account(account);
        }
        list.rest();
        list.settings
    }
}

fn or_none(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| NONE.to_owned(), ToString::to_string)
}

struct List<'a> {
    sources: &'a Sources,
    settings: Vec<Setting>,
}

impl List<'_> {
    fn add(&mut self, name: impl Into<String>, value: impl Display) {
        let name = name.into();
        let (source, is_wrong) = self.sources.of(&name);
        let value = match is_wrong {
            true => WRONG.to_owned(),
            false => value.to_string(),
        };
        self.settings.push(Setting {
            name,
            value,
            source,
        });
    }

    /// What was given and is no part of an account that can be used.
    fn rest(&mut self) {
        let names = self.sources.names();
        let listed = |name: &str| self.settings.iter().any(|it| it.name == name);
        let rest: Vec<_> = names.filter(|name| !listed(name)).collect();
        for name in rest {
            self.add(name, WRONG);
        }
    }

    fn operations(&mut self, operations: &Operations) {
        self.add("admin_address", or_none(operations.admin_address.as_ref()));
        self.add("queues", operations.queues);
        self.add("grace_period", format::duration(operations.grace_period.0));
        let capacity = &operations.capacity;
        for (kind, share) in [
            ("workflow", capacity.workflow),
            ("query", capacity.query),
            ("transfer", capacity.transfer),
        ] {
            self.add(format!("{kind}.slots"), share.slots);
            self.add(format!("{kind}.pollers"), share.pollers);
        }
        let most = capacity.queries_per_second;
        self.add("queries_per_second", or_none(most.as_ref()));
        let memory = capacity.target.map(|target| target.memory);
        self.add("target.memory", or_none(memory.as_ref()));
        let cpu = capacity.target.map(|target| target.cpu);
        self.add("target.cpu", or_none(cpu.as_ref()));
        self.add("log_format", or_none(operations.log_format.as_ref()));
        let deployment = operations.deployment.as_ref();
        self.add("deployment.name", or_none(deployment.map(|it| &it.name)));
        let build_id = deployment.map(|it| &it.build_id);
        self.add("deployment.build_id", or_none(build_id));
        let versioning = deployment.map(|it| it.versioning);
        self.add("deployment.versioning", or_none(versioning.as_ref()));
    }

    fn account(&mut self, account: &Account) {
        let name = |key: &str| format!("accounts.{}.{key}", account.name());
        let time = |time: Duration| format::duration(time);
        if self.sources.has(&name("preset")) {
            let preset = account.preset.unwrap_or(NONE);
            self.add(name("preset"), preset);
        }
        self.add(name("base_url"), &account.endpoint.base_url);
        self.add(name("task_path"), &account.endpoint.task_path);
        self.secret(name("api_key"), &account.endpoint.api_key);
        let seal_keys = account.seal_keys_file.as_ref().map(|path| path.display());
        self.add(name("seal_keys_file"), or_none(seal_keys.as_ref()));
        self.add(name("url_hosts"), &account.url_hosts);
        self.add(
            name("windows.query_window"),
            time(account.windows.query_window),
        );
        self.add(name("windows.margin"), time(account.windows.margin));
        self.add(
            name("windows.cancelled_retention"),
            time(account.windows.cancelled_retention),
        );
        self.add(
            name("windows.url_lifetime"),
            time(account.windows.url_lifetime),
        );
        self.add(name("pace.shortest"), time(account.schedule.min_interval));
        self.add(name("pace.longest"), time(account.schedule.max_interval));
        self.add(
            name("pace.not_found_grace"),
            time(account.schedule.not_found_grace),
        );
        self.add(
            name("statuses"),
            own_words(&account.endpoint.status_aliases),
        );
        self.add(
            name("limits.queries_per_second"),
            &account.endpoint.query_limit,
        );
        self.add(
            name("limits.lists_per_second"),
            &account.endpoint.list_limit,
        );
        self.add(name("auto_archive"), account.auto_archive);
        match &account.callbacks {
            None => self.add(name("callbacks"), NONE),
            Some(callbacks) => {
                self.secret(name("callbacks.token"), &callbacks.token);
                let starts = callbacks.start_lifecycles;
                self.add(name("callbacks.start_lifecycles"), starts);
            }
        }
        self.archive(account);
    }

    fn archive(&mut self, account: &Account) {
        let name = |key: &str| format!("accounts.{}.archive.{key}", account.name());
        let archive = &account.archive;
        let prefix = Some(&archive.objects.prefix).filter(|it| it.parts().next().is_some());
        self.add(name("prefix"), or_none(prefix));
        self.add(name("keys"), &archive.keys);
        let class = archive.objects.storage_class.as_ref();
        self.add(name("storage_class"), or_none(class));
        self.add(
            name("kms_key_id"),
            or_none(archive.objects.kms_key_id.as_ref()),
        );
        let tags = archive.objects.tags.iter();
        self.add(name("tags"), pairs(tags));
        self.add(name("mismatch"), <&str>::from(archive.mismatch));
    }

    /// A secret is in one of three places, each with a key of its own.
    fn secret(&mut self, name: String, secret: &Secret) {
        let places = ["", "_file", "_env"].map(|end| format!("{name}{end}"));
        let place = places.into_iter().find(|place| self.sources.has(place));
        match secret {
            Secret::Value(_) => self.add(place.unwrap_or(name), SECRET),
            Secret::File(path) => self.add(place.unwrap_or(name), path.display()),
        }
    }
}

/// The words beyond those that are known anyway.
fn own_words(statuses: &StatusAliases) -> String {
    let known = StatusAliases::default();
    let own = statuses.0.iter();
    pairs(own.filter(|(word, status)| known.0.get(*word) != Some(*status)))
}

fn pairs<'a>(pairs: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let pairs: Vec<_> = pairs
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    match pairs.is_empty() {
        true => NONE.to_owned(),
        false => pairs.join(", "),
    }
}

#[cfg(test)]
mod tests;
