//! Secrets such as API keys, by value or in a file.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// A secret, or the path of the file that contains it.
#[derive(Clone, Debug)]
pub enum Secret {
    /// The secret itself.
    Value(SecretString),
    /// A file that contains nothing but the secret. It is read at each use, so that a rotated secret needs no
    /// restart.
    File(PathBuf),
}

/// Why a secret cannot be read from its file.
#[derive(Debug, thiserror::Error)]
pub enum ReadSecretError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is empty.
    #[error("{0} is empty")]
    Empty(PathBuf),
}

impl Secret {
    /// Returns the current secret. White space around a secret in a file is ignored.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or is empty. The error contains only the path.
    pub fn read(&self) -> Result<SecretString, ReadSecretError> {
        let path = match self {
            Self::Value(secret) => return Ok(secret.clone()),
            Self::File(path) => path,
        };
        match read_file(path)?.trim() {
            "" => Err(ReadSecretError::Empty(path.clone())),
            secret => Ok(secret.to_owned().into()),
        }
    }
}

/// Returns the secrets in a file, one on each line.
///
/// # Errors
///
/// Returns an error if the file cannot be read or is empty.
pub fn read_lines(path: &Path) -> Result<Vec<SecretString>, ReadSecretError> {
    let text = read_file(path)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let secrets: Vec<SecretString> = lines.map(|line| line.to_owned().into()).collect();
    if secrets.is_empty() {
        return Err(ReadSecretError::Empty(path.to_owned()));
    }
    Ok(secrets)
}

fn read_file(path: &Path) -> Result<String, ReadSecretError> {
    std::fs::read_to_string(path).map_err(|source| ReadSecretError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self::Value(secret.into())
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_file_is_read_at_each_use() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let key = Secret::File(path.clone());
        let now = || key.read().map(|key| key.expose_secret().to_owned());
        assert!(now().unwrap_err().to_string().starts_with("cannot read"));
        std::fs::write(&path, "one\n").unwrap();
        assert_eq!(now().unwrap(), "one");
        std::fs::write(&path, "two").unwrap();
        assert_eq!(now().unwrap(), "two");
        std::fs::write(&path, " \n").unwrap();
        assert!(now().unwrap_err().to_string().ends_with("is empty"));
    }

    #[test]
    fn a_file_of_several_secrets_has_one_on_each_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines = || {
            let secrets = read_lines(file.path())?;
            let shown = secrets.iter().map(|it| it.expose_secret().to_owned());
            Ok::<_, ReadSecretError>(shown.collect::<Vec<_>>())
        };
        assert!(lines().unwrap_err().to_string().ends_with("is empty"));
        std::fs::write(file.path(), "new \n\nold\n").unwrap();
        assert_eq!(lines().unwrap(), ["new", "old"]);
    }
}
