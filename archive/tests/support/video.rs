//! Generates videos of any size.

const VIDEO: &[u8] = include_bytes!("../../../simulator/fixtures/silent.mp4");

/// Returns the fixture with a `free` box of `padding` bytes at the end, which players skip.
pub(crate) fn video(padding: u32) -> Vec<u8> {
    let mut video = VIDEO.to_vec();
    video.extend_from_slice(&padding.to_be_bytes());
    video.extend_from_slice(b"free");
    video.extend((8..padding).map(|index| (index % 251) as u8));
    video
}
