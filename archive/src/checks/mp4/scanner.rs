//! Follows the boxes of an MP4.

use serde::{Deserialize, Serialize};

use super::{
    Movie, Mp4Error,
    header::{BoxHeader, BoxName, HeaderReader},
};

/// Largest `moov` that is accepted. An hour of video needs about a fifth.
const MAX_MOOV: u64 = 16 * 1024 * 1024;
/// Smallest body of an `ftyp`: a brand and its version.
const MIN_FTYP: u64 = 8;

/// Follows the top-level boxes of a file through chunks of any size. The boxes must fill the file exactly: `ftyp`
/// first, exactly one `moov`, and a non-empty `mdat`. Only the `moov` is kept in memory.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Mp4Scanner {
    /// Size of the file, if the host has announced it: a box that does not fit is an error before it ends.
    announced: Option<u64>,
    position: u64,
    #[serde(rename = "place")]
    state: State,
    has_ftyp: bool,
    has_media: bool,
    moov: Moov,
}

/// The `moov` so far.
#[derive(Clone, Debug, Deserialize, Serialize)]
enum Moov {
    Missing,
    /// Its bytes so far. Too large for a heartbeat.
    #[serde(skip)]
    Partial(Vec<u8>),
    #[serde(rename = "Whole")]
    Complete(Movie),
}

/// What the next byte belongs to.
#[derive(Clone, Debug, Deserialize, Serialize)]
enum State {
    Header(HeaderReader),
    Body {
        #[serde(rename = "kind")]
        name: BoxName,
        end: End,
    },
    #[serde(skip)]
    Failed(Mp4Error),
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
enum End {
    /// The body ends after this many more bytes.
    After(u64),
    /// The body extends to the end of the file.
    OfFile,
}

impl Mp4Scanner {
    /// Returns a scanner of a file, whose size the host may have announced.
    pub(crate) fn new(announced: Option<u64>) -> Self {
        Self {
            announced,
            position: 0,
            state: State::Header(HeaderReader::default()),
            has_ftyp: false,
            has_media: false,
            moov: Moov::Missing,
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// If the bytes cannot be part of a complete MP4. [`finish`](Self::finish) then returns the same error.
    pub(crate) fn update(&mut self, mut bytes: &[u8]) -> Result<(), Mp4Error> {
        while !bytes.is_empty() {
            let taken = self.step(bytes).inspect_err(|error| {
                self.state = State::Failed(error.clone());
            })?;
            self.position += taken as u64;
            bytes = bytes.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Returns what the file contains, after its last byte.
    ///
    /// # Errors
    ///
    /// If the file is not a complete MP4.
    pub(crate) fn finish(self) -> Result<Movie, Mp4Error> {
        match self.state {
            State::Failed(error) => return Err(error),
            State::Header(reader) if !reader.is_empty() => {
                return Err(Mp4Error::EndsInHeader(self.position));
            }
            State::Body {
                name,
                end: End::After(missing),
            } => {
                return Err(Mp4Error::EndsInBox {
                    kind: name.to_string(),
                    missing,
                });
            }
            State::Header(_) | State::Body { .. } => {}
        }
        if let Some(announced) = self
            .announced
            .filter(|announced| *announced != self.position)
        {
            return Err(Mp4Error::Length {
                announced,
                found: self.position,
            });
        }
        if self.position == 0 {
            return Err(Mp4Error::Empty);
        }
        let movie = match self.moov {
            Moov::Missing => return Err(Mp4Error::Missing("moov")),
            Moov::Partial(moov) => Movie::parse(&moov)?,
            Moov::Complete(movie) => movie,
        };
        if !self.has_media {
            return Err(Mp4Error::Missing("mdat with anything in it"));
        }
        Ok(movie)
    }

    /// Returns a copy to be saved. `None`: inside `moov`, whose bytes are too many, or after an error.
    pub(crate) fn save(&self) -> Option<Self> {
        match (&self.moov, &self.state) {
            (Moov::Partial(_), _) | (_, State::Failed(_)) => None,
            _ => Some(self.clone()),
        }
    }

    /// Takes the bytes that belong to the current header or body, and returns how many.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, Mp4Error> {
        match &mut self.state {
            State::Failed(error) => Err(error.clone()),
            State::Header(reader) => {
                let (taken, header) = reader.take(bytes, self.position)?;
                if let Some(header) = header {
                    self.open(header, self.position + taken as u64)?;
                }
                Ok(taken)
            }
            State::Body { name, end } => {
                let name = *name;
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
                self.keep(name, part)?;
                if is_last {
                    self.close()?;
                }
                Ok(taken)
            }
        }
    }

    /// Enters a box whose body starts at byte `body`.
    fn open(&mut self, header: BoxHeader, body: u64) -> Result<(), Mp4Error> {
        let BoxHeader { name, size } = header;
        let past_end = || Mp4Error::PastEnd {
            kind: name.to_string(),
            size: size.unwrap_or_default(),
        };
        if let Some(size) = size {
            let end = body.checked_add(size).ok_or_else(past_end)?;
            if self.announced.is_some_and(|announced| end > announced) {
                return Err(past_end());
            }
        }
        match &name.0 {
            b"ftyp" if size.is_some_and(|size| size >= MIN_FTYP) => self.has_ftyp = true,
            _ if !self.has_ftyp => return Err(Mp4Error::NoFtyp),
            b"moov" if !matches!(self.moov, Moov::Missing) => return Err(Mp4Error::SecondMoov),
            b"moov" if size.is_some_and(|size| size > MAX_MOOV) => return Err(Mp4Error::LargeMoov),
            b"moov" => self.moov = Moov::Partial(Vec::new()),
            _ => {}
        }
        self.state = match size {
            Some(0) => return self.close(),
            Some(size) => State::Body {
                name,
                end: End::After(size),
            },
            None => State::Body {
                name,
                end: End::OfFile,
            },
        };
        Ok(())
    }

    /// Leaves a box. Parses a `moov` immediately, so that its errors do not wait for the rest of the file.
    fn close(&mut self) -> Result<(), Mp4Error> {
        self.state = State::Header(HeaderReader::default());
        if let Moov::Partial(moov) = &self.moov {
            self.moov = Moov::Complete(Movie::parse(moov)?);
        }
        Ok(())
    }

    fn keep(&mut self, name: BoxName, part: &[u8]) -> Result<(), Mp4Error> {
        match (&name.0, &mut self.moov) {
            (b"mdat", _) => self.has_media = true,
            (b"moov", Moov::Partial(moov)) => {
                if (moov.len() + part.len()) as u64 > MAX_MOOV {
                    return Err(Mp4Error::LargeMoov);
                }
                moov.extend_from_slice(part);
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
