//! Builds an account from its settings.

use std::time::Duration;

use reqwest::Url;
use seedance_archiver_archive::fetch::{Networks, UrlHosts};
use seedance_archiver_http::{Network, Proxy, unencrypted};
use seedance_archiver_seedance::Secret;

use super::{
    account::Account,
    callbacks::{self, Callbacks},
    preset::{self, Preset},
    reader::{Input, Reader},
    webhook::Webhook,
};

/// An account under construction. Settings are read into `account`, except for the required ones and those
/// whose defaults depend on other settings, which have their own fields until [`Self::finish`].
///
/// The TOML table `pace` is the poll schedule, `account.schedule`.
pub(super) struct AccountDraft {
    pub(super) account: Account,
    pub(super) preset: Option<Preset>,
    pub(super) base_url: Option<Url>,
    pub(super) api_key: Option<Secret>,
    pub(super) url_hosts: Option<UrlHosts>,
    pub(super) allowed_networks: Option<Networks>,
    pub(super) proxy: Option<Proxy>,
    pub(super) url_lifetime: Option<Duration>,
    pub(super) callback_token: Option<Secret>,
    pub(super) start_lifecycles: bool,
    pub(super) webhook_url: Option<Secret>,
    pub(super) webhook_key: Option<Secret>,
    pub(super) callback_url: Option<Url>,
}

impl AccountDraft {
    /// Returns a draft with the defaults. Its base URL and its key are placeholders, which [`Self::finish`]
    /// replaces. Returns `None` only if the base URL of the default preset were invalid, which tests rule out.
    pub(super) fn new(name: &str) -> Option<Self> {
        let placeholder = Secret::from(String::new());
        Some(Self {
            account: Account::new(name, preset::DEFAULT.base_url()?, placeholder),
            preset: None,
            base_url: None,
            api_key: None,
            url_hosts: None,
            allowed_networks: None,
            proxy: None,
            url_lifetime: None,
            callback_token: None,
            start_lifecycles: false,
            callback_url: None,
            webhook_key: None,
            webhook_url: None,
        })
    }

    /// Fills in the defaults that depend on other settings, and checks that the settings are consistent. Returns
    /// the account, or `None` if its base URL or its key is missing or invalid. The draft stays usable for
    /// `config show`.
    pub(super) fn finish(&mut self, input: &dyn Input, reader: &mut Reader) -> Option<Account> {
        self.apply_preset(input, reader);
        self.set_route(input, reader);
        self.check(input, reader);
        self.set_callbacks(input, reader);
        self.set_webhook(input, reader);
        self.account.endpoint.base_url = self.base_url.clone()?;
        self.account.endpoint.api_key = self.api_key.clone()?;
        match self.exposes_key() {
            false => Some(self.account.clone()),
            true => {
                let problem = "uses plain HTTP to a public host, which would send the API key unencrypted; use `https://`, \
                               or set allow_plain_http if something else protects the connection";
                reader.error(input, "base_url", problem);
                None
            }
        }
    }

    fn apply_preset(&mut self, input: &dyn Input, reader: &mut Reader) {
        if let Some(preset) = self.preset {
            self.account.preset = Some(preset.name);
            if self.base_url.is_none() {
                reader.record_preset(input, "base_url", preset.name);
                self.base_url = preset.base_url();
            }
            if self.url_lifetime.is_none() {
                reader.record_preset(input, "windows.url_lifetime", preset.name);
                self.url_lifetime = Some(preset.url_lifetime);
            }
        }
        let service = self.preset.or_else(|| Preset::at(self.base_url.as_ref()?));
        let windows = &mut self.account.windows;
        let url_lifetime = service.map_or(windows.url_lifetime, |service| service.url_lifetime);
        windows.url_lifetime = *self.url_lifetime.get_or_insert(url_lifetime);
        let url_hosts = self.url_hosts.get_or_insert_with(|| {
            let hosts = service.map_or_else(preset::url_hosts, |service| service.url_hosts());
            match (
                service.and_then(|service| service.base_url()),
                &self.base_url,
            ) {
                // A service may serve videos from the host of its API.
                (of_preset, Some(base_url)) if of_preset.as_ref() != Some(base_url) => {
                    hosts.with_host_of(base_url)
                }
                _ => hosts,
            }
        });
        self.account.url_hosts = url_hosts.clone();
    }

    fn set_route(&mut self, input: &dyn Input, reader: &mut Reader) {
        self.account.allowed_networks = self.allowed_networks.clone().unwrap_or_default();
        if let Some(proxy) = self.proxy.clone()
            && let Err(problem) = self.account.set_proxy(proxy)
        {
            reader.error(input, "proxy", format!("cannot be used: {problem}"));
        }
    }

    /// Returns whether requests would send the API key unencrypted over public networks, to the API or to the proxy.
    fn exposes_key(&self) -> bool {
        let Account {
            endpoint, proxy, ..
        } = &self.account;
        let is_plain = unencrypted(&endpoint.base_url).is_some();
        let through = proxy.as_ref().and_then(Proxy::unencrypted);
        let exposes_to_proxy = is_plain && through == Some(Network::Public);
        endpoint.exposes_key() || (exposes_to_proxy && !endpoint.allow_plain_http)
    }

    fn check(&self, input: &dyn Input, reader: &mut Reader) {
        let Account {
            endpoint,
            windows,
            schedule,
            lists,
            ..
        } = &self.account;
        if self.account.auto_archive && !endpoint.task_path.has_list() {
            let problem = "requires the list of tasks, whose path does not follow from this `task_path`; \
                           remove one of the two";
            reader.error(input, "auto_archive", problem);
        }
        if lists.service_tiers.is_empty() {
            let problem = "must name at least one service tier; [\"\"] lists without this filter";
            reader.error(input, "lists.service_tiers", problem);
        }
        if windows.margin >= windows.query_window {
            reader.error(input, "windows.margin", "must be shorter than query_window");
        }
        if schedule.min_interval.is_zero() {
            reader.error(input, "pace.shortest", "must be greater than zero");
        }
        if schedule.max_interval < schedule.min_interval {
            let problem = "must not be shorter than pace.shortest";
            reader.error(input, "pace.longest", problem);
        }
    }

    fn set_callbacks(&mut self, input: &dyn Input, reader: &mut Reader) {
        let Some(token) = self.callback_token.clone() else {
            if self.callback_url.is_some() {
                let problem = "requires callbacks.token, which is part of every callback URL";
                reader.error(input, "callbacks.url", problem);
            }
            return;
        };
        if let Err(problem) = callbacks::check(&token) {
            reader.error(input, "callbacks.token", problem);
        }
        self.account.endpoint.callback_token = Some(token.clone());
        self.account.callbacks = Some(Callbacks {
            token,
            start_lifecycles: self.start_lifecycles,
            url: self.callback_url.clone(),
        });
    }

    fn set_webhook(&mut self, input: &dyn Input, reader: &mut Reader) {
        let (Some(url), Some(keys)) = (self.webhook_url.clone(), self.webhook_key.clone()) else {
            return;
        };
        let webhook = Webhook { url, keys };
        if let Err(problem) = webhook.receiver(self.account.proxy.as_ref()) {
            reader.error(input, &given(input, "webhook.url"), problem);
        }
        if let Err(problem) = webhook.signing_keys() {
            reader.error(input, &given(input, "webhook.key"), problem);
        }
        self.account.webhook = Some(webhook);
    }
}

/// Returns the name under which a secret is given.
fn given(input: &dyn Input, name: &'static str) -> String {
    let names = ["", "_file", "_env"].map(|suffix| format!("{name}{suffix}"));
    let mut names = names.into_iter();
    let given = names.find(|name| input.value(name).is_some());
    given.unwrap_or_else(|| name.to_owned())
}
