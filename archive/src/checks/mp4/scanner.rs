use serde::{Deserialize, Serialize};

use super::{
    Movie, Mp4Error,
    c2pa::C2paSearch,
    header::{BoxHeader, BoxName, HeaderReader},
};

/// Maximum size of a `moov`. An hour of video needs about a fifth of it.
const MAX_MOOV: u64 = 16 * 1024 * 1024;
/// Minimum size of an `ftyp` body: a brand and its version.
const MIN_FTYP: u64 = 8;

/// Scans the top-level boxes of an MP4 in chunks of any size. The boxes must fill the file exactly: `ftyp` first,
/// exactly one `moov`, and a non-empty `mdat`. Only the `moov` is kept in memory.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Mp4Scanner {
    /// Size of the file, if the response headers declare it. A larger box is rejected at its header.
    #[serde(rename = "announced")]
    declared: Option<u64>,
    position: u64,
    #[serde(rename = "place")]
    state: State,
    has_ftyp: bool,
    has_media: bool,
    moov: Moov,
    /// `None`: part of the file was scanned by a version that did not look for a manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c2pa: Option<C2paSearch>,
}

/// The state of the `moov`.
#[derive(Clone, Debug, Deserialize, Serialize)]
enum Moov {
    Missing,
    /// The bytes so far, which are too large for a heartbeat.
    #[serde(skip)]
    Partial(Vec<u8>),
    #[serde(rename = "Whole")]
    Complete(Movie),
}

/// The part of the file that the next byte belongs to.
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

/// The end of a box.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
enum End {
    /// The body ends after this many more bytes.
    After(u64),
    /// The body extends to the end of the file.
    OfFile,
}

impl Mp4Scanner {
    /// Starts the scan of a file, with its size if the response headers declare it.
    pub(crate) fn new(declared: Option<u64>) -> Self {
        Self {
            declared,
            position: 0,
            state: State::Header(HeaderReader::default()),
            has_ftyp: false,
            has_media: false,
            moov: Moov::Missing,
            c2pa: Some(C2paSearch::default()),
        }
    }

    /// Processes the next bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes cannot be part of a complete MP4. [`finish`](Self::finish) then returns
    /// the same error.
    pub(crate) fn update(&mut self, mut bytes: &[u8]) -> Result<(), Mp4Error> {
        while !bytes.is_empty() {
            let read = self.step(bytes).inspect_err(|error| {
                self.state = State::Failed(error.clone());
            })?;
            self.position += read as u64;
            bytes = bytes.get(read..).unwrap_or_default();
        }
        Ok(())
    }

    /// Returns whether the current box extends to the end of the file, so that a truncated file looks complete.
    pub(crate) fn is_open_ended(&self) -> bool {
        let state = &self.state;
        matches!(
            state,
            State::Body {
                end: End::OfFile,
                ..
            }
        )
    }

    /// Returns whether the file has a C2PA manifest, after its last byte. `None`: not known.
    pub(crate) fn has_c2pa_manifest(&self) -> Option<bool> {
        self.c2pa.as_ref().map(C2paSearch::is_found)
    }

    /// Returns the movie, after the last byte of the file.
    ///
    /// # Errors
    ///
    /// Returns an error if the file is not a complete MP4.
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
        if let Some(declared) = self.declared.filter(|declared| *declared != self.position) {
            return Err(Mp4Error::Length {
                declared,
                found: self.position,
            });
        }
        if self.position == 0 {
            return Err(Mp4Error::Empty);
        }
        let movie = match self.moov {
            Moov::Missing => return Err(Mp4Error::Missing("moov box")),
            Moov::Partial(moov) => Movie::parse(&moov)?,
            Moov::Complete(movie) => movie,
        };
        if !self.has_media {
            return Err(Mp4Error::Missing("mdat box with data"));
        }
        Ok(movie)
    }

    /// Returns a copy to save, or `None` inside the `moov`, whose bytes are too many, and after an error.
    pub(crate) fn save(&self) -> Option<Self> {
        match (&self.moov, &self.state) {
            (Moov::Partial(_), _) | (_, State::Failed(_)) => None,
            _ => Some(self.clone()),
        }
    }

    /// Processes the bytes of the current header or body, and returns how many there were.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, Mp4Error> {
        match &mut self.state {
            State::Failed(error) => Err(error.clone()),
            State::Header(reader) => {
                let (read, header) = reader.read(bytes, self.position)?;
                if let Some(header) = header {
                    self.open(header, self.position + read as u64)?;
                }
                Ok(read)
            }
            State::Body { name, end } => {
                let name = *name;
                let (part, is_last) = match end {
                    End::OfFile => (bytes, false),
                    End::After(remaining) => {
                        let size = usize::try_from(*remaining).unwrap_or(usize::MAX);
                        let part = bytes.get(..size).unwrap_or(bytes);
                        *remaining -= part.len() as u64;
                        (part, *remaining == 0)
                    }
                };
                let read = part.len();
                self.add_body(name, part)?;
                if is_last {
                    self.close()?;
                }
                Ok(read)
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
            if self.declared.is_some_and(|declared| end > declared) {
                return Err(past_end());
            }
        }
        if !self.has_ftyp {
            // A QuickTime file of before 2001 has no `ftyp`, but starts with one of these boxes.
            let is_classic =
                [b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"].contains(&&name.0);
            let is_ftyp = &name.0 == b"ftyp" && size.is_some_and(|size| size >= MIN_FTYP);
            if !is_ftyp && !is_classic {
                return Err(Mp4Error::NoFtyp);
            }
            self.has_ftyp = true;
        }
        match &name.0 {
            b"moov" if !matches!(self.moov, Moov::Missing) => return Err(Mp4Error::SecondMoov),
            b"moov" if size.is_some_and(|size| size > MAX_MOOV) => return Err(Mp4Error::LargeMoov),
            b"moov" => self.moov = Moov::Partial(Vec::new()),
            b"uuid" => self.c2pa.iter_mut().for_each(C2paSearch::open),
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

    /// Leaves a box. Parses a `moov` immediately, so that its errors are reported before the rest of the file is
    /// downloaded.
    fn close(&mut self) -> Result<(), Mp4Error> {
        self.state = State::Header(HeaderReader::default());
        if let Moov::Partial(moov) = &self.moov {
            self.moov = Moov::Complete(Movie::parse(moov)?);
        }
        Ok(())
    }

    /// Adds bytes of a box's body. Keeps only those of the `moov`, and the first ones of a `uuid`.
    fn add_body(&mut self, name: BoxName, part: &[u8]) -> Result<(), Mp4Error> {
        match (&name.0, &mut self.moov) {
            (b"mdat", _) => self.has_media = true,
            (b"uuid", _) => self.c2pa.iter_mut().for_each(|search| search.add(part)),
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
