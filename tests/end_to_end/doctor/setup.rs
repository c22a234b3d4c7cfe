//! A setup that `doctor` checks.

use std::{
    collections::BTreeMap, fs::Permissions, net::TcpListener, os::unix::fs::PermissionsExt,
    sync::Arc,
};

use anyhow::{Context, ensure};
use tempfile::TempDir;

use crate::harness::{Fixture, Server, command};

/// An API key that the simulator rejects.
pub(super) const WRONG_KEY: &str = "wrong-and-secret";
/// A callback token that is shorter than allowed.
pub(super) const SHORT_TOKEN: &str = "too-short";

/// A setup without problems, except that no worker runs.
pub(super) struct Setup {
    pub(super) server: Arc<Server>,
    pub(super) fixture: Fixture,
    variables: BTreeMap<&'static str, String>,
    files: TempDir,
    /// A listener on a port, which is therefore in use.
    listener: TcpListener,
}

impl Setup {
    pub(super) async fn new(server: Arc<Server>) -> anyhow::Result<Self> {
        let fixture = Fixture::new(&server).await?;
        let variables = server.environment().into_iter().chain([
            ("TEMPORAL_TASK_QUEUE", fixture.config.task_queue.clone()),
            ("SEEDANCE_BASE_URL", fixture.simulator.base_url()),
            ("SEEDANCE_API_KEY", fixture.simulator.api_key().to_owned()),
            (
                "SEEDANCE_ARCHIVE_URL",
                fixture.config.archive_url.to_string(),
            ),
        ]);
        Ok(Self {
            server,
            fixture,
            variables: variables.collect(),
            files: tempfile::tempdir()?,
            listener: TcpListener::bind("127.0.0.1:0")?,
        })
    }

    /// Returns the environment variables.
    pub(super) fn variables(&self) -> &BTreeMap<&'static str, String> {
        &self.variables
    }

    /// Sets an environment variable.
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.variables.insert(name, value.into());
    }

    /// Writes a file with these permissions, and returns its path.
    pub(super) fn write_file(&self, name: &str, text: &str, mode: u32) -> anyhow::Result<String> {
        let path = self.files.path().join(name);
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, Permissions::from_mode(mode))?;
        Ok(path.display().to_string())
    }

    /// Returns the path of a file that does not exist.
    pub(super) fn missing_file(&self, name: &str) -> String {
        self.files.path().join(name).display().to_string()
    }

    /// Returns an address that is in use.
    pub(super) fn address_in_use(&self) -> anyhow::Result<String> {
        Ok(self.listener.local_addr()?.to_string())
    }

    /// Sets an archive URL below a file, where no directory can be created.
    pub(super) fn set_unwritable_archive(&mut self) -> anyhow::Result<()> {
        let file = self.write_file("in-the-way", "", 0o600)?;
        self.set("SEEDANCE_ARCHIVE_URL", format!("file://{file}/videos"));
        Ok(())
    }

    /// Sets a callback token that is too short.
    pub(super) fn set_short_callback_token(&mut self) {
        self.set("SEEDANCE_CALLBACK_TOKEN", SHORT_TOKEN);
        self.set("SEEDANCE_INGRESS_ADDRESS", "127.0.0.1:0");
    }

    /// Sets a file of seal keys that does not exist.
    pub(super) fn set_missing_seal_keys_file(&mut self) {
        self.set("SEEDANCE_SEAL_KEYS_FILE", self.missing_file("seal-keys"));
    }

    /// Runs `doctor`, and returns its standard output and its exit code. Checks that it prints no secret and
    /// leaves no object in the archive.
    pub(super) async fn run_doctor(
        &self,
        arguments: &[&str],
    ) -> anyhow::Result<(String, Option<i32>)> {
        let output = command()
            .arg("doctor")
            .args(arguments)
            .envs(&self.variables)
            .kill_on_drop(true)
            .output()
            .await?;
        let stdout = String::from_utf8(output.stdout)?;
        for secret in [self.fixture.simulator.api_key(), WRONG_KEY, SHORT_TOKEN] {
            ensure!(!stdout.contains(secret), "{secret} was printed: {stdout}");
        }
        ensure!(
            self.fixture.archived_files()?.is_empty(),
            "a test object was left behind in the archive"
        );
        Ok((stdout, output.status.code()))
    }

    /// Checks that `doctor` prints a line that starts with a state, contains both other texts and names a
    /// fix, and that it fails only if that state is `failed`.
    pub(super) async fn assert_reported(&self, line: [&str; 3]) -> anyhow::Result<()> {
        let (stdout, code) = self.run_doctor(&[]).await?;
        let [state, parts @ ..] = line;
        let is_expected =
            |line: &&str| line.starts_with(state) && parts.iter().all(|part| line.contains(part));
        let found = stdout.lines().find(is_expected);
        let found = found.with_context(|| format!("no line with {line:?} in: {stdout}"))?;
        ensure!(found.contains("; fix: "), "{found}");
        let expected_code = i32::from(state == "failed");
        ensure!(code == Some(expected_code), "exit code {code:?}: {stdout}");
        Ok(())
    }
}
