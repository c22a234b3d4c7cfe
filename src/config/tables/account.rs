//! The settings of an account, named like their keys in `[accounts.NAME]`. The variables are those of the
//! account `default`.

use std::{collections::BTreeMap, path::Path};

use seedance_archiver_archive::fetch::Networks;
use seedance_archiver_http::Proxy;
use seedance_archiver_proto::status;
use seedance_archiver_seedance::{RateLimit, StatusAliases, check_seal_key, read_lines};

use super::archive;
use crate::config::{
    UrlHosts,
    account_draft::AccountDraft,
    format::{Format, duration, filters, flag, list, pairs, parsed, path, rate},
    preset::Preset,
    row::{Map, Row},
    url::http_url,
};

type Setting = Row<AccountDraft>;

/// Returns the settings of an account, in the order of `config show`.
pub(in crate::config) fn rows() -> Vec<Setting> {
    let mut rows = endpoint_rows();
    rows.extend(polling_rows());
    rows.extend(callback_rows());
    rows.extend(webhook_rows());
    rows.extend(archive::rows());
    rows
}

fn endpoint_rows() -> Vec<Setting> {
    vec![
        Setting::value(
            "preset",
            parsed("name of a preset", Preset::named, |it| it.name.to_owned()).optional(),
            |it| &mut it.preset,
            "Public service: `byteplus`, `volcengine` or `powertokens`. Sets the defaults of `base_url`, \
             `windows.url_lifetime` and `url_hosts`. A preset or a `base_url` is required.",
        )
        .variable("SEEDANCE_PRESET")
        .default("from the environment without a `base_url`, `byteplus`"),
        Setting::value(
            "base_url",
            parsed("URL", http_url, ToString::to_string).optional(),
            |it| &mut it.base_url,
            "Base URL of the API, up to and including `/api/v3` on the public services.",
        )
        .variable("SEEDANCE_BASE_URL")
        .default("that of the preset"),
        Setting::value(
            "allow_plain_http",
            flag(),
            |it| &mut it.account.endpoint.allow_plain_http,
            "Whether `base_url` may use `http://` to a public host, because something else protects the connection, such \
             as a VPN. Requests then send the API key unencrypted. Loopback and private addresses, `localhost`, `*.svc`, \
             `*.svc.cluster.local`, `*.internal` and names without a dot need no permission.",
        )
        .variable("SEEDANCE_ALLOW_PLAIN_HTTP"),
        Setting::value(
            "task_path",
            parsed("path template", str::parse, ToString::to_string),
            |it| &mut it.account.endpoint.task_path,
            "Path of a task under the base URL. It contains `{task_id}` once, as a whole segment or as the \
             value of a query parameter.",
        ),
        Setting::secret(
            "api_key",
            |it| &mut it.api_key,
            "API key: the key itself, a file that contains it, or the name of a variable that contains it.",
        )
        .variable("SEEDANCE_API_KEY")
        .default("required"),
        Setting::value(
            "seal_keys_file",
            path(check_seal_keys).optional(),
            |it| &mut it.account.endpoint.seal_keys_file,
            "File with the keys that seal video URLs, one on each line. The first key seals, every key \
             unseals. The first key must be random and have at least 32 bytes: `openssl rand -base64 32`. See \
             [accounts.md](accounts.md).",
        )
        .variable("SEEDANCE_SEAL_KEYS_FILE")
        .default("the API key"),
        Setting::value(
            "url_hosts",
            list(|hosts| UrlHosts::parse(hosts)).optional(),
            |it| &mut it.url_hosts,
            "Hosts from which videos may be downloaded, including their subdomains. The prefix `http://` \
             allows a host of your own without TLS and with a private address.",
        )
        .variable("SEEDANCE_URL_HOSTS")
        .default("`volces.com`, `bytepluses.com`, and the host of the API; `powertokens.ai` for its preset"),
        Setting::value(
            "video_url_pointer",
            parsed("JSON pointer", json_pointer, String::clone).optional(),
            |it| &mut it.account.endpoint.video_url_pointer,
            "Where the URL of the video is in a record, such as `/metadata/clips/0/link`, for a service that puts the \
             URL where it is not looked for. See [compatibility.md](compatibility.md)."
        ),
        Setting::value(
            "proxy",
            parsed("URL, or `environment`", Proxy::parse, ToString::to_string).optional(),
            |it| &mut it.proxy,
            "HTTP proxy for the API and for downloads: `http://host:port` or `http://user:password@host:port`. \
             `environment` stands for HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, which are ignored \
             otherwise. The proxy resolves the names of video hosts, so their addresses are not checked; \
             `url_hosts` still applies.",
        )
        .variable("SEEDANCE_PROXY"),
        Setting::value(
            "allowed_networks",
            list(|networks| Networks::parse(networks)).optional(),
            |it| &mut it.allowed_networks,
            "Networks whose addresses count as public for `url_hosts`, such as `198.18.0.0/15`, if a VPN of the \
             machine resolves every name to an address of its own. TLS stays required.",
        )
        .variable("SEEDANCE_ALLOWED_NETWORKS"),
        Setting::map(
            "statuses",
            Map {
                description: "table of status words",
                insert: insert_status,
                show: |it| custom_aliases(&it.account.endpoint.status_aliases),
            },
            "Status words of the service, each mapped to a status of the API: `queued`, `running`, \
             `succeeded`, `failed`, `cancelled` or `expired`. Common words such as `processing` and \
             `completed` are known.",
        ),
        Setting::value(
            "lists.service_tiers",
            filters(),
            |it| &mut it.account.lists.service_tiers,
            "Service tiers whose tasks are listed, one list each, at least one. An empty text lists without this filter.",
        )
        .variable("SEEDANCE_LIST_SERVICE_TIERS"),
        Setting::value(
            "lists.models",
            filters(),
            |it| &mut it.account.lists.models,
            "Models whose tasks are listed, one list each, for a key that may list only named models. Without models, \
             the tasks of all models are listed.",
        )
        .variable("SEEDANCE_LIST_MODELS"),
        Setting::value(
            "allow_reveal",
            flag(),
            |it| &mut it.account.allow_reveal,
            "Whether `QueryVideoTask` returns plain URLs to a caller that sets `reveal_urls`. Anyone who can read the \
             caller's history can then download the video.",
        )
        .variable("SEEDANCE_ALLOW_REVEAL"),
        Setting::value(
            "auto_archive",
            flag(),
            |it| &mut it.account.auto_archive,
            "Whether every video of the account is archived without a request. See \
             [accounts.md](accounts.md).",
        )
        .variable("SEEDANCE_AUTO_ARCHIVE"),
    ]
}

// The table `pace` is the poll schedule.
fn polling_rows() -> Vec<Setting> {
    vec![
        Setting::value(
            "windows.query_window",
            duration(),
            |it| &mut it.account.windows.query_window,
            "How long after its creation a task can be queried.",
        ),
        Setting::value(
            "windows.margin",
            duration(),
            |it| &mut it.account.windows.margin,
            "How long before the end of the query window the last poll is sent.",
        ),
        Setting::value(
            "windows.cancelled_retention",
            duration(),
            |it| &mut it.account.windows.cancelled_retention,
            "How long the service keeps the record of a cancelled task.",
        ),
        Setting::value(
            "windows.url_lifetime",
            duration().optional(),
            |it| &mut it.url_lifetime,
            "How long after the last change of a task its URLs work, unless a URL contains an earlier expiry.",
        )
        .default("that of the preset, or of the preset with the domain of `base_url`: `1d`, or `14d` for \
                  `powertokens`; `14d` for other services"),
        Setting::value(
            "pace.shortest",
            duration(),
            |it| &mut it.account.schedule.min_interval,
            "Minimum interval between two polls of a task by its lifecycle. The interval follows from how long the last tasks \
             took, or is a tenth of the age of the task; see [watching.md](watching.md).",
        ),
        Setting::value(
            "pace.longest",
            duration(),
            |it| &mut it.account.schedule.max_interval,
            "Maximum interval between two polls of a task by its lifecycle while it is likely to end. For a task that takes \
             longer than 10 minutes, it grows with the age once the completion times are known.",
        ),
        Setting::value(
            "pace.not_found_grace",
            duration(),
            |it| &mut it.account.schedule.not_found_grace,
            "How long the API may return 404 for a new task before the task counts as non-existent.",
        ),
        Setting::value(
            "limits.queries_per_second",
            rate_limit(),
            |it| &mut it.account.endpoint.query_limit,
            "Requests per second that the workers together may send for the account. They share the limit: see \
             [operations.md](operations.md).",
        ),
        Setting::value(
            "limits.lists_per_second",
            rate_limit(),
            |it| &mut it.account.endpoint.list_limit,
            "Requests per second that the workers together may send to list tasks, up to 500 tasks each.",
        ),
    ]
}

fn callback_rows() -> Vec<Setting> {
    vec![
        Setting::secret(
            "callbacks.token",
            |it| &mut it.callback_token,
            "Secret at the end of the callback URL: at least 16 letters, digits, `-`, `_`, `.` and `~`. \
             Without it, callbacks of the account are not accepted. A file is read at each callback.",
        )
        .variable("SEEDANCE_CALLBACK_TOKEN"),
        Setting::value(
            "callbacks.start_lifecycles",
            flag(),
            |it| &mut it.start_lifecycles,
            "Whether the callback of a task without a lifecycle starts one.",
        )
        .variable("SEEDANCE_CALLBACK_START_LIFECYCLES"),
        Setting::value(
            "callbacks.url",
            parsed("URL", http_url, ToString::to_string).optional(),
            |it| &mut it.callback_url,
            "URL by which the service reaches the callback port, such as `https://archiver.example`, without `/callbacks`. \
             `CreateVideoTask` and `GenerateVideo` then request callbacks, by which a task is known although the answer to \
             its create request was lost.",
        )
        .variable("SEEDANCE_CALLBACK_URL"),
    ]
}

fn webhook_rows() -> Vec<Setting> {
    vec![
        Setting::secret(
            "webhook.url",
            |it| &mut it.webhook_url,
            "URL to which an event is posted when a task reaches an outcome; see [events.md](events.md). `http://` is accepted \
             for loopback and private addresses, `localhost`, `*.svc`, `*.svc.cluster.local`, `*.internal` and names without a \
             dot. A file is read at each attempt.",
        )
        .variable("SEEDANCE_WEBHOOK_URL"),
        Setting::secret(
            "webhook.key",
            |it| &mut it.webhook_key,
            "Key that signs the events, as of Standard Webhooks: the output of `openssl rand -base64 32`, with or without the \
             prefix `whsec_`. Of several keys, separated by white space, each one signs. A file is read at each attempt.",
        )
        .variable("SEEDANCE_WEBHOOK_KEY")
        .default("required with a URL"),
    ]
}

fn json_pointer(text: &str) -> Result<String, String> {
    match text.starts_with('/') {
        true => Ok(text.to_owned()),
        false => Err("must be a JSON pointer, which starts with `/`".to_owned()),
    }
}

fn rate_limit() -> Format<RateLimit> {
    rate().map(RateLimit::per_second)
}

fn check_seal_keys(path: &Path) -> Result<(), String> {
    let keys = read_lines(path)
        .map_err(|error| format!("must name a file that contains seal keys: {error}"))?;
    // The others only unseal: an earlier key has to stay readable, however weak it is.
    let checked = keys.first().map_or(Ok(()), check_seal_key);
    checked.map_err(|problem| {
        format!(
            "must name a file whose first key is random: the first key in {} {problem}; insert the output of \
             `openssl rand -base64 32` as the first line, and keep the others, which unseal",
            path.display()
        )
    })
}

fn insert_status(draft: &mut AccountDraft, word: &str, status: &str) -> Result<(), String> {
    if !status::ALL.contains(&status) {
        return Err(format!("must be one of {}", status::ALL.join(", ")));
    }
    let aliases = &mut draft.account.endpoint.status_aliases;
    aliases.0.insert(word.to_lowercase(), status.to_owned());
    Ok(())
}

/// Shows the aliases that differ from the defaults.
fn custom_aliases(aliases: &StatusAliases) -> String {
    let known = StatusAliases::default();
    let is_custom = |(word, status): &(&String, &String)| known.0.get(*word) != Some(*status);
    let custom = aliases.0.iter().filter(is_custom);
    let custom: BTreeMap<_, _> = custom
        .map(|(word, status)| (word.clone(), status.clone()))
        .collect();
    pairs(&custom)
}
