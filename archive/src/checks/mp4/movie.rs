//! Parses the `moov` box. Decodes only the boxes that are needed: an error in another box, or an unknown codec,
//! must not reject a video.

use std::fmt;

use mp4_atom::{Atom, Decode, FourCC, Header, Mdhd, Mehd, Mvhd, Stts, Visual};
use serde::{Deserialize, Serialize};

use super::Mp4Error;

/// The properties of a movie. A fragmented movie has fewer, because its frames are not listed in the `moov`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Movie {
    /// Duration in seconds.
    pub(crate) duration_s: Option<f64>,
    /// The first video track.
    pub(crate) video: Option<VideoTrack>,
    /// Whether the movie has an audio track with samples; for a fragmented movie, any audio track.
    pub(crate) has_audio: bool,
}

/// The properties of a video track.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct VideoTrack {
    /// Width in pixels.
    pub(crate) width: u32,
    /// Height in pixels.
    pub(crate) height: u32,
    /// Number of frames.
    pub(crate) frames: Option<u64>,
    /// Average frames per second.
    pub(crate) frame_rate: Option<f64>,
    /// Codec, as named by the sample entry: `avc1`, `hvc1`, …
    pub(crate) codec: String,
}

impl Movie {
    /// Parses the body of a `moov`.
    pub(super) fn parse(moov: &[u8]) -> Result<Self, Mp4Error> {
        let Mvhd {
            timescale,
            duration,
            ..
        } = decode(required(moov, b"mvhd")?)?;
        let fragments = find(moov, b"mvex")?;
        let fragments_duration = match fragments {
            Some(mvex) => find(mvex, b"mehd")?.map(decode::<Mehd>).transpose()?,
            None => None,
        };
        let mut movie = Self {
            duration_s: seconds(duration, timescale)
                .or_else(|| seconds(fragments_duration?.fragment_duration, timescale)),
            video: None,
            has_audio: false,
        };
        for child in children(moov) {
            let (kind, trak) = child?;
            if kind == FourCC::new(b"trak") {
                movie.add_track(trak, fragments.is_some())?;
            }
        }
        Ok(movie)
    }

    fn add_track(&mut self, trak: &[u8], is_fragmented: bool) -> Result<(), Mp4Error> {
        let mdia = required(trak, b"mdia")?;
        match &handler(required(mdia, b"hdlr")?)? {
            b"vide" if self.video.is_none() => self.video = Some(VideoTrack::parse(mdia)?),
            b"soun" => self.has_audio |= is_fragmented || Timing::parse(mdia)?.samples > 0,
            _ => {}
        }
        Ok(())
    }
}

impl VideoTrack {
    fn parse(mdia: &[u8]) -> Result<Self, Mp4Error> {
        let timing = Timing::parse(mdia)?;
        let stsd = required(sample_table(mdia)?, b"stsd")?;
        let mut entries = stsd.get(STSD_HEADER..).unwrap_or_default();
        let (codec, entry) = children(entries)
            .next()
            .ok_or_else(|| Mp4Error::Moov("stsd is empty".into()))??;
        entries = entry;
        let picture =
            Visual::decode(&mut entries).map_err(|error| Mp4Error::in_moov(codec, error))?;
        Ok(Self {
            width: picture.width.into(),
            height: picture.height.into(),
            frames: Some(timing.samples).filter(|frames| *frames > 0),
            frame_rate: timing.rate(),
            codec: codec.to_string(),
        })
    }
}

/// Formats the field `found` of the check `mp4` in a receipt.
impl fmt::Display for Movie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(video) = &self.video {
            write!(f, "{} {}x{}, ", video.codec, video.width, video.height)?;
            if let Some(frames) = video.frames {
                write!(f, "{frames} frames, ")?;
            }
        }
        if let Some(seconds) = self.duration_s {
            write!(f, "{seconds:.2} s, ")?;
        }
        f.write_str(audio_text(self.has_audio))
    }
}

/// Returns the text for audio in receipts.
pub(crate) fn audio_text(has_audio: bool) -> &'static str {
    if has_audio { "sound" } else { "no sound" }
}

/// Length of the fields before the entries of `stsd`: version, flags and number of entries.
const STSD_HEADER: usize = 8;

/// The number and the duration of a track's samples.
struct Timing {
    timescale: u32,
    samples: u64,
    /// Total duration, in units of `timescale`.
    ticks: u128,
}

impl Timing {
    fn parse(mdia: &[u8]) -> Result<Self, Mp4Error> {
        let Mdhd { timescale, .. } = decode(required(mdia, b"mdhd")?)?;
        let Stts { entries } = decode(required(sample_table(mdia)?, b"stts")?)?;
        let (mut samples, mut ticks) = (0, 0);
        for entry in entries {
            samples += u64::from(entry.sample_count);
            ticks += u128::from(entry.sample_count) * u128::from(entry.sample_delta);
        }
        Ok(Self {
            timescale,
            samples,
            ticks,
        })
    }

    /// Returns the samples per second, or `None` without samples or times: the quotient is then zero, infinite or NaN.
    fn rate(&self) -> Option<f64> {
        let seconds = self.ticks as f64 / f64::from(self.timescale);
        Some(self.samples as f64 / seconds).filter(|rate| rate.is_normal())
    }
}

fn sample_table(mdia: &[u8]) -> Result<&[u8], Mp4Error> {
    required(required(mdia, b"minf")?, b"stbl")
}

/// Returns the handler type. `mp4_atom` would also decode the name that follows, which is free text.
fn handler(hdlr: &[u8]) -> Result<[u8; 4], Mp4Error> {
    hdlr.get(8..12)
        .and_then(|kind| kind.try_into().ok())
        .ok_or_else(|| Mp4Error::Moov("hdlr is too short".into()))
}

/// Converts a duration to seconds. Returns `None` if it is unknown: zero, or all bits set in 32 or 64 bits.
fn seconds(duration: u64, timescale: u32) -> Option<f64> {
    let is_known = ![0, u64::from(u32::MAX), u64::MAX].contains(&duration) && timescale > 0;
    is_known.then(|| duration as f64 / f64::from(timescale))
}

fn decode<T: Atom>(mut body: &[u8]) -> Result<T, Mp4Error> {
    T::decode_body(&mut body).map_err(|error| Mp4Error::in_moov(T::KIND, error))
}

fn required<'a>(parent: &'a [u8], kind: &[u8; 4]) -> Result<&'a [u8], Mp4Error> {
    find(parent, kind)?.ok_or_else(|| Mp4Error::Moov(format!("{} is missing", FourCC::new(kind))))
}

fn find<'a>(parent: &'a [u8], kind: &[u8; 4]) -> Result<Option<&'a [u8]>, Mp4Error> {
    for child in children(parent) {
        let (found, body) = child?;
        if found == FourCC::new(kind) {
            return Ok(Some(body));
        }
    }
    Ok(None)
}

/// Returns the name and the body of each child box.
fn children(mut rest: &[u8]) -> impl Iterator<Item = Result<(FourCC, &[u8]), Mp4Error>> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut next = || {
            let header = Header::decode(&mut rest)
                .map_err(|error| Mp4Error::Moov(format!("invalid box header: {error}")))?;
            let size = header.size.unwrap_or(rest.len());
            let (body, after) = rest
                .split_at_checked(size)
                .ok_or_else(|| Mp4Error::in_moov(header.kind, "larger than its parent box"))?;
            rest = after;
            Ok((header.kind, body))
        };
        let child = next();
        if child.is_err() {
            rest = &[];
        }
        Some(child)
    })
}
