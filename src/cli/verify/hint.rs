//! How to continue a verification that ended early.

use std::borrow::Cow;

use jiff::SignedDuration;
use object_store::path::Path;
use seedance_archiver_proto::visible;

use super::args::Args;
use crate::cli::output::Output;

/// Returns how to continue after the key up to which all receipts are verified.
pub(super) fn hint(args: &Args, verified_up_to: Option<&Path>) -> String {
    match verified_up_to {
        Some(key) => format!(
            "verified all receipts up to {}; to continue:\n  {}",
            visible::escape(key.as_ref()),
            visible::escape(&command(args, key))
        ),
        None => "no position to continue from; run the command again".to_owned(),
    }
}

/// Returns the command that verifies the receipts after a key.
fn command(args: &Args, after: &Path) -> String {
    let mut command = "seedance-archiver verify".to_owned();
    if args.deep {
        command += " --deep";
    }
    if let Some(since) = args.since.and_then(|it| SignedDuration::try_from(it).ok()) {
        command += &format!(" --since {}", format!("{since:#}").replace(' ', ""));
    }
    if args.output == Output::Json {
        command += " --output json";
    }
    format!("{command} --after {}", quote(after.as_ref()))
}

/// Quotes a word for a shell.
fn quote(word: &str) -> Cow<'_, str> {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "/._-=:@%+,".contains(it);
    match word.chars().all(is_plain) {
        true => word.into(),
        false => format!("'{}'", word.replace('\'', r"'\''")).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config;

    #[test]
    fn the_command_has_the_same_options() {
        let mut args = Args {
            deep: false,
            since: None,
            after: None,
            output: Output::Text,
        };
        let key = Path::parse("a/manifest.json").unwrap();
        let expected = "seedance-archiver verify --after a/manifest.json";
        assert_eq!(command(&args, &key), expected);

        let since = Duration::from_secs(7 * 24 * 60 * 60 + 90);
        args.deep = true;
        args.output = Output::Json;
        args.since = Some(since);
        let key = Path::parse("it's a/manifest.json").unwrap();
        let command = command(&args, &key);
        let (options, quoted) = command.split_once(" --after ").unwrap();
        let expected = "seedance-archiver verify --deep --since 168h1m30s --output json";
        assert_eq!(options, expected);
        assert_eq!(quoted, r"'it'\''s a/manifest.json'");
        assert_eq!(config::duration("168h1m30s"), Ok(since));
    }
}
