//! Videos of any size.

const VIDEO: &[u8] = include_bytes!("../../../simulator/fixtures/silent.mp4");

/// The fixture with a box of so many bytes at its end that players skip.
pub(crate) fn video(filling: u32) -> Vec<u8> {
    let mut video = VIDEO.to_vec();
    video.extend_from_slice(&filling.to_be_bytes());
    video.extend_from_slice(b"free");
    video.extend((8..filling).map(|index| (index % 251) as u8));
    video
}
