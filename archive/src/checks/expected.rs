//! What the record of a task says of its video, against what the video says itself.

use super::{Movie, VideoTrack};

/// What a record says. Whatever is absent, empty, zero or not known here is not compared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected<'a> {
    /// Whole seconds, rounded down.
    pub(crate) duration_s: Option<i64>,
    /// Number of frames.
    pub(crate) frames: Option<i64>,
    /// Frames per second.
    pub(crate) framespersecond: Option<i64>,
    /// `480p`, `720p`, `1080p`, `2k` or `4k`.
    pub(crate) resolution: &'a str,
    /// `16:9`, `9:16`, …; `adaptive` promises nothing.
    pub(crate) ratio: &'a str,
    /// Whether sound was asked for.
    pub(crate) generate_audio: Option<bool>,
}

/// One thing in which a video was compared with its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Whether it is as the record says.
    pub(crate) is_right: bool,
    /// What was compared.
    pub(crate) check: &'static str,
    /// What the record says.
    pub(crate) expected: String,
    /// What the video says.
    pub(crate) found: String,
}

/// A soundtrack ends on a packet of its own, a few hundredths of a second after the picture.
const DURATION_TOLERANCE_S: f64 = 0.2;
/// Encoders differ in whether the last frame counts.
const FRAMES_TOLERANCE: u64 = 1;
const FRAME_RATE_TOLERANCE: f64 = 0.01;
/// Sides are aligned to 16 pixels: 864x496 is called 16:9, 2 % off.
const RATIO_TOLERANCE: f64 = 0.03;
/// Of the area. The service's own sizes are within 5 %; the next resolution is at least 44 % away, so
/// that there is room for the odd shapes of `adaptive`.
const RESOLUTION_TOLERANCE: f64 = 0.15;

impl Expected<'_> {
    /// Everything in which there is something to compare.
    pub(crate) fn compare(&self, movie: &Movie) -> Vec<Finding> {
        let audio = self.audio(movie.has_audio);
        let duration = movie.duration_s.and_then(|found| self.duration(found));
        let Some(video) = &movie.video else {
            let video = compared(false, "video", "a video track", "none");
            return [video, duration, audio].into_iter().flatten().collect();
        };
        [
            duration,
            video.frames.and_then(|found| self.frames(found)),
            video.frame_rate.and_then(|found| self.frame_rate(found)),
            self.resolution(video),
            self.ratio(video),
            audio,
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// A record's duration is rounded down, so nearly a second more is right too.
    fn duration(&self, found: f64) -> Option<Finding> {
        let expected = positive(self.duration_s)? as f64;
        let is_right = found >= expected - DURATION_TOLERANCE_S
            && found <= expected + 1.0 + DURATION_TOLERANCE_S;
        compared(
            is_right,
            "duration",
            format!("{expected} s"),
            format!("{found:.3} s"),
        )
    }

    fn frames(&self, found: u64) -> Option<Finding> {
        let expected = positive(self.frames)?;
        let is_right = found.abs_diff(expected) <= FRAMES_TOLERANCE;
        compared(is_right, "frames", expected, found)
    }

    fn frame_rate(&self, found: f64) -> Option<Finding> {
        let expected = positive(self.framespersecond)?;
        let is_right = is_near(found, expected as f64, FRAME_RATE_TOLERANCE);
        compared(is_right, "frame_rate", expected, format!("{found:.3}"))
    }

    /// Compares areas: the service keeps that of 16:9 whatever the shape, so that the shorter side of
    /// 480p is from 416 to 640 pixels long.
    fn resolution(&self, video: &VideoTrack) -> Option<Finding> {
        let lines = lines(self.resolution)?;
        let found = f64::from(video.width) * f64::from(video.height);
        let is_right = is_near(found, lines * lines * 16.0 / 9.0, RESOLUTION_TOLERANCE);
        compared(is_right, "resolution", self.resolution, size(video))
    }

    fn ratio(&self, video: &VideoTrack) -> Option<Finding> {
        let (width, height) = self.ratio.split_once(':')?;
        let width = positive(width.trim().parse().ok())?;
        let height = positive(height.trim().parse().ok())?;
        let found = f64::from(video.width) / f64::from(video.height);
        let is_right = is_near(found, width as f64 / height as f64, RATIO_TOLERANCE);
        compared(is_right, "ratio", self.ratio, size(video))
    }

    fn audio(&self, found: bool) -> Option<Finding> {
        let expected = self.generate_audio?;
        let words = |has_audio| if has_audio { "sound" } else { "no sound" };
        compared(expected == found, "audio", words(expected), words(found))
    }
}

/// Lines of a picture of 16:9.
fn lines(resolution: &str) -> Option<f64> {
    match resolution.to_ascii_lowercase().as_str() {
        "480p" => Some(480.0),
        "720p" => Some(720.0),
        "1080p" => Some(1080.0),
        "2k" => Some(1440.0),
        "4k" => Some(2160.0),
        _ => None,
    }
}

fn positive(value: Option<i64>) -> Option<u64> {
    value
        .and_then(|value| u64::try_from(value).ok())
        .filter(|value| *value > 0)
}

/// Not so for anything that is not a number.
fn is_near(found: f64, expected: f64, tolerance: f64) -> bool {
    (found / expected - 1.0).abs() <= tolerance
}

fn size(video: &VideoTrack) -> String {
    format!("{}x{}", video.width, video.height)
}

fn compared(
    is_right: bool,
    check: &'static str,
    expected: impl ToString,
    found: impl ToString,
) -> Option<Finding> {
    Some(Finding {
        is_right,
        check,
        expected: expected.to_string(),
        found: found.to_string(),
    })
}

#[cfg(test)]
mod tests;
