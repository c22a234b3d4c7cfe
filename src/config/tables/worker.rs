//! The settings of a worker: environment variables only.

use crate::{
    config::{
        format::{duration, fraction, integer, listen_address, parsed, path, rate, text, variant},
        row::Row,
        url,
        worker_draft::WorkerDraft,
        worker_settings::{GracePeriod, MAX_TRANSFER_SLOTS, MIN_QUERY_SLOTS},
    },
    telemetry::LOG_FORMAT,
};

type Setting = Row<WorkerDraft>;

pub(crate) const QUEUES: &str = "SEEDANCE_QUEUES";

/// Settings that other code reads or checks by name.
pub(in crate::config) const ACCOUNTS_FILE: &str = "accounts_file";
pub(in crate::config) const ADMIN_ADDRESS: &str = "admin_address";
pub(in crate::config) const ARCHIVE_URL: &str = "archive_url";
pub(in crate::config) const INGRESS_ADDRESS: &str = "ingress_address";
pub(in crate::config) const TASK_QUEUE: &str = "task_queue";

/// Upper bounds that protect a process from a typo.
const MAX_SLOTS: usize = 10_000;
const MAX_POLLERS: usize = 100;
/// The SDK needs one poller for the sticky queue and one for the normal queue, and as many slots.
const MIN_WORKFLOW_POLLERS: usize = 2;

/// Returns the settings of a worker, in the order of `config show`.
pub(in crate::config) fn rows() -> Vec<Setting> {
    let parse_queues = |list: &str| list.parse();
    let parse_format = |word: &str| word.parse();
    vec![
        Setting::value(
            ARCHIVE_URL,
            parsed("URL", url::archive_url, ToString::to_string).optional(),
            |it| &mut it.archive_url,
            "Archive in which videos are stored: `s3://bucket/prefix`, `gs://bucket/prefix`, \
             `az://container/prefix` or `file:///directory`. See [stores.md](stores.md).",
        )
        .variable("SEEDANCE_ARCHIVE_URL")
        .default("required"),
        Setting::value(
            TASK_QUEUE,
            text(),
            |it| &mut it.task_queue,
            "Task queue of workflows and queries. Transfers use the queue with `-transfers` appended, Nexus requests with `-nexus`.",
        )
        .variable("TEMPORAL_TASK_QUEUE"),
        Setting::value(
            INGRESS_ADDRESS,
            listen_address("0.0.0.0:8088").optional(),
            |it| &mut it.ingress_address,
            "Listen address for callbacks from Seedance. Required if an account accepts callbacks. \
             Ignored by workers that do not serve the `query` queue.",
        )
        .variable("SEEDANCE_INGRESS_ADDRESS"),
        Setting::value(
            ADMIN_ADDRESS,
            listen_address("0.0.0.0:9464").optional(),
            |it| &mut it.settings.admin_address,
            "Listen address for `/livez`, `/readyz` and `/metrics`. The container image sets it to \
             `0.0.0.0:9464`.",
        )
        .variable("SEEDANCE_ADMIN_ADDRESS"),
        Setting::value(
            "queues",
            parsed(
                "`query`, `transfer` or `query,transfer`",
                parse_queues,
                ToString::to_string,
            ),
            |it| &mut it.settings.queues,
            "Task queues that the worker serves. `worker --queues` overrides it. See \
             [operations.md](operations.md).",
        )
        .variable(QUEUES),
        Setting::value(
            "grace_period",
            duration().map(GracePeriod),
            |it| &mut it.settings.grace_period,
            "How long transfers may continue after SIGTERM. Queries and waits may continue for at most \
             10 s of it.",
        )
        .variable("SEEDANCE_GRACE_PERIOD"),
        Setting::value(
            "workflow.slots",
            integer(MIN_WORKFLOW_POLLERS..=MAX_SLOTS),
            |it| &mut it.settings.capacity.workflow.slots,
            "Maximum number of concurrent workflow tasks.",
        )
        .variable("SEEDANCE_WORKFLOW_SLOTS"),
        Setting::value(
            "workflow.pollers",
            integer(MIN_WORKFLOW_POLLERS..=MAX_POLLERS),
            |it| &mut it.settings.capacity.workflow.pollers,
            "Concurrent polls for workflow tasks.",
        )
        .variable("SEEDANCE_WORKFLOW_POLLERS"),
        Setting::value(
            "query.slots",
            integer(MIN_QUERY_SLOTS..=MAX_SLOTS),
            |it| &mut it.settings.capacity.query.slots,
            "Maximum number of concurrent queries, waits and sweeps. Waits hold up to 50 slots.",
        )
        .variable("SEEDANCE_QUERY_SLOTS"),
        Setting::value(
            "query.pollers",
            integer(1..=MAX_POLLERS),
            |it| &mut it.settings.capacity.query.pollers,
            "Concurrent polls for queries, waits and sweeps.",
        )
        .variable("SEEDANCE_QUERY_POLLERS"),
        Setting::value(
            "transfer.slots",
            integer(1..=MAX_TRANSFER_SLOTS),
            |it| &mut it.settings.capacity.transfer.slots,
            "Maximum number of concurrent transfers.",
        )
        .variable("SEEDANCE_TRANSFER_SLOTS"),
        Setting::value(
            "transfer.pollers",
            integer(1..=MAX_POLLERS),
            |it| &mut it.settings.capacity.transfer.pollers,
            "Concurrent polls for transfers.",
        )
        .variable("SEEDANCE_TRANSFER_POLLERS"),
        Setting::value(
            "queries_per_second",
            rate().optional(),
            |it| &mut it.settings.capacity.queries_per_second,
            "Rate limit of the query task queue, enforced by the Temporal server across all workers. Set \
             the same value on every worker. See [operations.md](operations.md).",
        )
        .variable("SEEDANCE_QUERIES_PER_SECOND"),
        Setting::value(
            "target.memory",
            fraction().optional(),
            |it| &mut it.target_memory,
            "Memory usage, as a fraction of the machine or container, above which the worker accepts no \
             more activities. The slots remain the upper bound.",
        )
        .variable("SEEDANCE_TARGET_MEMORY"),
        Setting::value(
            "target.cpu",
            fraction().optional(),
            |it| &mut it.target_cpu,
            "CPU usage above which the worker accepts no more activities.",
        )
        .variable("SEEDANCE_TARGET_CPU"),
        Setting::value(
            "log_format",
            parsed("`text` or `json`", parse_format, ToString::to_string).optional(),
            |it| &mut it.settings.log_format,
            "Format of the logs on stderr.",
        )
        .variable(LOG_FORMAT)
        .default("`text` on a terminal, `json` otherwise"),
        Setting::value(
            "deployment.name",
            text().optional(),
            |it| &mut it.deployment_name,
            "Name of the worker deployment, for worker versioning. Requires the build id. See \
             [operations.md](operations.md).",
        )
        .variable("TEMPORAL_DEPLOYMENT_NAME"),
        Setting::value(
            "deployment.build_id",
            text().optional(),
            |it| &mut it.build_id,
            "Build id of this version of the worker deployment.",
        )
        .variable("TEMPORAL_WORKER_BUILD_ID"),
        Setting::value(
            "deployment.versioning",
            variant().optional(),
            |it| &mut it.versioning,
            "What running lifecycles do when a newer version becomes current: `auto_upgrade` continues them \
             on it, `pinned` keeps them on the version that they started on.",
        )
        .variable("SEEDANCE_VERSIONING")
        .default("`auto_upgrade`"),
        Setting::value(
            ACCOUNTS_FILE,
            path(|_| Ok(())).optional(),
            |it| &mut it.accounts_file,
            "TOML file with the accounts. Without it, the variables of the account settings describe the \
             account `default`.",
        )
        .variable("SEEDANCE_ACCOUNTS_FILE"),
    ]
}
