//! What `moov` says of a movie. Only the boxes that matter are decoded: a fault in another, or a codec
//! that nobody knows yet, must not condemn a video.

use mp4_atom::{Atom, Decode, FourCC, Header, Mdhd, Mehd, Mvhd, Stts, Visual};
use serde::{Deserialize, Serialize};

use super::Fault;

/// What can be told of a movie. A fragmented one tells less: its frames are listed elsewhere.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Movie {
    /// Length in seconds.
    pub(crate) duration_s: Option<f64>,
    /// The first video track.
    pub(crate) video: Option<VideoTrack>,
    /// Whether there is sound, be it silence.
    pub(crate) has_audio: bool,
}

/// What can be told of a video track.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct VideoTrack {
    /// Width in pixels.
    pub(crate) width: u32,
    /// Height in pixels.
    pub(crate) height: u32,
    /// Number of frames.
    pub(crate) frames: Option<u64>,
    /// Frames per second on average.
    pub(crate) frame_rate: Option<f64>,
    /// Name of the codec's sample entry, such as `avc1` or `hvc1`.
    pub(crate) codec: String,
}

impl Movie {
    /// Reads the body of `moov`.
    pub(super) fn read(moov: &[u8]) -> Result<Self, Fault> {
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
                movie.add(trak, fragments.is_some())?;
            }
        }
        Ok(movie)
    }

    fn add(&mut self, trak: &[u8], is_fragmented: bool) -> Result<(), Fault> {
        let mdia = required(trak, b"mdia")?;
        match &handler(required(mdia, b"hdlr")?)? {
            b"vide" if self.video.is_none() => self.video = Some(VideoTrack::read(mdia)?),
            b"soun" => self.has_audio |= is_fragmented || Timing::read(mdia)?.samples > 0,
            _ => {}
        }
        Ok(())
    }
}

impl VideoTrack {
    fn read(mdia: &[u8]) -> Result<Self, Fault> {
        let timing = Timing::read(mdia)?;
        let stsd = required(sample_table(mdia)?, b"stsd")?;
        let mut entries = stsd.get(STSD_HEADER..).unwrap_or_default();
        let (codec, entry) = children(entries)
            .next()
            .ok_or_else(|| Fault::Moov("stsd is empty".into()))??;
        entries = entry;
        let picture = Visual::decode(&mut entries).map_err(|error| unreadable(codec, error))?;
        Ok(Self {
            width: picture.width.into(),
            height: picture.height.into(),
            frames: Some(timing.samples).filter(|frames| *frames > 0),
            frame_rate: timing.rate(),
            codec: codec.to_string(),
        })
    }
}

/// Version, flags and the number of entries.
const STSD_HEADER: usize = 8;

/// How the samples of a track lie in time.
struct Timing {
    timescale: u32,
    samples: u64,
    ticks: u128,
}

impl Timing {
    fn read(mdia: &[u8]) -> Result<Self, Fault> {
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

    fn rate(&self) -> Option<f64> {
        let seconds = self.ticks as f64 / f64::from(self.timescale);
        Some(self.samples as f64 / seconds).filter(|rate| rate.is_finite() && *rate > 0.0)
    }
}

fn sample_table(mdia: &[u8]) -> Result<&[u8], Fault> {
    required(required(mdia, b"minf")?, b"stbl")
}

/// Read by hand: the name after it is free text, in which a decoder could find fault.
fn handler(hdlr: &[u8]) -> Result<[u8; 4], Fault> {
    hdlr.get(8..12)
        .and_then(|kind| kind.try_into().ok())
        .ok_or_else(|| Fault::Moov("hdlr is too short".into()))
}

/// Zero, and all bits set in either size, mean that the duration is not known.
fn seconds(duration: u64, timescale: u32) -> Option<f64> {
    let is_known = ![0, u64::from(u32::MAX), u64::MAX].contains(&duration) && timescale > 0;
    is_known.then(|| duration as f64 / f64::from(timescale))
}

fn decode<T: Atom>(mut body: &[u8]) -> Result<T, Fault> {
    T::decode_body(&mut body).map_err(|error| unreadable(T::KIND, error))
}

fn required<'a>(parent: &'a [u8], kind: &[u8; 4]) -> Result<&'a [u8], Fault> {
    find(parent, kind)?.ok_or_else(|| Fault::Moov(format!("{} is missing", FourCC::new(kind))))
}

fn find<'a>(parent: &'a [u8], kind: &[u8; 4]) -> Result<Option<&'a [u8]>, Fault> {
    for child in children(parent) {
        let (found, body) = child?;
        if found == FourCC::new(kind) {
            return Ok(Some(body));
        }
    }
    Ok(None)
}

/// Name and body of each box in a body.
fn children(mut rest: &[u8]) -> impl Iterator<Item = Result<(FourCC, &[u8]), Fault>> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut next = || {
            let header = Header::decode(&mut rest)
                .map_err(|error| Fault::Moov(format!("a box in it: {error}")))?;
            let size = header.size.unwrap_or(rest.len());
            let (body, after) = rest
                .split_at_checked(size)
                .ok_or_else(|| unreadable(header.kind, "longer than what holds it"))?;
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

/// The name may be any four bytes, so it is escaped.
fn unreadable(kind: FourCC, error: impl std::fmt::Display) -> Fault {
    Fault::Moov(format!("{}: {error}", kind.as_ref().escape_ascii()))
}
