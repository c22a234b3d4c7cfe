//! Secrets such as API keys, by value or in a file.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use seedance_archiver_proto::visible;

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
    /// A line contains a character that cannot be meant, such as a zero-width space or a typographic quotation mark.
    #[error("{path}: line {line} {problem}")]
    Invisible {
        /// Path of the file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// The character, as its code point.
        problem: String,
    },
}

impl Secret {
    /// Returns the current secret. White space and invisible characters around a secret in a file are ignored.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or is empty, or if the secret contains an invisible character. The
    /// error contains no part of the secret except that character.
    pub fn read(&self) -> Result<SecretString, ReadSecretError> {
        let path = match self {
            Self::Value(secret) => return Ok(secret.clone()),
            Self::File(path) => path,
        };
        let text = read_file(path)?;
        match visible::trim(&text) {
            "" => Err(ReadSecretError::Empty(path.clone())),
            secret => {
                for (line, text) in lines(&text) {
                    check(path, line, text)?;
                }
                Ok(secret.to_owned().into())
            }
        }
    }
}

/// Returns the secrets in a file, one on each line. White space and invisible characters around them are ignored.
///
/// Versions before 0.2 did not ignore a byte-order mark and zero-width characters, which so became part of a key. The
/// keys that they used follow at the end, so that what they sealed can be unsealed.
///
/// # Errors
///
/// Returns an error if the file cannot be read or is empty, or if a secret contains an invisible character.
pub fn read_lines(path: &Path) -> Result<Vec<SecretString>, ReadSecretError> {
    let text = read_file(path)?;
    let mut secrets: Vec<SecretString> = Vec::new();
    let mut before: Vec<SecretString> = Vec::new();
    for (line, secret) in lines(&text) {
        check(path, line, secret)?;
        secrets.push(secret.to_owned().into());
    }
    for line in text.lines().map(str::trim) {
        let secret = visible::trim(line);
        if !secret.is_empty() && secret != line {
            before.push(line.to_owned().into());
        }
    }
    if secrets.is_empty() {
        return Err(ReadSecretError::Empty(path.to_owned()));
    }
    secrets.extend(before);
    Ok(secrets)
}

/// Returns the lines of a text that contain something visible, with their numbers, from 1.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().map(visible::trim).enumerate();
    lines
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.is_empty())
}

fn check(path: &Path, line: usize, secret: &str) -> Result<(), ReadSecretError> {
    visible::check(secret).map_err(|problem| ReadSecretError::Invisible {
        path: path.to_owned(),
        line,
        problem,
    })
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

    #[test]
    fn invisible_characters_are_not_part_of_a_secret() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let key = Secret::File(file.path().to_owned());
        let read = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            let key = key.read().map(|key| key.expose_secret().to_owned());
            let lines = read_lines(file.path());
            let lines = lines.map(|it| it.iter().map(|it| it.expose_secret().to_owned()).collect());
            (key, lines)
        };
        for text in [
            "\u{feff}key\r\n",
            "\u{200b}key\u{a0}\n\u{feff}\n",
            "\t key \u{ad}",
        ] {
            let (key, lines) = read(text);
            assert_eq!(key.unwrap(), "key", "{text:?}");
            let lines: Vec<String> = lines.unwrap();
            // Then the key as earlier versions read it.
            assert_eq!(lines[0], "key", "{text:?}");
            assert!(
                lines[1..].iter().all(|line| line.trim() != "key"),
                "{lines:?}"
            );
        }
        for (text, problem) in [
            ("ke\u{200b}y", "line 1 contains U+200B; delete it"),
            (
                "first\n\nse\u{feff}cond\n",
                "line 3 contains U+FEFF; delete it",
            ),
            ("“key”", "line 1 contains U+201C; delete it"),
        ] {
            let (key, lines) = read(text);
            let lines: Result<Vec<String>, _> = lines;
            for error in [key.unwrap_err(), lines.unwrap_err()] {
                let error = error.to_string();
                assert!(error.ends_with(problem), "{error}");
                assert!(!error.contains("key"), "{error}");
            }
        }
    }
}
