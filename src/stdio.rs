//! Standard output and standard error. No other module of this crate writes to them; clippy enforces it.
//!
//! A reader such as `head` may close a pipe at any time. What is printed afterwards is discarded, and the command
//! continues, unless it does nothing but print: `println!` would panic, and the default action of SIGPIPE would kill the process in the middle of its
//! work.
//!
//! - `outln!`: prints a line of a result to stdout.
//! - `errln!`: prints a message to stderr.
//! - [`print_labelled`]: prints a line with a coloured label to stdout.
//! - [`print_json`]: prints a JSON document to stdout.
//! - [`print_csv`]: prints a record of CSV to stdout.
//! - [`stdout_is_closed`]: says whether nobody reads stdout any more, so that a command which only prints can end.
//! - [`LogWriter`]: a writer for logs.
//! - [`check_stdout`]: fails if a result could not be written.
//!
//! Whatever is printed may quote an API, a store or a file. Characters that a terminal would obey, or that would make a
//! text look like another one, are escaped here. A line break cannot be told from one that is meant, so texts from
//! outside must pass [`visible::escape`] before they become part of a line.

// The only module that may call `io::stdout` and `io::stderr`.
#![expect(clippy::disallowed_methods)]

use std::{
    fmt::{Arguments, Display},
    io::{self, ErrorKind, IsTerminal, Write},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use seedance_archiver_proto::{external, visible};

/// Maximum length of a text in a log event, in characters.
const MAX_LOG_TEXT: usize = 8_000;

/// The first error of stdout, except a closed pipe.
static STDOUT_ERROR: OnceLock<io::Error> = OnceLock::new();

/// Whether the reader of stdout has closed the pipe.
static STDOUT_CLOSED: AtomicBool = AtomicBool::new(false);

/// Prints a line to stdout, like `println!`, but never panics.
macro_rules! outln {
    ($($argument:tt)*) => {
        $crate::stdio::print_to_stdout(format_args!($($argument)*))
    };
}

/// Prints a line to stderr, like `eprintln!`, but never panics.
macro_rules! errln {
    ($($argument:tt)*) => {
        $crate::stdio::print_to_stderr(format_args!($($argument)*))
    };
}

/// Prints a line to stdout. Use `outln!`.
pub(crate) fn print_to_stdout(line: Arguments) {
    write_to_stdout(&visible::escape_lines(&line.to_string()));
}

/// Prints a line to stdout that begins with a label, which may have colours.
pub(crate) fn print_labelled(label: impl Display, line: &str) {
    write_to_stdout(&format!("{label}{}", visible::escape(line)));
}

/// Prints a JSON document to stdout.
pub(crate) fn print_json(document: &str) {
    write_to_stdout(&escape_json(document));
}

/// Prints a record of CSV to stdout, without the line break at its end. Its fields are escaped already: line breaks in them
/// are meant.
pub(crate) fn print_csv(record: &str) {
    write_to_stdout(record);
}

/// Escapes the characters that are escaped in text, but as JSON allows.
pub(crate) fn escape_json(document: &str) -> String {
    let mut escaped = String::with_capacity(document.len());
    for character in document.chars() {
        match character {
            // Outside of strings; inside, they are escaped already.
            '\n' => escaped.push('\n'),
            character if visible::misleads(character) => {
                let units = character.encode_utf16(&mut [0; 2]).to_vec();
                escaped.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
            }
            character => escaped.push(character),
        }
    }
    escaped
}

fn write_to_stdout(line: &str) {
    match io::stdout().write_all(format!("{line}\n").as_bytes()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            STDOUT_CLOSED.store(true, Ordering::Relaxed);
        }
        Err(error) => {
            // An error means that an earlier one is kept.
            let _ = STDOUT_ERROR.set(error);
        }
    }
}

/// Prints a line to stderr. Use `errln!`.
pub(crate) fn print_to_stderr(line: Arguments) {
    let line = visible::escape_lines(&line.to_string()).into_owned();
    // An error cannot be reported anywhere.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Fails if a line could not be written to stdout, for example because the disk is full. A closed pipe is not an
/// error: its reader has read what it needs.
pub(crate) fn check_stdout() -> Result<(), &'static io::Error> {
    STDOUT_ERROR.get().map_or(Ok(()), Err)
}

/// Returns whether the reader of stdout has closed the pipe: nobody reads what is printed from now on.
pub(crate) fn stdout_is_closed() -> bool {
    STDOUT_CLOSED.load(Ordering::Relaxed)
}

/// Returns whether stderr is a terminal.
pub(crate) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Writes log events to stderr, each with one call, and ignores errors, which `tracing-subscriber` would print to
/// stderr with `eprintln!`.
///
/// An event is one line: its line breaks are escaped, because a text in it could otherwise forge another event. It may
/// quote a store, an API or Temporal, so secrets are removed and long texts are cut, whoever logs it.
/// `tracing-subscriber` escapes `ESC` in fields, so what remains of it are the colours of the event.
pub(crate) enum LogWriter {
    /// Events are lines of text.
    Text,
    /// Events are JSON objects.
    Json,
}

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let event = String::from_utf8_lossy(bytes);
        let line = match self {
            Self::Text => text_event(&event),
            Self::Json => json_event(&event),
        };
        let _ = io::stderr().write_all(line.as_bytes());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn text_event(event: &str) -> String {
    let line = event.strip_suffix('\n').unwrap_or(event);
    let safe = external::field(line, MAX_LOG_TEXT);
    let escaped: Vec<_> = safe.split('\u{1b}').map(visible::escape).collect();
    let end = if line.len() < event.len() { "\n" } else { "" };
    format!("{}{end}", escaped.join("\u{1b}"))
}

/// Each string is a text of its own, so that the event stays JSON.
fn json_event(event: &str) -> String {
    let mut safe = String::with_capacity(event.len());
    let mut rest = event;
    while let Some(start) = rest.find('"') {
        let (before, at_literal) = rest.split_at(start);
        let mut literals = serde_json::Deserializer::from_str(at_literal).into_iter::<String>();
        let Some(Ok(text)) = literals.next() else {
            return safe + &text_event(rest);
        };
        safe.push_str(before);
        safe.push_str(&serde_json::Value::from(external::field(&text, MAX_LOG_TEXT)).to_string());
        rest = &at_literal[literals.byte_offset()..];
    }
    safe.push_str(rest);
    escape_json(&safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        for (event, line) in [
            ("INFO archived\n", "INFO archived\n"),
            ("INFO a\r\nINFO b\n", "INFO a\\r\\nINFO b\n"),
            ("INFO \u{202e}a\u{9b}2J\n", "INFO \\u{202e}a\\u{9b}2J\n"),
            (
                "\u{1b}[32m INFO\u{1b}[0m a\n",
                "\u{1b}[32m INFO\u{1b}[0m a\n",
            ),
        ] {
            assert_eq!(text_event(event), line);
        }
    }

    #[test]
    fn an_event_has_no_secrets_and_is_bounded() {
        let url = "https://h.example/v.mp4?X-Tos-Signature=ZZZZ";
        let body = format!("<Token-0>ZZZZ</Token-0> {url} {}", "x".repeat(3_000_000));
        let text = text_event(&format!("WARN error={body} n=1\n"));
        let event = serde_json::json!({"level": "WARN", "error": body, "n": 1, "token": "count"});
        let json = json_event(&format!("{event}\n"));
        for event in [&text, &json] {
            assert!(!event.contains("ZZ") && event.len() < 10_000, "{event}");
            assert!(event.contains("<Token-0>REDACTED</Token-0>") && event.ends_with('\n'));
        }
        let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            (&parsed["n"], &parsed["level"]),
            (&1.into(), &"WARN".into())
        );
    }

    #[test]
    fn json_stays_json() {
        let texts = [
            "a\nb",
            "\u{202e}\u{9b}\u{7f}\u{e0001}",
            "\u{1b}[2J",
            "ü 视频",
        ];
        for text in texts {
            let document = serde_json::to_string_pretty(&[text]).unwrap();
            let escaped = escape_json(&document);
            assert!(
                !escaped.contains('\u{202e}') && !escaped.contains('\u{9b}'),
                "{escaped}"
            );
            let parsed: [String; 1] = serde_json::from_str(&escaped).unwrap();
            assert_eq!(parsed, [text]);
        }
    }
}
