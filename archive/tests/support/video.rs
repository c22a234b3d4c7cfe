//! Generates videos of any size.

const VIDEO: &[u8] = include_bytes!("../../../simulator/fixtures/silent.mp4");

/// Returns the fixture with a `free` box of `padding` bytes at the end, which players skip.
pub(crate) fn video(padding: u32) -> Vec<u8> {
    let mut video = VIDEO.to_vec();
    video.extend_from_slice(&padding.to_be_bytes());
    video.extend_from_slice(b"free");
    let pattern: Vec<u8> = (0..251).collect();
    let padding = padding as usize;
    video.extend_from_slice(&pattern.repeat(padding / pattern.len() + 1)[8..padding]);
    video
}
