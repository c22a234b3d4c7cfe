//! What a task is to do.

use std::{str::FromStr, time::Duration};

use seedance_archiver_proto::status;

use crate::{
    corruption::{Announced, Corruption},
    seconds::seconds,
};

/// How a task ends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Ending {
    /// With a video.
    #[default]
    Succeeded,
    /// With an error, after running.
    Failed,
    /// Cancelled while it was queued.
    Cancelled,
    /// Not finished in time.
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

    fn from_str(word: &str) -> Result<Self, String> {
        [
            Self::Succeeded,
            Self::Failed,
            Self::Cancelled,
            Self::Expired,
        ]
        .into_iter()
        .find(|ending| ending.status() == word)
        .ok_or_else(|| "is not succeeded, failed, cancelled or expired".into())
    }
}

/// Format of a last frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Image {
    /// As the service says it is.
    Png,
    /// As it has been all the same: its URL still ends in `.png`.
    Jpeg,
}

impl FromStr for Image {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "png" => Ok(Self::Png),
            "jpeg" => Ok(Self::Jpeg),
            _ => Err("is not png or jpeg".into()),
        }
    }
}

/// What one task does. The default succeeds with a small silent video, in the simulator's own time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// How it ends.
    pub ending: Ending,
    /// How long it is queued.
    pub queued: Option<Duration>,
    /// How long it runs.
    pub running: Option<Duration>,
    /// Whether the video has sound.
    pub generate_audio: bool,
    /// The last frame that comes with the video.
    pub last_frame: Option<Image>,
    /// Size of the video in bytes. It is never made smaller than it is.
    pub bytes: Option<u64>,
    /// Pace at which its bytes are served.
    pub bytes_per_second: Option<u64>,
    /// How long after it has succeeded its record has no URL yet.
    pub no_url_for: Option<Duration>,
    /// Whether its URL answers 200 with an error in JSON.
    pub garbage: bool,
    /// How many of its signed URLs, from the first, are refused as if they had expired.
    pub dead_urls: usize,
    /// Whether queries and callbacks have its record in the envelope of a gateway.
    pub wrapped: bool,
    /// How many downloads of the video, from the first, are cut off after [`Script::cut_after`].
    pub cuts: u64,
    /// Bytes that a download which is cut off has sent by then.
    pub cut_after: u64,
    /// What is wrong with the video as it is served.
    pub corrupt: Option<Corruption>,
    /// How many downloads of the video, from the first, [`Script::corrupt`] is about. `None`: all.
    pub corrupt_downloads: Option<u64>,
    /// What the headers with digests are about.
    pub digests: Announced,
    /// Whether its URL ignores ranges, and serves the whole video each time.
    pub no_ranges: bool,
    /// How long ago it was created.
    pub age: Duration,
    /// How long its signed URLs live, in whole seconds.
    pub url_lifetime: Option<Duration>,
    /// Whether its URLs are signed when it has succeeded, and never afresh.
    pub signs_once: bool,
    /// Whether it is of the tier `flex`, which is listed by itself. A request says so otherwise.
    pub flex: bool,
    /// Whether its record has a field that no documentation knows.
    pub extra: bool,
    /// Where each of its statuses is told, but for a cancellation. One that is no http(s) URL is
    /// left alone.
    pub callback_url: Option<String>,
}

/// What stands before a script in a prompt.
const MARK: &str = "--simulate ";

impl Script {
    /// Follows what a prompt says after `--simulate`, e.g. `ending=failed,queued=1,running=4.5`. The
    /// error names the part that is wrong.
    pub(crate) fn follow(&mut self, prompt: &str) -> Result<(), String> {
        let Some((_, rest)) = prompt.split_once(MARK) else {
            return Ok(());
        };
        let directions = rest.split_whitespace().next().unwrap_or_default();
        for direction in directions.split(',') {
            let (name, value) = direction
                .split_once('=')
                .ok_or_else(|| format!("`{direction}` is not name=value"))?;
            self.set(name, value)
                .map_err(|fault| format!("`{direction}` {fault}"))?;
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "ending" => self.ending = value.parse()?,
            "queued" => self.queued = Some(time(value)?),
            "running" => self.running = Some(time(value)?),
            "no_url_for" => self.no_url_for = Some(time(value)?),
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
            "age" => self.age = time(value)?,
            "url_lifetime" => self.url_lifetime = Some(time(value)?),
            "signs_once" => self.signs_once = flag(value)?,
            "extra" => self.extra = flag(value)?,
            _ => return Err("has a name that is not known".into()),
        }
        Ok(())
    }
}

fn time(text: &str) -> Result<Duration, String> {
    seconds(text).map_err(|fault| format!("is {fault}"))
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "is not a whole number".to_owned())
}

fn flag(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "is not true or false".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(prompt: &str) -> Result<Script, String> {
        let mut script = Script::default();
        script.follow(prompt).map(|()| script)
    }

    #[test]
    fn a_prompt_can_say_what_happens() {
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
    fn a_prompt_can_say_what_is_wrong_with_the_video() {
        let corrupt = |corrupt, digests, corrupt_downloads| {
            Ok(Script {
                corrupt: Some(corrupt),
                digests,
                corrupt_downloads,
                ..Script::default()
            })
        };
        for (directions, expected) in [
            (
                "flip=1000,digests=none",
                corrupt(Corruption::Flip(1000), Announced::Nothing, None),
            ),
            (
                "truncate=9,corrupt_downloads=2",
                corrupt(Corruption::Truncate(9), Announced::True, Some(2)),
            ),
            (
                "length=-5,digests=true",
                corrupt(Corruption::Length(-5), Announced::True, None),
            ),
            (
                "trailing=7,digests=served",
                corrupt(Corruption::Trailing(7), Announced::Served, None),
            ),
            (
                "other_video=true",
                corrupt(Corruption::OtherVideo, Announced::True, None),
            ),
            ("flip=1,other_video=false", Ok(Script::default())),
        ] {
            let prompt = format!("a kite --simulate {directions}");
            assert_eq!(script(&prompt), expected, "{directions}");
        }
    }

    #[test]
    fn a_fault_is_named() {
        let fault = |directions| script(&format!("--simulate {directions}")).unwrap_err();
        assert_eq!(fault("ending"), "`ending` is not name=value");
        assert!(fault("ending=soon").starts_with("`ending=soon` is not succeeded"));
        assert!(fault("queued=-1").starts_with("`queued=-1` is not a time"));
        assert_eq!(fault("extra=yes"), "`extra=yes` is not true or false");
        assert_eq!(fault("flip=-1"), "`flip=-1` is not a whole number");
        assert!(fault("digests=some").starts_with("`digests=some` is not true, served"));
        assert!(fault("queued=1e19").contains("a year"));
        assert!(fault("colour=red").contains("not known"));
    }
}
