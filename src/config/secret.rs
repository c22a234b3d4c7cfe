//! Where a secret comes from: an API key, a callback token.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// A secret, or the file that holds it.
#[derive(Clone, Debug)]
pub enum Secret {
    /// The secret itself.
    Value(SecretString),
    /// A file with nothing but the secret. It is read for each use, so that a new one needs no
    /// restart.
    File(PathBuf),
}

/// A secret's file cannot be used now.
#[derive(Debug, thiserror::Error)]
pub enum CannotReadSecret {
    /// It cannot be read.
    #[error("the file {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is nothing in it.
    #[error("the file {0} is empty")]
    Empty(PathBuf),
}

impl Secret {
    /// The secret as it is now; that of a file without the white space around it.
    ///
    /// # Errors
    ///
    /// Where its file cannot be read or is empty. The error has the path alone.
    pub fn read(&self) -> Result<SecretString, CannotReadSecret> {
        let path = match self {
            Self::Value(secret) => return Ok(secret.clone()),
            Self::File(path) => path,
        };
        match read_file(path)?.trim() {
            "" => Err(CannotReadSecret::Empty(path.clone())),
            secret => Ok(secret.to_owned().into()),
        }
    }
}

/// The secrets in a file, one a line.
pub(super) fn read_lines(path: &Path) -> Result<Vec<SecretString>, CannotReadSecret> {
    let text = read_file(path)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let secrets: Vec<SecretString> = lines.map(|line| line.to_owned().into()).collect();
    if secrets.is_empty() {
        return Err(CannotReadSecret::Empty(path.to_owned()));
    }
    Ok(secrets)
}

fn read_file(path: &Path) -> Result<String, CannotReadSecret> {
    std::fs::read_to_string(path).map_err(|source| CannotReadSecret::Unreadable {
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
    fn a_file_is_read_each_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let key = Secret::File(path.clone());
        let now = || key.read().map(|key| key.expose_secret().to_owned());
        assert!(now().unwrap_err().to_string().contains("cannot be read"));
        std::fs::write(&path, "one\n").unwrap();
        assert_eq!(now().unwrap(), "one");
        std::fs::write(&path, "two").unwrap();
        assert_eq!(now().unwrap(), "two");
        std::fs::write(&path, " \n").unwrap();
        assert!(now().unwrap_err().to_string().ends_with("is empty"));
    }

    #[test]
    fn a_file_of_several_has_one_a_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines = || {
            let secrets = read_lines(file.path())?;
            let shown = secrets.iter().map(|it| it.expose_secret().to_owned());
            Ok::<_, CannotReadSecret>(shown.collect::<Vec<_>>())
        };
        assert!(lines().unwrap_err().to_string().ends_with("is empty"));
        std::fs::write(file.path(), "new \n\nold\n").unwrap();
        assert_eq!(lines().unwrap(), ["new", "old"]);
    }
}
