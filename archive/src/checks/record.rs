//! Compares a video with its task's record.

use seedance_archiver_proto::v1::VideoTask;

use super::mp4::{Movie, VideoTrack, audio_text};

/// The properties of a video in its task's record. Values that are missing, empty, zero or unknown are not
/// compared.
#[derive(Clone, Debug, Default)]
pub(super) struct RecordedVideo<'a> {
    /// Duration in seconds, rounded down.
    duration_s: Option<i64>,
    /// Number of frames.
    frames: Option<i64>,
    /// Frames per second.
    framespersecond: Option<i64>,
    /// `480p`, `720p`, `1080p`, `2k` or `4k`.
    resolution: &'a str,
    /// `16:9`, `9:16` and so on. `adaptive` is not compared.
    ratio: &'a str,
    /// Whether audio was requested.
    generate_audio: Option<bool>,
}

/// The comparison of one property of a video with the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    /// Whether the video matches the record.
    pub(super) is_match: bool,
    /// Name of the check in the receipt.
    pub(super) check: &'static str,
    /// Value in the record.
    pub(super) expected: String,
    /// Value in the video.
    pub(super) found: String,
}

/// An audio track ends with a complete packet, a few hundredths of a second after the last frame.
const DURATION_TOLERANCE_S: f64 = 0.2;
/// Encoders differ in whether they count the last frame.
const FRAMES_TOLERANCE: u64 = 1;
const FRAME_RATE_TOLERANCE: f64 = 0.01;
/// Width and height are aligned to 16 pixels: the service calls 864x496 `16:9`, which is 2 % off.
const RATIO_TOLERANCE: f64 = 0.03;
/// Tolerance of the area. The documented sizes are within 5 %, and the areas of two resolutions differ by at least
/// 44 %, which leaves room for the unusual ratios of `adaptive`.
const RESOLUTION_TOLERANCE: f64 = 0.15;

impl<'a> RecordedVideo<'a> {
    pub(super) fn from_task(task: &'a VideoTask) -> Self {
        Self {
            duration_s: task.duration,
            frames: task.frames,
            framespersecond: task.framespersecond,
            resolution: &task.resolution,
            ratio: &task.ratio,
            generate_audio: task.generate_audio,
        }
    }

    /// Compares all properties that both the record and the video have.
    pub(super) fn compare(&self, movie: &Movie) -> Vec<Comparison> {
        let audio = self.audio(movie.has_audio);
        let duration = movie.duration_s.and_then(|found| self.duration(found));
        let Some(video) = &movie.video else {
            let video = comparison(false, "video", "a video track", "none");
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

    /// Compares durations. The record's is rounded down, so the video may be up to a second longer.
    fn duration(&self, found: f64) -> Option<Comparison> {
        let expected = positive(self.duration_s)? as f64;
        let is_match = found >= expected - DURATION_TOLERANCE_S
            && found <= expected + 1.0 + DURATION_TOLERANCE_S;
        comparison(
            is_match,
            "duration",
            format!("{expected} s"),
            format!("{found:.3} s"),
        )
    }

    fn frames(&self, found: u64) -> Option<Comparison> {
        let expected = positive(self.frames)?;
        let is_match = found.abs_diff(expected) <= FRAMES_TOLERANCE;
        comparison(is_match, "frames", expected, found)
    }

    fn frame_rate(&self, found: f64) -> Option<Comparison> {
        let expected = positive(self.framespersecond)?;
        let is_match = is_near(found, expected as f64, FRAME_RATE_TOLERANCE);
        comparison(is_match, "frame_rate", expected, format!("{found:.3}"))
    }

    /// Compares areas. For every ratio the service keeps the area of 16:9, so the shorter side of 480p is
    /// between 416 and 640 pixels long.
    fn resolution(&self, video: &VideoTrack) -> Option<Comparison> {
        let lines = lines(self.resolution)?;
        let found = f64::from(video.width) * f64::from(video.height);
        let is_match = is_near(found, lines * lines * 16.0 / 9.0, RESOLUTION_TOLERANCE);
        comparison(is_match, "resolution", self.resolution, size(video))
    }

    fn ratio(&self, video: &VideoTrack) -> Option<Comparison> {
        let (width, height) = self.ratio.split_once(':')?;
        let width = positive(width.trim().parse().ok())?;
        let height = positive(height.trim().parse().ok())?;
        let found = f64::from(video.width) / f64::from(video.height);
        let is_match = is_near(found, width as f64 / height as f64, RATIO_TOLERANCE);
        comparison(is_match, "ratio", self.ratio, size(video))
    }

    fn audio(&self, found: bool) -> Option<Comparison> {
        let expected = self.generate_audio?;
        comparison(
            expected == found,
            "audio",
            audio_text(expected),
            audio_text(found),
        )
    }
}

/// Returns the height in pixels of a 16:9 video with this resolution.
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

/// Returns whether the relative difference of two values is at most `tolerance`. Returns `false` for NaN.
fn is_near(found: f64, expected: f64, tolerance: f64) -> bool {
    (found / expected - 1.0).abs() <= tolerance
}

fn size(video: &VideoTrack) -> String {
    format!("{}x{}", video.width, video.height)
}

fn comparison(
    is_match: bool,
    check: &'static str,
    expected: impl ToString,
    found: impl ToString,
) -> Option<Comparison> {
    Some(Comparison {
        is_match,
        check,
        expected: expected.to_string(),
        found: found.to_string(),
    })
}

#[cfg(test)]
mod tests;
