//! Starts the servers of the stores, and this program again with their environment variables.

use std::{env, path::PathBuf, process::ExitCode};

use anyhow::{Context, bail};
use tokio::{process::Command, runtime::Runtime};

use crate::{
    azurite::Azurite,
    minio::Minio,
    s3_proxy::{Dialect, S3Proxy, control},
    tools,
};

/// Name of the bucket and of the container.
pub(crate) const BUCKET: &str = "videos";

/// Environment variable with the directory of local archives. If it is set, the servers are running.
const DIRECTORY: &str = "SEEDANCE_TEST_STORES";

/// Environment variable with the endpoint of S3.
const S3_ENDPOINT: &str = "AWS_ENDPOINT";

/// Prefixes of environment variables that configure stores. The user's variables with these prefixes are removed.
const CONFIGURATION: [&str; 3] = ["AWS_", "AZURE_", "AZURITE_"];

/// Returns the directory of local archives, or `None` if the servers are not running.
pub(crate) fn directory() -> Option<PathBuf> {
    env::var_os(DIRECTORY).map(PathBuf::from)
}

/// Lets S3 answer as another store does, for keys that contain a text.
pub(crate) async fn set_dialect(part_of_key: &str, dialect: Dialect) -> anyhow::Result<()> {
    control::set_at(&env::var(S3_ENDPOINT)?, part_of_key, dialect).await
}

/// Returns how many parts at once [`Dialect::SlowsDown`] received, whenever one arrived.
pub(crate) async fn parts_at_once() -> anyhow::Result<Vec<usize>> {
    control::parts_at_once_at(&env::var(S3_ENDPOINT)?).await
}

/// Returns the number of uploads to S3 that were neither completed nor aborted, to keys that contain a text.
pub(crate) async fn open_uploads(part_of_key: &str) -> anyhow::Result<usize> {
    control::open_uploads_at(&env::var(S3_ENDPOINT)?, part_of_key).await
}

/// Starts the installed servers, and then this program again with their environment variables.
pub(crate) fn start_and_run_again() -> anyhow::Result<ExitCode> {
    Runtime::new()?.block_on(async {
        let directory = tempfile::tempdir()?;
        let (minio, azurite) = tokio::try_join!(minio(), azurite())?;
        let mut program = Command::new(env::current_exe()?);
        program.args(env::args_os().skip(1)).kill_on_drop(true);
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy();
            if CONFIGURATION.iter().any(|prefix| name.starts_with(prefix)) {
                program.env_remove(name.as_ref());
            }
        }
        program.env(DIRECTORY, directory.path());
        program.envs(minio.iter().flat_map(Minio::environment));
        // S3 is behind a proxy, which answers as other stores do if a scenario asks for it.
        if let Some(minio) = &minio {
            let proxy = S3Proxy::start(&minio.environment()).await?;
            program.env(S3_ENDPOINT, proxy.url());
        }
        program.envs(azurite.iter().flat_map(Azurite::environment));
        let mut program = program.spawn().context("cannot start the tests")?;
        tokio::select! {
            status = program.wait() => match status?.code() {
                Some(code) => Ok(ExitCode::from(u8::try_from(code)?)),
                None => bail!("the tests were killed"),
            },
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        }
    })
}

async fn minio() -> anyhow::Result<Option<Minio>> {
    match tools::minio() {
        Ok(program) => {
            let minio = Minio::start(program).await.context("cannot start MinIO")?;
            minio.create_bucket(BUCKET)?;
            Ok(Some(minio))
        }
        Err(_) => Ok(None),
    }
}

async fn azurite() -> anyhow::Result<Option<Azurite>> {
    match tools::azurite() {
        Ok(program) => Ok(Some(
            Azurite::start(program)
                .await
                .context("cannot start Azurite")?,
        )),
        Err(_) => Ok(None),
    }
}
