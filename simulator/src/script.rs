//! Scripts, which determine how simulated tasks behave.

use std::{str::FromStr, time::Duration};

use seedance_archiver_proto::status;

use crate::{
    corruption::{Corruption, HeaderDigests},
    host_dialect::HostDialect,
    parse::{flag, number},
    record_dialect::RecordDialect,
    seconds::seconds,
};

/// How a task ends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Ending {
    /// Succeeds with a video.
    #[default]
    Succeeded,
    /// Fails after running.
    Failed,
    /// Is cancelled while it is queued.
    Cancelled,
    /// Does not finish in time.
    Expired,
}

impl Ending {
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Succeeded => status::SUCCEEDED,
            Self::Failed => status::FAILED,
            Self::Cancelled => status::CANCELLED,
            Self::Expired => status::EXPIRED,
        }
    }
}

impl FromStr for Ending {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [
            Self::Succeeded,
            Self::Failed,
            Self::Cancelled,
            Self::Expired,
        ]
        .into_iter()
        .find(|ending| ending.status() == text)
        .ok_or_else(|| "must be succeeded, failed, cancelled or expired".into())
    }
}

/// Format of a last frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Image {
    /// The documented format.
    Png,
    /// A format that the service returns in some cases although the URL ends in `.png`.
    Jpeg,
}

impl FromStr for Image {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "png" => Ok(Self::Png),
            "jpeg" => Ok(Self::Jpeg),
            _ => Err("must be png or jpeg".into()),
        }
    }
}

/// The behavior of one task. By default, the task succeeds with a small silent video, after the simulator's
/// default durations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// How the task ends.
    pub ending: Ending,
    /// How long the task is queued. `None`: the simulator's default.
    pub queued: Option<Duration>,
    /// How long the task runs. `None`: the simulator's default.
    pub running: Option<Duration>,
    /// Whether the video has an audio track.
    pub generate_audio: bool,
    /// Format of the last frame. `None`: the record has no last frame.
    pub last_frame: Option<Image>,
    /// Size of the video in bytes. A size below that of the fixture is ignored.
    pub bytes: Option<u64>,
    /// Rate at which the video is served. `None`: not throttled.
    pub bytes_per_second: Option<u64>,
    /// Number of bytes after which downloads of the video pause until [`Simulator::release`](crate::Simulator::release).
    pub hold_at: Option<u64>,
    /// URL of the video, on a host of the caller. `None`: a signed URL of the simulator.
    pub video_url: Option<String>,
    /// How long the record has no URL after the task succeeded.
    pub no_url_for: Option<Duration>,
    /// Whether the video URL returns 200 with a JSON error.
    pub garbage: bool,
    /// How many of the first signed URLs are refused as expired.
    pub dead_urls: usize,
    /// Whether queries and callbacks return the record in the envelope of a gateway.
    pub wrapped: bool,
    /// How many of the first downloads are aborted after [`Script::cut_after`] bytes.
    pub cuts: u64,
    /// Bytes that an aborted download sends before the connection breaks.
    pub cut_after: u64,
    /// How the served video is corrupted.
    pub corrupt: Option<Corruption>,
    /// How many of the first downloads are corrupted as [`Script::corrupt`] says. `None`: all.
    pub corrupt_downloads: Option<u64>,
    /// The bytes from which the digests in the headers are computed.
    pub digests: HeaderDigests,
    /// Whether `Range` is ignored, so that every response contains the entire video.
    pub no_ranges: bool,
    /// How long ago the task was created.
    pub age: Duration,
    /// Lifetime of signed URLs. Fractions of a second are dropped. `None`: the simulator's default.
    pub url_lifetime: Option<Duration>,
    /// Whether URLs are signed once, when the task succeeds. Otherwise each query returns fresh ones.
    pub signs_once: bool,
    /// Whether a task that is created in code has the service tier `flex`, which is listed separately.
    pub flex: bool,
    /// Whether lists omit the task. It can still be queried.
    pub unlisted: bool,
    /// Whether the record has an undocumented field.
    pub extra: bool,
    /// How the record differs from the documented one.
    pub dialect: Option<RecordDialect>,
    /// URL to which the record is posted at each change of the status, except a cancellation. Ignored if it is
    /// not an http or https URL.
    pub callback_url: Option<String>,
    /// What the host of the video does differently from ByteDance's object store.
    pub host: HostDialect,
}

/// Precedes a script in a prompt.
const MARKER: &str = "--simulate ";

impl Script {
    /// Applies the settings after `--simulate` in a prompt, e.g. `ending=failed,queued=1,running=4.5`.
    ///
    /// # Errors
    ///
    /// Returns an error that quotes the setting if a setting has an unknown name or an invalid value.
    pub(crate) fn apply_prompt(&mut self, prompt: &str) -> Result<(), String> {
        let Some((_, rest)) = prompt.split_once(MARKER) else {
            return Ok(());
        };
        let settings = rest.split_whitespace().next().unwrap_or_default();
        for setting in settings.split(',') {
            let (name, value) = setting
                .split_once('=')
                .ok_or_else(|| format!("`{setting}` must have the form name=value"))?;
            self.set(name, value)
                .map_err(|problem| format!("`{setting}` {problem}"))?;
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "ending" => self.ending = value.parse()?,
            "queued" => self.queued = Some(seconds(value)?),
            "running" => self.running = Some(seconds(value)?),
            "no_url_for" => self.no_url_for = Some(seconds(value)?),
            "last_frame" => self.last_frame = Some(value.parse()?),
            "bytes" => self.bytes = Some(number(value)?),
            "bytes_per_second" => self.bytes_per_second = Some(number::<u64>(value)?.max(1)),
            "garbage" => self.garbage = flag(value)?,
            "dead_urls" => self.dead_urls = number(value)?,
            "wrapped" => self.wrapped = flag(value)?,
            "cuts" => self.cuts = number(value)?,
            "cut_after" => self.cut_after = number(value)?,
            "flip" => self.corrupt = Some(Corruption::Flip(number(value)?)),
            "truncate" => self.corrupt = Some(Corruption::Truncate(number(value)?)),
            "length" => self.corrupt = Some(Corruption::Length(number(value)?)),
            "trailing" => self.corrupt = Some(Corruption::Trailing(number(value)?)),
            "other_video" => self.corrupt = flag(value)?.then_some(Corruption::OtherVideo),
            "corrupt_downloads" => self.corrupt_downloads = Some(number(value)?),
            "digests" => self.digests = value.parse()?,
            "no_ranges" => self.no_ranges = flag(value)?,
            "age" => self.age = seconds(value)?,
            "url_lifetime" => self.url_lifetime = Some(seconds(value)?),
            "signs_once" => self.signs_once = flag(value)?,
            "unlisted" => self.unlisted = flag(value)?,
            "extra" => self.extra = flag(value)?,
            "dialect" => self.dialect = Some(value.parse()?),
            "zeros" => self.corrupt = Some(Corruption::Zeros(number(value)?)),
            name if self.host.set(name, value)? => {}
            _ => return Err("has an unknown name".into()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(prompt: &str) -> Result<Script, String> {
        let mut script = Script::default();
        script.apply_prompt(prompt).map(|()| script)
    }

    #[test]
    fn a_prompt_can_set_the_script() {
        assert_eq!(script("a kite over the sea"), Ok(Script::default()));
        let expected = Script {
            ending: Ending::Failed,
            queued: Some(Duration::from_millis(500)),
            bytes: Some(9),
            wrapped: true,
            extra: true,
            ..Script::default()
        };
        let prompt =
            "a kite --simulate ending=failed,queued=0.5,bytes=9,wrapped=true,extra=true --seed 7";
        assert_eq!(script(prompt), Ok(expected));
    }

    #[test]
    fn a_prompt_can_corrupt_the_video() {
        let corrupt = |corrupt, digests, corrupt_downloads| {
            Ok(Script {
                corrupt: Some(corrupt),
                digests,
                corrupt_downloads,
                ..Script::default()
            })
        };
        for (settings, expected) in [
            (
                "flip=1000,digests=none",
                corrupt(Corruption::Flip(1000), HeaderDigests::Absent, None),
            ),
            (
                "truncate=9,corrupt_downloads=2",
                corrupt(Corruption::Truncate(9), HeaderDigests::Original, Some(2)),
            ),
            (
                "length=-5,digests=true",
                corrupt(Corruption::Length(-5), HeaderDigests::Original, None),
            ),
            (
                "trailing=7,digests=served",
                corrupt(Corruption::Trailing(7), HeaderDigests::Served, None),
            ),
            (
                "other_video=true",
                corrupt(Corruption::OtherVideo, HeaderDigests::Original, None),
            ),
            (
                "zeros=200,digests=served",
                corrupt(Corruption::Zeros(200), HeaderDigests::Served, None),
            ),
            ("flip=1,other_video=false", Ok(Script::default())),
        ] {
            let prompt = format!("a kite --simulate {settings}");
            assert_eq!(script(&prompt), expected, "{settings}");
        }
    }

    #[test]
    fn an_error_quotes_the_setting() {
        let error = |settings| script(&format!("--simulate {settings}")).unwrap_err();
        assert_eq!(error("ending"), "`ending` must have the form name=value");
        assert!(error("ending=soon").starts_with("`ending=soon` must be succeeded"));
        assert!(error("queued=-1").starts_with("`queued=-1` must be a number of seconds"));
        assert_eq!(error("extra=yes"), "`extra=yes` must be true or false");
        assert_eq!(
            error("flip=-1"),
            "`flip=-1` is not an integer or out of range"
        );
        assert!(error("digests=some").starts_with("`digests=some` must be true, served"));
        assert!(error("queued=1e19").contains("a year"));
        assert!(error("colour=red").contains("unknown name"));
    }
}
