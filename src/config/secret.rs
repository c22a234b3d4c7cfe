//! Where an account's API key comes from.

use std::path::PathBuf;

use secrecy::SecretString;

/// A key, or the file that holds it.
#[derive(Clone, Debug)]
pub enum ApiKey {
    /// The key itself.
    Value(SecretString),
    /// A file with nothing but the key. It is read for each use, so that a new key needs no restart.
    File(PathBuf),
}

/// A key's file cannot be used now.
#[derive(Debug, thiserror::Error)]
pub enum CannotReadKey {
    /// It cannot be read.
    #[error("the API key's file {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is nothing in it.
    #[error("the API key's file {0} is empty")]
    Empty(PathBuf),
}

impl ApiKey {
    /// The key as it is now.
    pub fn read(&self) -> Result<SecretString, CannotReadKey> {
        let path = match self {
            Self::Value(key) => return Ok(key.clone()),
            Self::File(path) => path,
        };
        let text = std::fs::read_to_string(path).map_err(|source| CannotReadKey::Unreadable {
            path: path.clone(),
            source,
        })?;
        match text.trim() {
            "" => Err(CannotReadKey::Empty(path.clone())),
            key => Ok(key.to_owned().into()),
        }
    }
}

impl From<String> for ApiKey {
    fn from(key: String) -> Self {
        Self::Value(key.into())
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
        let key = ApiKey::File(path.clone());
        let now = || key.read().map(|key| key.expose_secret().to_owned());
        assert!(now().unwrap_err().to_string().contains("cannot be read"));
        std::fs::write(&path, "one\n").unwrap();
        assert_eq!(now().unwrap(), "one");
        std::fs::write(&path, "two").unwrap();
        assert_eq!(now().unwrap(), "two");
        std::fs::write(&path, " \n").unwrap();
        assert!(now().unwrap_err().to_string().ends_with("is empty"));
    }
}
