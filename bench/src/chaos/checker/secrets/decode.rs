//! Everything that bytes may be an encoding of.

use std::io::Read;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};

/// Shorter runs cannot contain a secret.
const MIN_RUN: usize = 24;
/// What is decompressed, at most.
const MAX_DECOMPRESSED: u64 = 16 << 20;
const GZIP: &[u8] = b"\x1f\x8b\x08";

/// Returns the bytes, decoded in every way that is possible.
pub(super) fn all(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    base64(bytes)
        .chain(hexadecimal(bytes))
        .chain(percent(bytes))
        .chain(decompressed(bytes))
}

/// Decodes each run of characters of base64, at each alignment: the encoded text may begin anywhere in it.
fn base64(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    runs(bytes, is_base64).flat_map(|run| {
        let standard: Vec<u8> = run.iter().copied().map(standard).collect();
        (0..4).filter_map(move |start| decode_base64(standard.get(start..)?))
    })
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)
}

/// Returns the character of the standard alphabet for one of the alphabet of URLs.
fn standard(byte: u8) -> u8 {
    match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    }
}

fn decode_base64(run: &[u8]) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&alphabet::STANDARD, config);
    // A last character alone encodes nothing.
    let length = match run.len() % 4 {
        1 => run.len() - 1,
        _ => run.len(),
    };
    engine.decode(run.get(..length)?).ok()
}

fn hexadecimal(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let runs = runs(bytes, |byte| byte.is_ascii_hexdigit());
    runs.flat_map(|run| {
        (0..2).filter_map(move |start| {
            let run = run.get(start..)?;
            hex::decode(run.get(..run.len() / 2 * 2)?).ok()
        })
    })
}

fn percent(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let has_percent = bytes.contains(&b'%');
    has_percent.then(|| decode_percent(bytes)).into_iter()
}

fn decode_percent(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, others)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| others.get(..2)).flatten();
        match escaped.and_then(|digits| hex::decode(digits).ok()) {
            Some(byte) => {
                decoded.extend(byte);
                rest = &others[2..];
            }
            None => {
                decoded.push(*first);
                rest = others;
            }
        }
    }
    decoded
}

/// Decompresses the bytes, and what begins like gzip or zlib inside of them.
fn decompressed(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let inside = (0..bytes.len()).filter_map(|start| {
        let rest = &bytes[start..];
        if rest.starts_with(GZIP) {
            return read(GzDecoder::new(rest));
        }
        is_zlib(rest).then(|| read(ZlibDecoder::new(rest)))?
    });
    inside.chain(read(DeflateDecoder::new(bytes)))
}

/// Returns whether bytes begin with the header of zlib, whose two bytes are a multiple of 31.
fn is_zlib(bytes: &[u8]) -> bool {
    match bytes {
        [0x78, flags, ..] => (0x7800 + u16::from(*flags)).is_multiple_of(31),
        _ => false,
    }
}

/// Reads what can be decompressed, also if the rest is damaged or something else.
fn read(reader: impl Read) -> Option<Vec<u8>> {
    let mut decompressed = Vec::new();
    let _ = reader.take(MAX_DECOMPRESSED).read_to_end(&mut decompressed);
    (decompressed.len() >= MIN_RUN).then_some(decompressed)
}

/// Returns the runs of bytes that are long enough to contain a secret.
fn runs(bytes: &[u8], is_inside: fn(u8) -> bool) -> impl Iterator<Item = &[u8]> {
    let runs = bytes.split(move |byte| !is_inside(*byte));
    runs.filter(|run| run.len() >= MIN_RUN)
}
