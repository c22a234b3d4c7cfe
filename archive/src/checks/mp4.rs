//! Whether a stream of bytes is one whole MP4.

mod fault;
mod header;
mod movie;
#[cfg(test)]
mod tests;

use header::{BoxHeader, HeaderReader, Kind};
use serde::{Deserialize, Serialize};

pub(crate) use fault::Fault;
pub(crate) use movie::{Movie, VideoTrack};

/// Largest `moov` that is kept: an hour of video needs about a fifth of it.
const MAX_MOOV: u64 = 16 * 1024 * 1024;
/// A brand and its version, without which there is no `ftyp`.
const MIN_FTYP: u64 = 8;

/// Follows the top-level boxes of a file through chunks of any size. They must tile it exactly: it
/// begins with `ftyp`, has one `moov` and an `mdat` that is not empty. Only `moov` is kept.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Mp4Scanner {
    /// Length of the file, where it is known beforehand: a box beyond it is a fault at once.
    announced: Option<u64>,
    position: u64,
    place: Place,
    has_ftyp: bool,
    has_media: bool,
    moov: Moov,
}

/// What is known of the movie.
#[derive(Clone, Debug, Deserialize, Serialize)]
enum Moov {
    Missing,
    /// Its bytes so far: too many to travel.
    #[serde(skip)]
    Partial(Vec<u8>),
    Whole(Movie),
}

/// Where in the boxes the next byte belongs.
#[derive(Clone, Debug, Deserialize, Serialize)]
enum Place {
    Header(HeaderReader),
    Body {
        kind: Kind,
        end: End,
    },
    /// The first fault is the one that counts.
    #[serde(skip)]
    Failed(Fault),
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
enum End {
    /// Bytes of the body that are still to come.
    After(u64),
    /// The box is the file's last.
    OfFile,
}

impl Mp4Scanner {
    /// A scanner of a file of this length, where it is known.
    pub(crate) fn new(announced: Option<u64>) -> Self {
        Self {
            announced,
            position: 0,
            place: Place::Header(HeaderReader::default()),
            has_ftyp: false,
            has_media: false,
            moov: Moov::Missing,
        }
    }

    /// Takes the next bytes. A fault can be acted on at once; [`finish`](Self::finish) repeats it.
    pub(crate) fn update(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        while !bytes.is_empty() {
            let taken = self.step(bytes).inspect_err(|fault| {
                self.place = Place::Failed(fault.clone());
            })?;
            self.position += taken as u64;
            bytes = bytes.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// What the file holds, now that it has ended.
    pub(crate) fn finish(self) -> Result<Movie, Fault> {
        match self.place {
            Place::Failed(fault) => return Err(fault),
            Place::Header(reader) if !reader.is_empty() => {
                return Err(Fault::EndsInHeader(self.position));
            }
            Place::Body {
                kind,
                end: End::After(missing),
            } => {
                return Err(Fault::EndsInBox {
                    kind: kind.to_string(),
                    missing,
                });
            }
            Place::Header(_) | Place::Body { .. } => {}
        }
        if let Some(announced) = self
            .announced
            .filter(|announced| *announced != self.position)
        {
            return Err(Fault::Length {
                announced,
                found: self.position,
            });
        }
        if self.position == 0 {
            return Err(Fault::Empty);
        }
        let movie = match self.moov {
            Moov::Missing => return Err(Fault::Missing("moov")),
            Moov::Partial(moov) => Movie::read(&moov)?,
            Moov::Whole(movie) => movie,
        };
        if !self.has_media {
            return Err(Fault::Missing("mdat with anything in it"));
        }
        Ok(movie)
    }

    /// A copy that can travel. `None` inside `moov`, and after a fault.
    pub(crate) fn save(&self) -> Option<Self> {
        match (&self.moov, &self.place) {
            (Moov::Partial(_), _) | (_, Place::Failed(_)) => None,
            _ => Some(self.clone()),
        }
    }

    /// Takes as many bytes as belong to one place.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        match &mut self.place {
            Place::Failed(fault) => Err(fault.clone()),
            Place::Header(reader) => {
                let (taken, header) = reader.take(bytes, self.position)?;
                if let Some(header) = header {
                    self.open(header, self.position + taken as u64)?;
                }
                Ok(taken)
            }
            Place::Body { kind, end } => {
                let kind = *kind;
                let (part, is_last) = match end {
                    End::OfFile => (bytes, false),
                    End::After(left) => {
                        let size = usize::try_from(*left).unwrap_or(usize::MAX);
                        let part = bytes.get(..size).unwrap_or(bytes);
                        *left -= part.len() as u64;
                        (part, *left == 0)
                    }
                };
                let taken = part.len();
                self.keep(kind, part)?;
                if is_last {
                    self.close()?;
                }
                Ok(taken)
            }
        }
    }

    /// Enters the box whose body begins at `body`.
    fn open(&mut self, header: BoxHeader, body: u64) -> Result<(), Fault> {
        let BoxHeader { kind, size } = header;
        let past = || Fault::PastEnd {
            kind: kind.to_string(),
            size: size.unwrap_or_default(),
        };
        if let Some(size) = size {
            let end = body.checked_add(size).ok_or_else(past)?;
            if self.announced.is_some_and(|announced| end > announced) {
                return Err(past());
            }
        }
        match &kind.0 {
            b"ftyp" if size.is_some_and(|size| size >= MIN_FTYP) => self.has_ftyp = true,
            _ if !self.has_ftyp => return Err(Fault::NoFtyp),
            b"moov" if !matches!(self.moov, Moov::Missing) => return Err(Fault::SecondMoov),
            b"moov" if size.is_some_and(|size| size > MAX_MOOV) => return Err(Fault::LargeMoov),
            b"moov" => self.moov = Moov::Partial(Vec::new()),
            _ => {}
        }
        self.place = match size {
            Some(0) => return self.close(),
            Some(size) => Place::Body {
                kind,
                end: End::After(size),
            },
            None => Place::Body {
                kind,
                end: End::OfFile,
            },
        };
        Ok(())
    }

    /// Leaves a box. The movie is read at once: what is wrong with it need not wait for the rest.
    fn close(&mut self) -> Result<(), Fault> {
        self.place = Place::Header(HeaderReader::default());
        if let Moov::Partial(moov) = &self.moov {
            self.moov = Moov::Whole(Movie::read(moov)?);
        }
        Ok(())
    }

    fn keep(&mut self, kind: Kind, part: &[u8]) -> Result<(), Fault> {
        match (&kind.0, &mut self.moov) {
            (b"mdat", _) => self.has_media = true,
            (b"moov", Moov::Partial(moov)) => {
                if (moov.len() + part.len()) as u64 > MAX_MOOV {
                    return Err(Fault::LargeMoov);
                }
                moov.extend_from_slice(part);
            }
            _ => {}
        }
        Ok(())
    }
}
