//! `doctor`: each fault is told in a line of its own, with its fix, and nothing else is disturbed.

use std::{
    collections::BTreeMap,
    fs::Permissions,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context, ensure};
use seedance_archiver_simulator::Fault;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    Suite,
    minio::Minio,
    tools,
    world::{Server, World, command, until_async},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    let (has_minio, minio) = tools::split(tools::minio());
    let suite = suite
        .test("doctor::finds_nothing_where_all_is_well", all_is_well)
        .test(
            "doctor::looks_at_everything_whatever_fails",
            everything_fails,
        )
        .test_with("doctor::buckets_say_what_they_lack", has_minio, |server| {
            buckets(server, minio)
        });
    let cases = CASES.into_iter();
    cases.fold(suite, |suite, case| {
        let name = format!("doctor::finds_{}", case.name);
        suite.test(&name, move |server| finds(server, case))
    })
}

/// A set-up in which all is well but for a running worker.
struct SetUp {
    server: Arc<Server>,
    world: World,
    variables: BTreeMap<&'static str, String>,
    files: TempDir,
    /// A port that is taken.
    taken: TcpListener,
}

impl SetUp {
    async fn new(server: Arc<Server>) -> anyhow::Result<Self> {
        let world = World::new(&server).await?;
        let variables = [
            ("TEMPORAL_ADDRESS", server.address.clone()),
            ("TEMPORAL_TASK_QUEUE", world.config.task_queue.clone()),
            ("SEEDANCE_BASE_URL", world.simulator.base_url()),
            ("SEEDANCE_API_KEY", world.simulator.api_key().to_owned()),
            ("SEEDANCE_ARCHIVE_URL", world.config.archive_url.to_string()),
        ];
        Ok(Self {
            server,
            world,
            variables: variables.into(),
            files: tempfile::tempdir()?,
            taken: TcpListener::bind("127.0.0.1:0")?,
        })
    }

    fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.variables.insert(name, value.into());
    }

    fn file(&self, name: &str, text: &str, mode: u32) -> anyhow::Result<String> {
        let path = self.files.path().join(name);
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, Permissions::from_mode(mode))?;
        Ok(path.display().to_string())
    }

    fn missing(&self, name: &str) -> String {
        self.files.path().join(name).display().to_string()
    }

    /// What the doctor prints, and its exit code.
    async fn doctor(&self, arguments: &[&str]) -> anyhow::Result<(String, Option<i32>)> {
        let output = command()
            .arg("doctor")
            .args(arguments)
            .envs(&self.variables)
            .kill_on_drop(true)
            .output()
            .await?;
        let text = String::from_utf8(output.stdout)?;
        for secret in [self.world.simulator.api_key(), WRONG_KEY, SHORT_TOKEN] {
            ensure!(!text.contains(secret), "{secret} is shown: {text}");
        }
        ensure!(self.world.archived_files()?.is_empty(), "a probe stays");
        Ok((text, output.status.code()))
    }
}

const WRONG_KEY: &str = "wrong-and-secret";
const SHORT_TOKEN: &str = "too-short";

/// Something that is wrong, and the line that tells it.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    wrong: fn(&mut SetUp) -> anyhow::Result<()>,
    /// State, and what else is in the line, its fix last.
    line: [&'static str; 3],
}

const CASES: [Case; 17] = [
    Case {
        name: "a_wrong_key",
        wrong: |it| {
            it.set("SEEDANCE_API_KEY", WRONG_KEY);
            Ok(())
        },
        line: [
            "failed",
            "API of `default`: ",
            "refuses the key: HTTP 401 AuthenticationError",
        ],
    },
    Case {
        name: "a_base_url_of_a_web_page",
        wrong: |it| {
            it.world.simulator.set_fault(Some(Fault::Page));
            Ok(())
        },
        line: [
            "failed",
            "is not the task API: HTTP 200 with a web page",
            "fix: correct the base URL",
        ],
    },
    Case {
        name: "a_base_url_with_another_path",
        wrong: |it| {
            let base = it.world.simulator.base_url().replace("/api/v3", "/v1");
            it.set("SEEDANCE_BASE_URL", base);
            Ok(())
        },
        line: [
            "failed",
            "HTTP 404 with nothing in it",
            "fix: correct the base URL, up to and including `/api/v3`",
        ],
    },
    Case {
        name: "an_api_that_is_not_there",
        wrong: |it| {
            it.set("SEEDANCE_BASE_URL", "http://127.0.0.1:1/api/v3");
            Ok(())
        },
        line: [
            "failed",
            "API of `default`: http://127.0.0.1:1/api/v3 cannot be reached",
            "fix: correct the base URL, or let",
        ],
    },
    Case {
        name: "an_api_that_has_a_fault",
        wrong: |it| {
            it.world.simulator.set_fault(Some(Fault::Unavailable));
            Ok(())
        },
        line: [
            "warning",
            "does not say whether it takes the key: HTTP 500",
            "fix: try again later",
        ],
    },
    Case {
        name: "a_clock_that_is_wrong",
        wrong: |it| {
            let hour = Duration::from_secs(3_600);
            it.world.simulator.set_date(Some(SystemTime::now() - hour));
            Ok(())
        },
        line: [
            "failed",
            "clock against `default`: this machine is 1h ahead of the service",
            "fix: set this machine's clock by NTP",
        ],
    },
    Case {
        name: "a_temporal_that_is_not_there",
        wrong: |it| {
            it.set("TEMPORAL_ADDRESS", "127.0.0.1:1");
            Ok(())
        },
        line: [
            "failed",
            "Temporal: nothing that can be used answers at http://127.0.0.1:1",
            "fix: set TEMPORAL_ADDRESS",
        ],
    },
    Case {
        name: "a_missing_namespace",
        wrong: |it| {
            it.set("TEMPORAL_NAMESPACE", "nowhere");
            Ok(())
        },
        line: [
            "failed",
            "namespace `nowhere`: is not on this server",
            "fix: run `seedance-archiver setup`",
        ],
    },
    Case {
        name: "that_no_worker_polls",
        wrong: |_| Ok(()),
        line: [
            "warning",
            "no worker has polled it",
            "fix: start one: `seedance-archiver worker`",
        ],
    },
    Case {
        name: "an_archive_that_cannot_be_written",
        wrong: |it| {
            let file = it.file("in-the-way", "", 0o600)?;
            it.set("SEEDANCE_ARCHIVE_URL", format!("file://{file}/videos"));
            Ok(())
        },
        line: [
            "failed",
            "archive file://",
            "fix: make the directory, writable",
        ],
    },
    Case {
        name: "a_missing_key_file",
        wrong: |it| {
            it.set("SEEDANCE_API_KEY", "");
            it.set("SEEDANCE_API_KEY_FILE", it.missing("key"));
            Ok(())
        },
        line: [
            "failed",
            "configuration: SEEDANCE_API_KEY_FILE names no secret: the file",
            "fix: set SEEDANCE_API_KEY_FILE right",
        ],
    },
    Case {
        name: "a_key_file_for_everybody",
        wrong: |it| {
            let key = it.world.simulator.api_key().to_owned();
            it.set("SEEDANCE_API_KEY", "");
            it.set("SEEDANCE_API_KEY_FILE", it.file("key", &key, 0o644)?);
            Ok(())
        },
        line: [
            "warning",
            "anybody on this machine can read it (644)",
            "fix: chmod o= ",
        ],
    },
    Case {
        name: "a_typo_in_the_accounts_file",
        wrong: |it| {
            let text = "[accounts.eu]\npreset = \"byteplus\"\napi_keyy = \"wrong-and-secret\"\n";
            it.set(
                "SEEDANCE_ACCOUNTS_FILE",
                it.file("accounts.toml", text, 0o600)?,
            );
            Ok(())
        },
        line: [
            "failed",
            "accounts.toml:3: accounts.eu.api_keyy is not a key",
            "fix: correct ",
        ],
    },
    Case {
        name: "a_short_callback_token",
        wrong: |it| {
            it.set("SEEDANCE_CALLBACK_TOKEN", SHORT_TOKEN);
            it.set("SEEDANCE_INGRESS_ADDRESS", "127.0.0.1:0");
            Ok(())
        },
        line: [
            "failed",
            "SEEDANCE_CALLBACK_TOKEN must be at least 16",
            "fix: set SEEDANCE_CALLBACK_TOKEN right",
        ],
    },
    Case {
        name: "missing_seal_keys",
        wrong: |it| {
            it.set("SEEDANCE_SEAL_KEYS_FILE", it.missing("seal-keys"));
            Ok(())
        },
        line: [
            "failed",
            "SEEDANCE_SEAL_KEYS_FILE names no seal keys",
            "fix: set SEEDANCE_SEAL_KEYS_FILE right",
        ],
    },
    Case {
        name: "an_ingress_that_is_taken",
        wrong: |it| {
            let address = it.taken.local_addr()?.to_string();
            it.set("SEEDANCE_CALLBACK_TOKEN", "0123456789abcdef");
            it.set("SEEDANCE_INGRESS_ADDRESS", address);
            Ok(())
        },
        line: [
            "failed",
            "is in use, and no worker polls",
            "fix: set SEEDANCE_INGRESS_ADDRESS",
        ],
    },
    Case {
        name: "an_archive_that_is_not_named",
        wrong: |it| {
            it.set("SEEDANCE_ARCHIVE_URL", "");
            Ok(())
        },
        line: [
            "failed",
            "archive: there is no archive URL",
            "fix: set SEEDANCE_ARCHIVE_URL",
        ],
    },
];

async fn finds(server: Arc<Server>, case: Case) -> anyhow::Result<()> {
    let mut set_up = SetUp::new(server).await?;
    (case.wrong)(&mut set_up)?;
    let (text, code) = set_up.doctor(&[]).await?;
    let [state, parts @ ..] = case.line;
    let tells = |line: &&str| line.starts_with(state) && parts.iter().all(|it| line.contains(it));
    let line = text.lines().find(tells);
    let line = line.with_context(|| format!("no line with {:?} in: {text}", case.line))?;
    ensure!(line.contains("; fix: "), "{line}");
    let expected = i32::from(state == "failed");
    ensure!(code == Some(expected), "exit code {code:?}: {text}");
    Ok(())
}

async fn all_is_well(server: Arc<Server>) -> anyhow::Result<()> {
    let set_up = SetUp::new(server.clone()).await?;
    let world = &set_up.world;
    let report = world
        .with_worker(&server, async {
            let look = async || {
                let (text, code) = set_up.doctor(&["--output", "json"]).await?;
                let report: Value = serde_json::from_str(&text)?;
                Ok::<_, anyhow::Error>((report, code))
            };
            until_async("a worker polls both queues", || async {
                let (report, code) = look().await?;
                Ok(report["warnings"] == 0 && code == Some(0))
            })
            .await?;
            Ok(look().await?.0)
        })
        .await?;
    let findings = report["findings"].as_array().context("no findings")?;
    for name in [
        "configuration",
        "API of `default`",
        "clock against `default`",
        "Temporal",
        "namespace `default`",
        "search attributes",
        &format!("task queue `{}`", world.config.task_queue),
        &format!("task queue `{}-transfers`", world.config.task_queue),
    ] {
        let found = findings.iter().find(|it| it["name"] == name);
        let found = found.with_context(|| format!("no {name:?} in {report:#}"))?;
        ensure!(found["state"] == "ok" && found["fix"].is_null(), "{found}");
    }
    Ok(())
}

/// Ten faults, each in its line.
async fn everything_fails(server: Arc<Server>) -> anyhow::Result<()> {
    let mut set_up = SetUp::new(server).await?;
    let namespace = set_up.server.in_namespace().await?.client;
    set_up.set("TEMPORAL_NAMESPACE", namespace.options().namespace.clone());
    for case in CASES.iter().filter(|case| TOGETHER.contains(&case.name)) {
        (case.wrong)(&mut set_up)?;
    }
    let key = set_up.file("key", WRONG_KEY, 0o644)?;
    let text = format!(
        "[accounts.wrong]\nbase_url = \"{base}\"\napi_key_file = \"{key}\"\n\
         [accounts.page]\nbase_url = \"{page}\"\napi_key = \"{WRONG_KEY}\"\n\
         [accounts.gateway]\nbase_url = \"{base}\"\napi_key = \"{right}\"\n\
         task_path = \"contents/generations/tasks?id={{task_id}}\"\n\
         [accounts.typo]\npreset = \"byteplus\"\napi_keyy = \"{WRONG_KEY}\"\n",
        right = set_up.world.simulator.api_key(),
        base = set_up.world.simulator.base_url(),
        page = set_up.world.simulator.base_url().replace("/api/v3", "/v1"),
    );
    let accounts = set_up.file("accounts.toml", &text, 0o644)?;
    set_up.set("SEEDANCE_ACCOUNTS_FILE", accounts);
    let (text, code) = set_up.doctor(&[]).await?;
    ensure!(code == Some(1), "{text}");
    for part in [
        "accounts.typo.api_keyy is not a key",
        "accounts.typo has no api_key",
        "SEEDANCE_CALLBACK_TOKEN must be",
        "SEEDANCE_SEAL_KEYS_FILE names no",
        "key: API key of `wrong`: anybody",
        "accounts.toml: accounts with their keys: anybody",
        "API of `wrong`: ",
        "API of `page`: ",
        "clock against `wrong`: ",
        "search attributes: SeedanceTaskId, ",
        "-transfers`: no worker",
        "in-the-way/videos",
    ] {
        let line = text.lines().find(|line| line.contains(part));
        let line = line.with_context(|| format!("no {part:?} in {text}"))?;
        ensure!(line.contains("; fix: "), "{line}");
    }
    let gateway = "ok        API of `gateway`: ";
    ensure!(text.lines().any(|line| line.starts_with(gateway)), "{text}");
    Ok(())
}

const TOGETHER: [&str; 4] = [
    "a_clock_that_is_wrong",
    "an_archive_that_cannot_be_written",
    "a_short_callback_token",
    "missing_seal_keys",
];

async fn buckets(server: Arc<Server>, program: PathBuf) -> anyhow::Result<()> {
    let minio = Minio::start(program).await?;
    let bucket = minio.bucket("videos")?;
    let mut set_up = SetUp::new(server).await?;
    for (name, value) in minio.environment() {
        set_up.set(name, value);
    }
    let wrong_key = ("AWS_SECRET_ACCESS_KEY", WRONG_KEY);
    for (url, (name, value), line) in [
        (
            "s3://videos/a",
            ("AWS_REGION", "us-east-1"),
            ["ok", "can be written, and not over"],
        ),
        (
            "s3://nowhere",
            ("AWS_REGION", "us-east-1"),
            ["failed", "fix: create the bucket"],
        ),
        (
            "s3://videos/a",
            wrong_key,
            ["failed", "fix: give the worker the store's keys"],
        ),
    ] {
        set_up.set("SEEDANCE_ARCHIVE_URL", url);
        set_up.set(name, value);
        let (text, _) = set_up.doctor(&[]).await?;
        let name = format!("archive {url} of `default`");
        let found = text.lines().find(|line| line.contains(&name));
        let found = found.with_context(|| format!("no {name} in {text}"))?;
        ensure!(line.iter().all(|part| found.contains(part)), "{found}");
        ensure!(found.starts_with(line[0]), "{found}");
    }
    ensure!(bucket.keys().await?.is_empty(), "a probe stays");
    Ok(())
}
